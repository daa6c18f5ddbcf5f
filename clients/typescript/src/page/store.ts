/** A value that changes, and those who want to know. Values are replaced, never changed. */
export class Store<State> {
  #state: State;
  readonly #listeners = new Set<() => void>();

  constructor(state: State) {
    this.#state = state;
  }

  get state(): State {
    return this.#state;
  }

  /** Calls the listener after each change, until the returned function is called. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.onFirst();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.onLast();
    };
  };

  protected set(state: State): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Somebody begins to listen. */
  protected onFirst(): void {}

  /** Nobody listens any more. */
  protected onLast(): void {}
}

/** Any error as an `Error`. */
export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
