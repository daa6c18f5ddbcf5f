import { type Api, type CallOptions, dataOf, type Quote, signalOf } from "../api.js";
import { type Charging, charging } from "../cards.js";
import { smallCalls } from "../small_api.js";
import type { TopupOptions } from "../transport.js";

/** What a page with auto top-up asks for, with a customer's token. */
export interface AutoTopupClient extends Charging {
  /** The price of so many credits, with a card of that country; without a number, of the smallest purchase. */
  quote(query: { credits?: number; currency?: string; cardCountry?: string }, options?: CallOptions): Promise<Quote>;
}

/** The part of the client that such pages need. */
export function autoTopupClient(options: TopupOptions): AutoTopupClient {
  const call = smallCalls(options);
  const routes = { GET: call("GET"), POST: call("POST"), PUT: call("PUT") };
  const api = routes as unknown as Pick<Api, "GET" | "POST" | "PUT">;
  return {
    quote: (query, more = {}) => dataOf(api.GET("/credits/quote", { params: { query }, ...signalOf(more) })),
    ...charging(api),
  };
}
