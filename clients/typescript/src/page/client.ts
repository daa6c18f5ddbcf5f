import { type Purchasing, purchasing } from "../buying.js";
import { ownReading, type Reading } from "../reading.js";
import { type SmallApi, smallCalls } from "../small_api.js";
import type { TopupOptions } from "../transport.js";

/** What a page may do with a customer's token: buy and look. */
export interface PageClient extends Purchasing, Reading {}

/** The part of the client that pages need, without what spends. */
export function pageClient(options: TopupOptions): PageClient {
  const call = smallCalls(options);
  const api = { GET: call("GET"), POST: call("POST") } as unknown as SmallApi;
  return { ...purchasing(api), ...ownReading(api) };
}
