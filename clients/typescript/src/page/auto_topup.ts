import type { AutoTopup, AutoTopupRequest, SavedCard } from "../api.js";
import type { Charging } from "../cards.js";
import { backFrom, type BackTo, type Returned } from "./returning.js";
import { asError } from "./store.js";
import { UNKNOWN, type WatchedState, WatchingStore } from "./watching.js";

/** The customer's auto top-up and saved cards as far as they are known. */
export interface AutoTopupState extends WatchedState {
  autoTopup: AutoTopup | undefined;
  /** Newest first; undefined until they are read. */
  cards: SavedCard[] | undefined;
}

/** What a customer agrees to. */
export type AutoTopupRules = Omit<AutoTopupRequest, "enabled" | "accountId">;

type Client = Pick<Charging, "autoTopup" | "cards" | "setAutoTopup" | "saveCard" | "confirmPayment">;

/** A charge follows within seconds if the credits are low already, and a saved card is told by a webhook. */
const NEWS_MS = 15_000;
const NOTHING: AutoTopupState = { ...UNKNOWN, autoTopup: undefined, cards: undefined };

export class AutoTopupStore extends WatchingStore<AutoTopupState> {
  readonly #client: Client;
  readonly #onPaid: () => void;

  /** `onPaid` is called when credits were bought since the last look. */
  constructor(client: Client, onPaid: () => void = () => {}) {
    super(NOTHING);
    this.#client = client;
    this.#onPaid = onPaid;
  }

  protected async read(): Promise<Partial<AutoTopupState>> {
    // The cards are asked for at Stripe, which may fail alone.
    const [autoTopup, cards] = await Promise.all([this.#client.autoTopup(), this.#client.cards().catch(asError)]);
    return cards instanceof Error ? { autoTopup, error: cards } : { autoTopup, cards, error: undefined };
  }

  protected override show(news: Partial<AutoTopupState>): void {
    const before = lastPaid(this.state.autoTopup);
    super.show(news);
    const { autoTopup } = this.state;
    if (before !== undefined && before !== lastPaid(autoTopup)) this.#onPaid();
    this.lookAgain(autoTopup?.attempts.some(({ outcome }) => outcome === "running") ?? false);
  }

  /** Turns it on, or replaces its rules. Whether that worked; if not, `changeError` says why. */
  turnOn = (rules: AutoTopupRules): Promise<boolean> => this.#change({ ...rules, enabled: true });

  /** Turns it off. A charge that is under way is still credited. */
  turnOff = (): Promise<boolean> => this.#change({ enabled: false });

  /** Opens the page on which the customer saves a card, and returns its address. */
  cardPage = (to?: BackTo): Promise<string | undefined> => this.#page("card", to, this.#client.saveCard);

  /** The page on which the customer confirms a payment that the bank asked about. */
  confirmationPage = (to?: BackTo): Promise<string | undefined> =>
    this.#page("payment", to, this.#client.confirmPayment);

  async #page(from: Returned, to: BackTo = {}, open: Client["saveCard"]): Promise<string | undefined> {
    const urls = { successUrl: backFrom(from, to.successUrl), cancelUrl: backFrom(undefined, to.cancelUrl) };
    return (await this.doing(() => open(urls)))?.url;
  }

  /** The customer is back from a page: what they did there may take a moment to arrive. */
  awaitNews = (): void => this.expectNews(NEWS_MS);

  async #change(request: AutoTopupRequest): Promise<boolean> {
    const autoTopup = await this.doing(() => this.#client.setAutoTopup(request));
    if (!autoTopup) return false;
    this.show({ autoTopup });
    this.expectNews(NEWS_MS);
    return true;
  }
}

/** The last purchase that was paid; empty if there is none. */
const lastPaid = (known: AutoTopup | undefined): string | undefined =>
  known && (known.attempts.find(({ outcome }) => outcome === "paid")?.topupId ?? "");
