// The client of Topup, for pages (with a customer's token) and for servers (with an API key).

import { type Api, type CallOptions, connect, dataOf, type Entitlement, type Grant, type GrantRequest, keyHeader,
  type Limit, type Refund, type RefundRequest, signalOf, type WriteOptions } from "./api.js";
import { type Buying, buying } from "./buying.js";
import { type Cards, cards } from "./cards.js";
import { type Reading, reading } from "./reading.js";
import { entitlementOf, type Subscribing, subscribing } from "./subscribing.js";
import { type Spending, spending, type Works, works } from "./spending.js";
import type { TopupOptions } from "./transport.js";

/** A limit's period. Days and months are those of UTC. */
export type LimitPeriod = "day" | "month" | "total";

/** One account, as a server sees it. */
export interface Account extends Buying, Cards, Reading, Spending, Subscribing {
  /** Its id. */
  readonly id: string;
  /** Sets how many credits the account, or a subject within it, may spend in a period. */
  setLimit(period: LimitPeriod, credits: number, options?: CallOptions & { subject?: string }): Promise<Limit>;
  /** Removes such a limit. */
  removeLimit(period: LimitPeriod, options?: CallOptions & { subject?: string }): Promise<void>;
  /** What it is entitled to: plan, status, and credits. */
  entitlement(options?: CallOptions): Promise<Entitlement>;
  /** Gives credits that may end. Needs the scope `admin`. */
  grant(request: GrantRequest, options?: WriteOptions): Promise<Grant>;
}

/** A client of Topup. Its own methods are about the token's account, or the one that the API key is bound to. */
export interface Topup extends Buying, Cards, Reading, Subscribing, Works {
  /** Another account, for servers. */
  account(id: string): Account;
  /** Refunds a purchase through Stripe. Needs the scope `admin`. */
  refundTopup(id: string, request?: RefundRequest, options?: WriteOptions): Promise<Refund>;
  /** All routes of the API, typed, for what has no method here. Answers are `{ data, error, response }`. */
  readonly api: Api;
}

/** Creates a client. Nothing is sent yet. */
export function topup(options: TopupOptions): Topup {
  const api = connect(options);
  return {
    ...buying(api),
    ...cards(api),
    ...reading(api),
    ...subscribing(api),
    ...works(api),
    account: (id) => account(api, id),
    refundTopup: (id, request = {}, write = {}) => {
      const params = { path: { id }, header: keyHeader(write) };
      return dataOf(api.POST("/admin/topups/{id}/refunds", { params, body: request, ...signalOf(write) }));
    },
    api,
  };
}

function account(api: Api, id: string): Account {
  if (id === "") throw new TypeError("topup: an account needs an id");
  const limit = (period: LimitPeriod, { subject, ...options }: CallOptions & { subject?: string }) => {
    const query = subject === undefined ? {} : { subject };
    return { params: { path: { accountId: id, period }, query }, ...signalOf(options) };
  };
  return {
    id,
    ...buying(api, id),
    ...cards(api, id),
    ...reading(api, id),
    ...spending(api, id),
    ...subscribing(api, id),
    entitlement: (options = {}) => entitlementOf(api, id, options),
    setLimit: (period, credits, options = {}) =>
      dataOf(api.PUT("/accounts/{accountId}/credits/limits/{period}",
        { ...limit(period, options), body: { credits } })),
    removeLimit: (period, options = {}) =>
      dataOf<unknown>(api.DELETE("/accounts/{accountId}/credits/limits/{period}", limit(period, options)))
        .then(() => undefined),
    grant: (request, options = {}) => {
      const params = { path: { accountId: id }, header: keyHeader(options) };
      return dataOf(api.POST("/admin/accounts/{accountId}/grants", { params, body: request, ...signalOf(options) }));
    },
  };
}

export type * from "./api.js";
export type { BatchDebit, BatchOutcome, Spending, SpendRefundRequest, Works } from "./spending.js";
export type { Cards, Charging } from "./cards.js";
export type { PlanCalls, Subscribing } from "./subscribing.js";
export type { Buying, Purchasing, WaitOptions } from "./buying.js";
export { all, type Page, type PageQuery, type Reading, type Time, type TimeRange } from "./reading.js";
export { CaptureFailed, type Held, type HoldResult } from "./held.js";
export { CODES, type ClientCode, type KnownCode, type TopupErrorCode } from "./codes.js";
export { type FieldError, type ReachedLimit, TopupError } from "./errors.js";
export { formatCredits, formatMoney, parseCredits } from "./format.js";
export type { components, paths } from "./schema.js";
export type { TokenSource, TopupOptions } from "./transport.js";
export { type WebhookEvent, WebhookVerificationError, verifyWebhook } from "./webhooks.js";
