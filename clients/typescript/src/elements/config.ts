import { formatCredits, formatMoney } from "../format.js";
import { BalanceStore } from "../page/balance.js";
import { type PageClient, pageClient } from "../page/client.js";
import { Purchase } from "../page/purchase.js";
import { type Formats, TEXTS, type Texts } from "../page/texts.js";
import type { TopupOptions } from "../transport.js";

/** How the elements of a page reach the service, and how they speak. */
export interface ElementsOptions extends Omit<TopupOptions, "apiKey"> {
  /** The language of numbers, amounts and times; by default the page's `lang`. */
  locale?: string | undefined;
  /** Texts in place of the English ones. */
  texts?: Partial<Texts> | undefined;
}

/** What the elements of a page share. */
export interface Page {
  client: PageClient;
  balance: BalanceStore;
  purchase: Purchase;
  texts: Texts;
  locale: string | undefined;
}

let page: Page | undefined;
const waiting = new Set<(page: Page) => void>();

/** Tells all elements of the page how to reach the service. Call it once, before or after they are in the document. */
export function configure({ locale, texts, ...options }: ElementsOptions): void {
  // A customer is told soon, rather than kept waiting: they can press the button again.
  const client = pageClient({ maxTries: 6, maxWaitMs: 4_000, ...options });
  const balance = new BalanceStore(client);
  const purchase = new Purchase(client, () => balance.refresh());
  const language = locale || document.documentElement.lang || undefined;
  page = { client, balance, purchase, texts: { ...TEXTS, ...texts }, locale: language };
  void purchase.resume();
  // Also when Back restores this page from the browser's cache.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) void purchase.resume();
  });
  for (const start of waiting) start(page);
  waiting.clear();
}

/** Calls `start` when the page is configured. */
export function whenConfigured(start: (page: Page) => void): void {
  if (page) start(page);
  else waiting.add(start);
}

/** Not any more. */
export const forget = (start: (page: Page) => void): void => void waiting.delete(start);

/** The client of the elements, for the page's own requests. */
export function client(): PageClient {
  if (!page) throw new Error("topup: call configure({ baseUrl, token }) first");
  return page.client;
}

/** Reads the balance again and shows it in all meters of the page. */
export const refreshBalance = (): Promise<void> => (client(), page as Page).balance.refresh();

/** How this page writes numbers of credits with so many decimals, amounts and times. */
export function formats({ locale }: Pick<Page, "locale">, decimals: number): Formats {
  const number = new Intl.NumberFormat(locale);
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  return {
    credits: (credits) => formatCredits(credits, { decimals, locale }),
    number: (value) => number.format(value),
    money: (amountMinor, currency) => formatMoney(amountMinor, currency, locale),
    date: (time) => date.format(new Date(time)),
  };
}
