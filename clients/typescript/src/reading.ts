import { type Access, type Api, type Balance, type CallOptions, dataOf, type Grant, type Limit, signalOf,
  type Statement, type Transaction, type Usage } from "./api.js";

/** A page of a list. Pass `nextCursor` as `cursor` for the next one; it is null on the last. */
export interface Page<T> {
  data: T[];
  nextCursor?: string | null;
}

/** Which page of a list, and how many entries, at most 100. */
export interface PageQuery extends CallOptions {
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** A time: RFC 3339, or a `Date`. */
export type Time = string | Date;

/** `to` is not included, and is now by default. */
export interface TimeRange extends CallOptions {
  from: Time;
  to?: Time | undefined;
}

/** What can be read of an account. */
export interface Reading {
  balance(options?: CallOptions): Promise<Balance>;
  /** The ledger, newest first. */
  transactions(query?: PageQuery): Promise<Page<Transaction>>;
  /** What remains of each purchase and promotion; `state: "all"` also lists those that are used up or ended. */
  grants(query?: PageQuery & { state?: "open" | "all" }): Promise<Page<Grant>>;
  limits(query?: PageQuery & { subject?: string }): Promise<Page<Limit>>;
  /** Whether a debit of so many credits would succeed now. It promises nothing: work that needs them takes a hold. */
  access(query: CallOptions & { credits: number; subject?: string }): Promise<Access>;
  usage(query: TimeRange & { by?: "hour" | "day" | "operation" | "subject" }): Promise<Usage>;
  statement(range: TimeRange): Promise<Statement>;
  /** The statement with every entry, as CSV. */
  statementCsv(range: TimeRange): Promise<string>;
}

/** All entries of a list, page by page: `for await (const entry of all((query) => client.transactions(query)))`. */
export async function* all<T>(read: (query: PageQuery) => Promise<Page<T>>, limit = 100): AsyncGenerator<T, void> {
  for (let cursor: string | undefined; ; ) {
    const page = await read({ limit, cursor });
    yield* page.data;
    if (!page.nextCursor) return;
    cursor = page.nextCursor;
  }
}

const text = (time: Time): string => (typeof time === "string" ? time : time.toISOString());
const range = ({ from, to }: TimeRange) =>
  (to === undefined ? { from: text(from) } : { from: text(from), to: text(to) });

/** A query without what is undefined, and without the signal. */
function query<T extends object>({ signal, ...rest }: T & CallOptions): never {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as never;
}

/** The reads of the caller's own account, or of another one, whose id stands in the path. */
export function reading(api: Api, accountId?: string): Reading {
  if (accountId === undefined) return ownReading(api);
  const path = { accountId };
  const init = <T extends CallOptions>(options: T) =>
    ({ params: { path, query: query(options) }, ...signalOf(options) });
  return {
    balance: (o = {}) => dataOf(api.GET("/accounts/{accountId}/credits", { params: { path }, ...signalOf(o) })),
    transactions: (o = {}) => dataOf(api.GET("/accounts/{accountId}/credits/transactions", init(o))),
    grants: (o = {}) => dataOf(api.GET("/accounts/{accountId}/credits/grants", init(o))),
    limits: (o = {}) => dataOf(api.GET("/accounts/{accountId}/credits/limits", init(o))),
    access: (o) => dataOf(api.GET("/accounts/{accountId}/credits/access", init(o))),
    usage: (o) => dataOf(api.GET("/accounts/{accountId}/credits/usage", init({ ...o, ...range(o) }))),
    statement: (o) => json(api.GET("/accounts/{accountId}/credits/statement", init({ ...o, ...range(o) }))),
    statementCsv: (o) => csv(api.GET("/accounts/{accountId}/credits/statement",
      { ...init({ ...o, ...range(o) }), ...AS_CSV })),
  };
}

/** The reads of the caller's own account. */
export function ownReading(api: Pick<Api, "GET">): Reading {
  const init = <T extends CallOptions>(options: T) => ({ params: { query: query(options) }, ...signalOf(options) });
  return {
    balance: (o = {}) => dataOf(api.GET("/credits", signalOf(o))),
    transactions: (o = {}) => dataOf(api.GET("/credits/transactions", init(o))),
    grants: (o = {}) => dataOf(api.GET("/credits/grants", init(o))),
    limits: (o = {}) => dataOf(api.GET("/credits/limits", init(o))),
    access: (o) => dataOf(api.GET("/credits/access", init(o))),
    usage: (o) => dataOf(api.GET("/credits/usage", init({ ...o, ...range(o) }))),
    statement: (o) => json(api.GET("/credits/statement", init({ ...o, ...range(o) }))),
    statementCsv: (o) => csv(api.GET("/credits/statement", { ...init({ ...o, ...range(o) }), ...AS_CSV })),
  };
}

const AS_CSV = { headers: { accept: "text/csv" }, parseAs: "text" } as const;
type Answer = Promise<{ data?: unknown; error?: unknown; response: Response }>;
// The description says that a statement is JSON or text, by the request's `accept`.
const csv = (answer: Answer): Promise<string> => dataOf<unknown>(answer) as Promise<string>;
const json = (answer: Answer): Promise<Statement> => dataOf<unknown>(answer) as Promise<Statement>;
