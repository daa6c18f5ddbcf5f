import { type Api, type AutoTopup, type AutoTopupRequest, type CallOptions, type CardPageRequest, type Checkout, dataOf,
  type SavedCard, signalOf } from "./api.js";

/** How cards are charged when credits run low. */
export interface Charging {
  /** The saved cards, newest first. */
  cards(options?: CallOptions): Promise<SavedCard[]>;
  /** Opens a page on which the customer saves a card. Send the customer to its `url`. */
  saveCard(request: CardPageRequest, options?: CallOptions): Promise<Checkout>;
  /** Whether credits are bought by themselves, by which rules, and the last attempts. */
  autoTopup(options?: CallOptions): Promise<AutoTopup>;
  /** Turns that on, with all rules and the customer's consent, or off. */
  setAutoTopup(request: AutoTopupRequest, options?: CallOptions): Promise<AutoTopup>;
  /** Opens the page on which the customer confirms a payment that the bank asked about. */
  confirmPayment(request: CardPageRequest, options?: CallOptions): Promise<Checkout>;
}

/** How cards are saved, and charged when credits run low. */
export interface Cards extends Charging {
  /** Makes a card the one that is charged where none is named. */
  setDefaultCard(id: string, options?: CallOptions): Promise<SavedCard[]>;
  /** Removes a card for good. */
  removeCard(id: string, options?: CallOptions): Promise<void>;
}

const queryOf = (accountId?: string): { accountId?: string } => (accountId === undefined ? {} : { accountId });

export function charging(api: Pick<Api, "GET" | "POST" | "PUT">, accountId?: string): Charging {
  const query = queryOf(accountId);
  const named = <Body extends object>(body: Body): Body => ({ ...query, ...body });
  return {
    cards: async (options = {}) =>
      (await dataOf(api.GET("/payment-methods", { params: { query }, ...signalOf(options) }))).data,
    saveCard: (request, options = {}) =>
      dataOf(api.POST("/payment-methods/sessions", { body: named(request), ...signalOf(options) })),
    autoTopup: (options = {}) => dataOf(api.GET("/auto-topup", { params: { query }, ...signalOf(options) })),
    setAutoTopup: (request, options = {}) =>
      dataOf(api.PUT("/auto-topup", { body: named(request), ...signalOf(options) })),
    confirmPayment: (request, options = {}) =>
      dataOf(api.POST("/auto-topup/recovery", { body: named(request), ...signalOf(options) })),
  };
}

export function cards(api: Pick<Api, "GET" | "POST" | "PUT" | "DELETE">, accountId?: string): Cards {
  const query = queryOf(accountId);
  return {
    ...charging(api, accountId),
    setDefaultCard: async (id, options = {}) => {
      const body = { ...query, paymentMethodId: id };
      return (await dataOf(api.PUT("/payment-methods/default", { body, ...signalOf(options) }))).data;
    },
    removeCard: (id, options = {}) => {
      const params = { path: { id }, query };
      return dataOf<unknown>(api.DELETE("/payment-methods/{id}", { params, ...signalOf(options) }))
        .then(() => undefined);
    },
  };
}
