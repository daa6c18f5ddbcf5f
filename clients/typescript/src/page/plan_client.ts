import { type Api, dataOf, type Quote } from "../api.js";
import { smallCalls } from "../small_api.js";
import { type PlanCalls, planCalls } from "../subscribing.js";
import type { TopupOptions } from "../transport.js";

/** What a page with plans asks for, with a customer's token. */
export interface PagePlanClient extends PlanCalls {
  /** How credits are counted, and the main currency. */
  quote(): Promise<Quote>;
}

/** The part of the client that such pages need. */
export function planClient(options: TopupOptions): PagePlanClient {
  const call = smallCalls(options);
  const api = { GET: call("GET"), POST: call("POST") } as unknown as Pick<Api, "GET" | "POST">;
  return { quote: () => dataOf(api.GET("/credits/quote", { params: { query: {} } })), ...planCalls(api) };
}
