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

/** What sends them, by method. Answers are those of `openapi-fetch`: `{ data, error, response }`. */
export function smallCalls(options: TopupOptions) {
  const send = sender(options);
  const base = options.baseUrl.replace(/\/+$/, "");
  return (method: string) => async (route: string, init: Init = {}) => {
    const { params = {}, headers, body, parseAs, signal } = init;
    const path = route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params.path?.[name] ?? ""));
    const query = new URLSearchParams(params.query as Record<string, string>).toString();
    const response = await send(new Request(base + path + (query && `?${query}`), {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...params.header, ...headers },
      body: JSON.stringify(body), // without a body, of undefined: undefined
      ...(signal ? { signal } : {}),
    }));
    const text = await response.text();
    if (!response.ok) return { error: text, response };
    return { data: parseAs === "text" ? text : text && JSON.parse(text), response };
  };
}
