// The typed routes again, for pages: as little code as can send them. `openapi-fetch` is as large as both elements.

import type { Api } from "./api.js";
import { sender, type TopupOptions } from "./transport.js";

/** What pages use of the routes. */
export type SmallApi = Pick<Api, "GET" | "POST">;

interface Init {
  params?: { path?: Record<string, string>; query?: Record<string, unknown>; header?: Record<string, string> };
  headers?: Record<string, string>;
  body?: unknown;
  parseAs?: string;
  signal?: AbortSignal;
}

/** Creates them. They answer as those of `openapi-fetch` do: `{ data, error, response }`. */
export function connectSmall(options: TopupOptions): SmallApi {
  const send = sender(options);
  const base = options.baseUrl.replace(/\/+$/, "");
  const call = (method: string) => async (route: string, init: Init = {}) => {
    const { params = {}, headers, body, parseAs, signal } = init;
    const path = route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params.path?.[name] ?? ""));
    const query = new URLSearchParams(params.query as Record<string, string>).toString();
    const response = await send(new Request(base + path + (query && `?${query}`), {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...params.header, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    }));
    const text = await response.text();
    if (!response.ok) return { error: text, response };
    return { data: parseAs === "text" ? text : text && JSON.parse(text), response };
  };
  return { GET: call("GET"), POST: call("POST") } as unknown as SmallApi;
}
