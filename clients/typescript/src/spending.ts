import { type Api, type BatchItem, type CallOptions, type CaptureRequest, dataOf, type DebitRequest, type ExtendRequest,
  type Hold, type HoldRequest, keyHeader, signalOf, type Spend, type SpendRefund, type WriteOptions } from "./api.js";
import { errorOfProblem, TopupError } from "./errors.js";
import { type Held, type HoldResult, spendWith } from "./held.js";

/** A debit of a batch; without a `key` it gets one, which covers the repetitions of this call. */
export type BatchDebit = Omit<BatchItem, "key"> & { key?: string };
/** What became of a debit of a batch: its spend, or the error that a single debit would have thrown. */
export type BatchOutcome = { key: string; spend: Spend; error?: undefined }
  | { key: string; spend?: undefined; error: TopupError };

/** How many credits to give back, and why. */
export interface SpendRefundRequest {
  credits?: number;
  reason?: string;
}

/** Taking and reserving credits of an account. For servers: it needs an API key with the scope `spend`. */
export interface Spending {
  /** Takes credits at once. */
  debit(request: DebitRequest, options?: WriteOptions): Promise<Spend>;
  /** Reserves credits for work whose price is not known yet. */
  hold(request: HoldRequest, options?: WriteOptions): Promise<Hold>;
  /** The holds of the account, newest first. */
  holds(query?: CallOptions & { state?: "open" | "all"; limit?: number; cursor?: string }): Promise<{ data: Hold[] }>;
  /**
   * Reserves credits, does the work, and captures what the work used, also if the work throws. For streams: `use` takes
   * from what is reserved, and extends the hold before it runs out.
   *
   * If the work throws, its error is thrown after the capture. If the capture fails, `CaptureFailed` is thrown: store
   * its `holdId` and `credits`, and capture later.
   */
  withHold<T>(request: HoldRequest, work: (held: Held) => Promise<T>, options?: WriteOptions): Promise<HoldResult<T>>;
}

/** What happens to spends and holds later, by their ids. */
export interface Works {
  /** Up to 100 debits of any accounts. Each is decided by itself; the outcomes are in the order of the debits. */
  debits(items: readonly BatchDebit[], options?: CallOptions): Promise<BatchOutcome[]>;
  /** A spend, with the grants that it came from. */
  spend(id: string, options?: CallOptions): Promise<Spend>;
  /** Gives back credits of a spend; all that were not given back yet, unless `credits` says how many. */
  refundSpend(id: string, request?: SpendRefundRequest, options?: WriteOptions): Promise<SpendRefund>;
  /** A hold. */
  findHold(id: string, options?: CallOptions): Promise<Hold>;
  /** Raises a hold to a new total of credits, lets it live longer, or both. */
  extend(id: string, totals: ExtendRequest, options?: CallOptions): Promise<Hold>;
  /** Takes what the work came to and frees the rest. */
  capture(id: string, credits: number | CaptureRequest, options?: CallOptions): Promise<Spend>;
  /** Frees what is reserved. */
  release(id: string, options?: CallOptions): Promise<Hold>;
}

export function works(api: Api): Works {
  const path = (id: string, options: CallOptions) => ({ params: { path: { id } }, ...signalOf(options) });
  return {
    debits: async (items, options = {}) => {
      const keyed = items.map((item) => ({ ...item, key: item.key ?? crypto.randomUUID() }));
      const body = { items: keyed };
      const { results } = await dataOf(api.POST("/credits/debits/batch", { body, ...signalOf(options) }));
      return keyed.map(({ key }, index): BatchOutcome => {
        const { spend, problem, status } = results[index] ?? { status: 0 };
        if (spend) return { key, spend };
        if (problem) return { key, error: errorOfProblem(status, problem) };
        return { key, error: new TopupError("unexpected_answer", "there is no result for this debit", { status }) };
      });
    },
    spend: (id, options = {}) => dataOf(api.GET("/credits/debits/{id}", path(id, options))),
    refundSpend: (id, request = {}, options = {}) => {
      const params = { path: { id }, header: keyHeader(options) };
      return dataOf(api.POST("/credits/debits/{id}/refunds", { params, body: request, ...signalOf(options) }));
    },
    findHold: (id, options = {}) => dataOf(api.GET("/credits/holds/{id}", path(id, options))),
    extend: (id, totals, options = {}) =>
      dataOf(api.POST("/credits/holds/{id}/extend", { ...path(id, options), body: totals })),
    capture: (id, credits, options = {}) => {
      const body = typeof credits === "number" ? { credits } : credits;
      return dataOf(api.POST("/credits/holds/{id}/capture", { ...path(id, options), body }));
    },
    release: (id, options = {}) => dataOf(api.POST("/credits/holds/{id}/release", path(id, options))),
  };
}

export function spending(api: Api, accountId: string): Spending {
  const path = { accountId };
  const write = (options: WriteOptions) => ({ params: { path, header: keyHeader(options) }, ...signalOf(options) });
  const hold = (request: HoldRequest, options: WriteOptions = {}) =>
    dataOf(api.POST("/accounts/{accountId}/credits/holds", { ...write(options), body: request }));
  return {
    debit: (request, options = {}) =>
      dataOf(api.POST("/accounts/{accountId}/credits/debits", { ...write(options), body: request })),
    hold,
    holds: ({ signal, ...query } = {}) =>
      dataOf(api.GET("/accounts/{accountId}/credits/holds", { params: { path, query }, ...signalOf({ signal }) })),
    withHold: async (request, work, options = {}) => spendWith(works(api), await hold(request, options), request, work),
  };
}
