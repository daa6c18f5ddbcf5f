import createClient, { type Client } from "openapi-fetch";
import { errorOf } from "./errors.js";
import type { components, paths } from "./schema.js";
import { sender, type TopupOptions } from "./transport.js";

type Schemas = components["schemas"];

/** The API's routes, typed. Requests have credentials and idempotency keys, and are repeated like all others. */
export type Api = Client<paths>;

/** For single requests. */
export interface CallOptions {
  /** Ends the request, and the pauses between its tries. */
  signal?: AbortSignal | undefined;
}

/** For requests that change something. */
export interface WriteOptions extends CallOptions {
  /**
   * Names the work, so that it is done once however often it is asked for. By default each call gets a key of its own,
   * which covers the repetitions of this call, but not a second call after a crash of yours.
   */
  idempotencyKey?: string | undefined;
}

/** Creates the typed routes. */
export function connect(options: TopupOptions): Api {
  const { protocol } = new URL(options.baseUrl); // throws for what is no address
  if (protocol !== "https:" && protocol !== "http:") {
    throw new TypeError(`topup: baseUrl must be http(s), not ${protocol}`);
  }
  return createClient<paths>({ baseUrl: options.baseUrl.replace(/\/+$/, ""), fetch: sender(options) });
}

/** The data of an answer; throws the error of a refusal. */
export async function dataOf<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw errorOf(response, error);
  return data as T;
}

/** The header that carries a key of the caller's own. */
export const keyHeader = ({ idempotencyKey }: WriteOptions): { "idempotency-key": string } =>
  // Without a key of the caller's, `sender` makes one.
  (idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }) as { "idempotency-key": string };

/** Options without those that are undefined, for `openapi-fetch`. */
export const signalOf = ({ signal }: CallOptions): { signal?: AbortSignal } => (signal ? { signal } : {});

/** A number of credits and its price, line by line, in minor units of the currency. */
export type Quote = Schemas["Quote"];
/** What to buy, and where the customer goes afterwards. */
export type CheckoutRequest = Schemas["CreateSession"];
/** An open checkout: send the customer to its `url`. */
export type Checkout = Schemas["CreatedSession"];
/** The state of a purchase. */
export type Session = Schemas["Session"];
/** The balance of an account. */
export type Balance = Schemas["Credits"];
/** An account's credits after a request that spends. */
export type AccountBalance = Schemas["AccountBalance"];
/** A ledger entry. */
export type Transaction = Schemas["Transaction"];
/** Credits of one origin. */
export type Grant = Schemas["Grant"];
/** A limit of spending, and what counts against it. */
export type Limit = Schemas["Limit"];
/** Whether an account could spend. */
export type Access = Schemas["Access"];
/** What an account spent, by hour, day, operation or subject. */
export type Usage = Schemas["Usage"];
/** Opening, sums by kind, and closing of a time. */
export type Statement = Schemas["Statement"];
/** How many credits to take, and for what. */
export type DebitRequest = Schemas["CreateDebit"];
/** Credits that were taken. */
export type Spend = Schemas["Spend"];
/** How many credits to reserve, for how long, and for what. */
export type HoldRequest = Schemas["CreateHold"];
/** Credits that are reserved. */
export type Hold = Schemas["Hold"];
/** The new totals of a hold. */
export type ExtendRequest = Schemas["ExtendHold"];
/** What work came to. */
export type CaptureRequest = Schemas["CaptureHold"];
/** A debit of a batch. */
export type BatchItem = Schemas["BatchItem"];
/** Spent credits that were given back. */
export type SpendRefund = Schemas["SpendRefund"];
/** Credits that an operator gives. */
export type GrantRequest = Schemas["CreateGrant"];
/** A saved card. */
export type SavedCard = Schemas["SavedCard"];
/** Where the customer goes after a page. */
export type CardPageRequest = Schemas["CreateCardSetup"];
/** An account's auto top-up. */
export type AutoTopup = Schemas["AutoTopup"];
/** When to buy credits by itself, how many, and how often at most. */
export type AutoTopupRequest = Schemas["SetAutoTopup"];
/** A plan: a price for a period, and the credits that a paid period brings. */
export type Plan = Schemas["Plan"];
/** A subscription to a plan. */
export type Subscription = Schemas["Subscription"];
/** A subscription with its invoices and what its periods brought. */
export type SubscriptionDetails = Schemas["SubscriptionDetails"];
/** What to subscribe to, and where the customer goes afterwards. */
export type SubscribeRequest = Schemas["CreateSubscriptionSession"];
/** The plan to change to. */
export type ChangePlanRequest = Schemas["ChangePlan"];
/** What a change of the plan would cost. */
export type ChangePreview = Schemas["ChangePreview"];
/** Where the customer goes after the portal, and what to do there. */
export type PortalRequest = Schemas["CreatePortalSession"];
/** What an account is entitled to. */
export type Entitlement = Schemas["Entitlement"];
/** What of a purchase to refund. */
export type RefundRequest = Schemas["CreateRefund"];
/** A refund of a purchase. */
export type Refund = Schemas["Refund"];
