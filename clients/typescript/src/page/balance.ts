import type { Balance } from "../api.js";
import type { Reading } from "../reading.js";
import { asError, Store } from "./store.js";

/** The balance as far as it is known. After an error, the last one stays. */
export interface BalanceState {
  balance: Balance | undefined;
  /** When it was read, in milliseconds. */
  atMs: number | undefined;
  error: Error | undefined;
  isLoading: boolean;
}

/** No timer reaches further, and who looks that late looks again anyway. */
const DAY_MS = 86_400_000;
const NOTHING: BalanceState = { balance: undefined, atMs: undefined, error: undefined, isLoading: false };

/**
 * The balance of a page's customer. While somebody listens, it is read again when the page gets the focus or is shown
 * again, and when credits end.
 */
export class BalanceStore extends Store<BalanceState> {
  readonly #client: Pick<Reading, "balance">;
  #count = 0;
  #nextEnd: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Pick<Reading, "balance">) {
    super(NOTHING);
    this.#client = client;
  }

  /** Reads the balance. Of several reads at once, the one that began last counts. */
  refresh = async (): Promise<void> => {
    const count = ++this.#count;
    this.set({ ...this.state, isLoading: true });
    try {
      const balance = await this.#client.balance();
      if (count === this.#count) this.note(balance);
    } catch (error) {
      if (count === this.#count) this.set({ ...this.state, error: asError(error), isLoading: false });
    }
  };

  /** Shows a balance that came in another way, such as in the stream of an answer. It may lack some of the numbers. */
  note = (news: Partial<Balance>): void => {
    this.#count += 1; // a read that is under way is older
    const known = this.state.balance ?? EMPTY;
    this.set({ balance: { ...known, ...news }, atMs: Date.now(), error: undefined, isLoading: false });
    this.#awaitEnd();
  };

  #awaitEnd(): void {
    clearTimeout(this.#nextEnd);
    const end = this.state.balance?.nextExpiry;
    const inMs = end ? Date.parse(end.at) - Date.now() : Number.POSITIVE_INFINITY;
    if (inMs < DAY_MS && typeof document !== "undefined") {
      this.#nextEnd = setTimeout(this.refresh, Math.max(inMs, 0) + 250);
    }
  }

  readonly #look = () => {
    if (document.visibilityState === "visible") void this.refresh();
  };

  protected override onFirst(): void {
    if (typeof document === "undefined") return;
    document.addEventListener("visibilitychange", this.#look);
    addEventListener("focus", this.#look);
    void this.refresh();
  }

  protected override onLast(): void {
    if (typeof document === "undefined") return;
    clearTimeout(this.#nextEnd);
    document.removeEventListener("visibilitychange", this.#look);
    removeEventListener("focus", this.#look);
  }
}

const EMPTY: Balance = {
  accountId: "", remainingCredits: 0, totalCredits: 0, usedCredits: 0, heldCredits: 0, availableCredits: 0,
  owedCredits: 0, creditDisplayDecimals: 0,
};
