import type { AutoTopupTexts } from "../page/auto_topup_texts.js";
import type { PlanTexts } from "../page/plan_texts.js";
import type { TopupOptions } from "../transport.js";

/** How the elements of a page reach the service, and how they speak. */
export interface RecurringOptions extends Omit<TopupOptions, "apiKey"> {
  /** The language of numbers, amounts and times; by default the page's `lang`. */
  locale?: string | undefined;
  /** Texts in place of the English ones. */
  texts?: { autoTopup?: Partial<AutoTopupTexts>; plan?: Partial<PlanTexts> } | undefined;
}

type Start = (options: RecurringOptions) => void;

/** The page's, also if files with copies of this code are in it. */
const shared: { options?: RecurringOptions; waiting: Set<Start> } =
  ((globalThis as Record<symbol, unknown>)[Symbol.for("topup.recurring")] ??= { waiting: new Set() }) as never;

/** Tells these elements how to reach the service. Call it once, before or after they are in the document. */
export function configure(options: RecurringOptions): void {
  // A customer is told soon, rather than kept waiting: they can press the button again.
  shared.options = { maxTries: 6, maxWaitMs: 4_000, ...options };
  for (const start of shared.waiting) start(shared.options);
  shared.waiting.clear();
}

/** Calls `start` when the page is configured. */
export function whenConfigured(start: Start): void {
  if (shared.options) start(shared.options);
  else shared.waiting.add(start);
}

/** Not any more. */
export const forget = (start: Start): void => void shared.waiting.delete(start);

/** What elements of a page share, made when the first of them begins. */
export function once<Page>(make: (options: RecurringOptions) => Page): (options: RecurringOptions) => Page {
  let made: { of: RecurringOptions; page: Page } | undefined;
  return (options) => (made?.of === options ? made : (made = { of: options, page: make(options) })).page;
}

/** The language of the page. */
export const localeOf = ({ locale }: RecurringOptions): string | undefined =>
  locale || document.documentElement.lang || undefined;

/** Leaves for a hosted page, unless the page keeps the browser here. */
export function leave(host: HTMLElement, url: string): void {
  const event = new CustomEvent("topup-redirect", { detail: { url }, bubbles: true, composed: true, cancelable: true });
  if (host.dispatchEvent(event)) location.assign(url);
}
