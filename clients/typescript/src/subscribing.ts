import { type Api, type CallOptions, type ChangePlanRequest, type ChangePreview, type Checkout, dataOf,
  type Entitlement, keyHeader, type Plan, type PortalRequest, signalOf, type SubscribeRequest, type Subscription,
  type SubscriptionDetails, type WriteOptions } from "./api.js";

/** What a page's customer does with plans. */
export interface PlanCalls {
  /** The plans that are sold. Needs no credentials. */
  plans(options?: CallOptions): Promise<Plan[]>;
  /** The account's subscriptions, newest first, also ended ones. */
  subscriptions(options?: CallOptions): Promise<Subscription[]>;
  /** Opens a checkout for a plan. Send the customer to its `url`. */
  subscribe(request: SubscribeRequest, options?: WriteOptions): Promise<Checkout>;
  /** What a change of the plan would cost, and when it would take effect. */
  previewChange(id: string, planId: string, options?: CallOptions): Promise<ChangePreview>;
  /** Changes the plan. With the `prorationDate` of a preview, what is paid is what was shown. */
  changePlan(id: string, request: ChangePlanRequest, options?: CallOptions): Promise<Subscription>;
  /** Ends a subscription with the period that is paid, or at once, which needs the scope `admin`. */
  cancelSubscription(id: string, options?: CallOptions & { at?: "period_end" | "now" }): Promise<Subscription>;
  /** Lets a subscription go on whose end was decided. */
  resumeSubscription(id: string, options?: CallOptions): Promise<Subscription>;
  /** Opens the payment provider's portal, for one visitor. Send the customer to the address at once. */
  portal(request: PortalRequest, options?: CallOptions): Promise<string>;
}

/** Plans and subscriptions. */
export interface Subscribing extends PlanCalls {
  /** A subscription with its invoices and what its periods brought. */
  subscription(id: string, options?: CallOptions): Promise<SubscriptionDetails>;
}

const queryOf = (accountId?: string): { accountId?: string } => (accountId === undefined ? {} : { accountId });

export function planCalls(api: Pick<Api, "GET" | "POST">, accountId?: string): PlanCalls {
  const query = queryOf(accountId);
  return {
    plans: async (options = {}) => (await dataOf(api.GET("/plans", signalOf(options)))).data,
    subscriptions: async (options = {}) =>
      (await dataOf(api.GET("/subscriptions", { params: { query }, ...signalOf(options) }))).data,
    subscribe: (request, options = {}) => {
      const init = { params: { header: keyHeader(options) }, body: { ...query, ...request } };
      return dataOf(api.POST("/subscriptions/sessions", { ...init, ...signalOf(options) }));
    },
    previewChange: (id, planId, options = {}) => {
      const params = { path: { id }, query: { planId } };
      return dataOf(api.GET("/subscriptions/{id}/change/preview", { params, ...signalOf(options) }));
    },
    changePlan: (id, body, options = {}) =>
      dataOf(api.POST("/subscriptions/{id}/change", { params: { path: { id } }, body, ...signalOf(options) })),
    cancelSubscription: (id, { at = "period_end", ...options } = {}) =>
      dataOf(api.POST("/subscriptions/{id}/cancel", { params: { path: { id } }, body: { at }, ...signalOf(options) })),
    resumeSubscription: (id, options = {}) =>
      dataOf(api.POST("/subscriptions/{id}/resume", { params: { path: { id } }, ...signalOf(options) })),
    portal: async (request, options = {}) =>
      (await dataOf(api.POST("/portal/sessions", { body: { ...query, ...request }, ...signalOf(options) }))).url,
  };
}

/** What an account is entitled to: everything that a backend gates on, in one answer. */
export const entitlementOf = (api: Pick<Api, "GET">, accountId: string, options: CallOptions): Promise<Entitlement> =>
  dataOf(api.GET("/accounts/{accountId}/entitlement", { params: { path: { accountId } }, ...signalOf(options) }));

export function subscribing(api: Pick<Api, "GET" | "POST">, accountId?: string): Subscribing {
  return {
    ...planCalls(api, accountId),
    subscription: (id, options = {}) =>
      dataOf(api.GET("/subscriptions/{id}", { params: { path: { id } }, ...signalOf(options) })),
  };
}
