import { Store } from "./store.js";

/**
 * What the service knows of something. While somebody listens, it is read again when the page gets the focus or is
 * shown again, and for a while after something began.
 */
export abstract class WatchingStore<State> extends Store<State> {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isWatched = false;
  #untilMs = 0;
  #waitMs = 0;

  /** Reads it. */
  abstract refresh: () => Promise<void>;

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
