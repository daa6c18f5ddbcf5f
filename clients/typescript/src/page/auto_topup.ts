import type { AutoTopup, AutoTopupRequest, SavedCard } from "../api.js";
import type { Charging } from "../cards.js";
import { backFrom, type BackTo, type Returned } from "./returning.js";
import { asError } from "./store.js";
import { WatchingStore } from "./watching.js";

/** The customer's auto top-up and saved cards as far as they are known. After an error, the last ones stay. */
export interface AutoTopupState {
  autoTopup: AutoTopup | undefined;
  /** Newest first; undefined until they are read. */
  cards: SavedCard[] | undefined;
  isLoading: boolean;
  /** Whether a change is under way. */
  isChanging: boolean;
  /** Why it could not be read. */
  error: Error | undefined;
  /** Why the last change failed. */
  changeError: Error | undefined;
}

/** What a customer agrees to. */
export type AutoTopupRules = Omit<AutoTopupRequest, "enabled" | "accountId">;

type Client = Pick<Charging, "autoTopup" | "cards" | "setAutoTopup" | "saveCard" | "confirmPayment">;

/** A charge follows within seconds if the credits are low already, and a saved card is told by a webhook. */
const NEWS_MS = 15_000;
const NOTHING: AutoTopupState = {
  autoTopup: undefined, cards: undefined, isLoading: false, isChanging: false, error: undefined, changeError: undefined,
};

export class AutoTopupStore extends WatchingStore<AutoTopupState> {
  readonly #client: Client;
  readonly #onPaid: () => void;
  #count = 0;

  /** `onPaid` is called when credits were bought since the last look. */
  constructor(client: Client, onPaid: () => void = () => {}) {
    super(NOTHING);
    this.#client = client;
    this.#onPaid = onPaid;
  }

  refresh = async (): Promise<void> => {
    const count = ++this.#count;
    this.set({ ...this.state, isLoading: true });
    try {
      // The cards are asked for at Stripe, which may fail alone.
      const [autoTopup, cards] = await Promise.all([this.#client.autoTopup(), this.#client.cards().catch(asError)]);
      if (count !== this.#count) return;
      this.#show(autoTopup, cards instanceof Error ? { error: cards } : { cards, error: undefined });
    } catch (error) {
      if (count === this.#count) this.set({ ...this.state, error: asError(error), isLoading: false });
    }
  };

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
    return (await this.#doing(() => open(urls)))?.url;
  }

  /** The customer is back from a page: what they did there may take a moment to arrive. */
  awaitNews = (): void => this.expectNews(NEWS_MS);

  async #change(request: AutoTopupRequest): Promise<boolean> {
    const autoTopup = await this.#doing(() => this.#client.setAutoTopup(request));
    if (!autoTopup) return false;
    this.#count += 1; // a read that is under way is older
    this.#show(autoTopup);
    this.expectNews(NEWS_MS);
    return true;
  }

  /** Does something that the customer waits for. What it led to; nothing if it failed. */
  async #doing<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.state.isChanging) return undefined;
    this.set({ ...this.state, isChanging: true, changeError: undefined });
    let changeError: Error | undefined;
    const result = await work().catch((error: unknown) => void (changeError = asError(error)));
    this.set({ ...this.state, isChanging: false, changeError });
    return result as Result | undefined;
  }

  #show(autoTopup: AutoTopup, more: Partial<AutoTopupState> = {}): void {
    const before = this.state.autoTopup && lastPaid(this.state.autoTopup);
    this.set({ ...this.state, ...more, autoTopup, isLoading: false });
    if (before !== undefined && before !== lastPaid(autoTopup)) this.#onPaid();
    this.lookAgain(autoTopup.attempts.some(({ outcome }) => outcome === "running"));
  }
}

/** The last purchase that was paid; empty if there is none. */
const lastPaid = ({ attempts }: AutoTopup): string =>
  attempts.find(({ outcome }) => outcome === "paid")?.topupId ?? "";
