import { type Api, type CallOptions, type Checkout, type CheckoutRequest, dataOf, keyHeader, type Quote, type Session,
  signalOf, type WriteOptions } from "./api.js";
import { TopupError } from "./errors.js";
import { pause } from "./pause.js";

/** For waiting. */
export interface WaitOptions extends CallOptions {
  /** After how many milliseconds to stop waiting: two minutes by default. */
  timeoutMs?: number | undefined;
  /** Called with every state that is read. */
  onSession?: ((session: Session) => void) | undefined;
}

/** States after which nothing changes any more. */
export const isFinal = ({ state }: Session): boolean => ["paid", "expired", "failed"].includes(state);

/** For a price. */
export interface QuoteOptions extends CallOptions {
  /** The currency, one of a quote's `currencies`; by default the main one. */
  currency?: string | undefined;
}

/** How a purchase is quoted, opened and looked up. */
export interface Purchasing {
  /**
   * The price of so many credits, line by line; by default of the smallest purchase. It also says what can be bought:
   * `smallestCredits`, `largestCredits`, and multiples of `creditUnitCredits`. Needs no credentials.
   */
  quote(credits?: number, options?: QuoteOptions): Promise<Quote>;
  /** Opens a checkout. Send the customer to its `url`. */
  checkout(request: CheckoutRequest, options?: WriteOptions): Promise<Checkout>;
  /** The state of a purchase, by the id of its checkout session. The only proof of a payment. */
  session(id: string, options?: CallOptions): Promise<Session>;
}

/** How a purchase is quoted, opened and followed. */
export interface Buying extends Purchasing {
  /**
   * Reads the state until it is final (`paid`, `expired` or `failed`), often at first. After `timeoutMs` it returns the
   * last state: a bank may take days (`processing`), and a checkout may stay open.
   */
  waitForSession(id: string, options?: WaitOptions): Promise<Session>;
}

export function purchasing(api: Pick<Api, "GET" | "POST">, accountId?: string): Purchasing {
  return {
    quote: (credits, options = {}) => {
      const query = {
        ...(credits === undefined ? {} : { credits }),
        ...(options.currency === undefined ? {} : { currency: options.currency }),
      };
      return dataOf(api.GET("/credits/quote", { params: { query }, ...signalOf(options) }));
    },
    checkout: (request, options = {}) => {
      const body = accountId === undefined ? request : { accountId, ...request };
      const params = { header: keyHeader(options) };
      return dataOf(api.POST("/credits/sessions", { params, body, ...signalOf(options) }));
    },
    session: (id, options = {}) =>
      dataOf(api.GET("/credits/sessions/{id}", { params: { path: { id } }, ...signalOf(options) })),
  };
}

export function buying(api: Api, accountId?: string): Buying {
  const calls = purchasing(api, accountId);
  return {
    ...calls,
    waitForSession: async (id, { timeoutMs = 120_000, onSession, signal } = {}) => {
      const endMs = Date.now() + timeoutMs;
      for (let waitMs = 500; ; waitMs = Math.min(waitMs * 1.5, 5_000)) {
        const now = await calls.session(id, { signal }).catch((error: unknown) => {
          // What passes by itself is no reason to give up; the time is.
          if (error instanceof TopupError && error.mayPass && Date.now() + waitMs < endMs) return undefined;
          throw error;
        });
        if (now) onSession?.(now);
        if (now && (isFinal(now) || Date.now() + waitMs >= endMs)) return now;
        await pause(waitMs, signal);
      }
    },
  };
}
