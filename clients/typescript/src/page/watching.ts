import { asError, Store } from "./store.js";

/** What can be read, and changed by the customer. */
export interface WatchedState {
  isLoading: boolean;
  /** Whether a change is under way. */
  isChanging: boolean;
  /** Why it could not be read. After an error, what was read last stays. */
  error: Error | undefined;
  /** Why the last change failed. */
  changeError: Error | undefined;
}

export const UNKNOWN: WatchedState = { isLoading: false, isChanging: false, error: undefined, changeError: undefined };

/**
 * What the service knows of something, and changes, one at a time. While somebody listens, it is read again when the
 * page gets the focus or is shown again, and for a while after something began.
 */
export abstract class WatchingStore<State extends WatchedState> extends Store<State> {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isWatched = false;
  #untilMs = 0;
  #waitMs = 0;
  #count = 0;

  refresh = async (): Promise<void> => {
    const count = ++this.#count;
    this.set({ ...this.state, isLoading: true });
    const news = await this.read().catch((error: unknown) => ({ error: asError(error) }) as Partial<State>);
    if (count === this.#count) this.show({ ...news, isLoading: false });
  };

  /** Reads all of it; an error within may stand in the answer. */
  protected abstract read(): Promise<Partial<State>>;

  /** Shows what was read. */
  protected show(news: Partial<State>): void {
    this.#count += 1; // a read that is under way is older
    this.set({ ...this.state, ...news });
  }

  /** Does something that the customer waits for. What it led to; nothing if it failed. */
  protected async doing<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.state.isChanging) return undefined;
    this.set({ ...this.state, isChanging: true, changeError: undefined });
    let changeError: Error | undefined;
    const result = await work().catch((error: unknown) => void (changeError = asError(error)));
    this.set({ ...this.state, isChanging: false, changeError });
    return result as Result | undefined;
  }

  /** Reads it again soon, and for so long. */
  protected expectNews(durationMs: number): void {
    this.#untilMs = Date.now() + durationMs;
    this.#waitMs = 500;
    this.lookAgain(false);
  }

  /** Plans the next reading, if news is expected, or something is under way. Call it after each reading. */
  protected lookAgain(isUnderWay: boolean): void {
    clearTimeout(this.#timer);
    if (!this.#isWatched || !(isUnderWay || Date.now() < this.#untilMs)) return;
    this.#waitMs = Math.min(Math.max(this.#waitMs, 500) * 1.5, 15_000);
    this.#timer = setTimeout(this.refresh, this.#waitMs);
  }

  readonly #look = () => {
    if (document.visibilityState === "visible") void this.refresh();
  };

  protected override onFirst(): void {
    if (typeof document === "undefined") return;
    this.#isWatched = true;
    document.addEventListener("visibilitychange", this.#look);
    addEventListener("focus", this.#look);
    void this.refresh();
  }

  protected override onLast(): void {
    if (typeof document === "undefined") return;
    this.#isWatched = false;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#look);
    removeEventListener("focus", this.#look);
  }
}
