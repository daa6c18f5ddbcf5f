// How requests are sent: credentials, an idempotency key for each write, a time limit for each try, and repetition.
//
// A repetition always sends the same idempotency key. So it is safe also where the first answer was lost: what was done
// is not done twice.

import { problemOf, retryAfterSeconds, TopupError } from "./errors.js";
import { pause } from "./pause.js";

/** A customer's token, or a function that gets it from your login: called for each request, so it should cache. */
export type TokenSource = string | ((request: { refresh: boolean }) => string | Promise<string>);

/** How a client reaches the service. */
export interface TopupOptions {
  /** The address of the service, such as `https://credits.example.com`. */
  baseUrl: string;
  /**
   * The customer's token. A function is called for each request; after a 401 once more with `refresh: true`, for a new
   * token. Use this in pages.
   */
  token?: TokenSource | undefined;
  /** An API key from `topup keys create`. Never in a page. */
  apiKey?: string | undefined;
  /** The time limit of one try, in milliseconds: 15,000 by default. */
  timeoutMs?: number | undefined;
  /** How often a request is sent at most: 5 times by default; 1 for no repetition. */
  maxTries?: number | undefined;
  /**
   * How long to wait between tries, all pauses together, in milliseconds: 30,000 by default. If the service asks for a
   * longer pause (`Retry-After`), the error is thrown at once, with `retryAfterSeconds`.
   */
  maxWaitMs?: number | undefined;
  /** Instead of the global `fetch`. */
  fetch?: ((request: Request) => Promise<Response>) | undefined;
}

const FIRST_PAUSE_MS = 250;
/** Routes that need no credentials, so that a page can show prices before anyone has logged in. */
const PUBLIC = ["/credits/quote", "/health/live", "/health/ready", "/plans"];
/** Statuses after which the same request may succeed. A 502 with a problem is a refusal of the payment provider's. */
const PASSING = [408, 429, 503, 504];

/** The answer of one try with the code of its problem, or the reason why there is none. */
type Outcome = { response: Response; code: string | undefined; error?: undefined }
  | { response?: undefined; error: TopupError };

/** A `fetch` that adds credentials and keys, and repeats what may be repeated. */
export function sender(options: TopupOptions): (request: Request) => Promise<Response> {
  if (options.token !== undefined && options.apiKey !== undefined) {
    throw new TypeError("topup: give a token or an apiKey, not both");
  }
  const send = options.fetch ?? ((request: Request) => globalThis.fetch(request));
  const { timeoutMs = 15_000, maxTries = 5, maxWaitMs = 30_000 } = options;
  const base = new URL(options.baseUrl).pathname.replace(/\/+$/, "");

  return async (request) => {
    const { signal } = request;
    const needsCredentials = !PUBLIC.includes(new URL(request.url).pathname.slice(base.length));
    if (request.method === "POST" && !request.headers.has("idempotency-key")) {
      request.headers.set("idempotency-key", crypto.randomUUID());
    }
    let waitedMs = 0;
    let refresh = false;
    for (let tries = 1; ; tries += 1) {
      const attempt = request.clone();
      if (needsCredentials) await authorize(attempt.headers, options, refresh);
      const outcome = await tryOnce(send, attempt, signal, timeoutMs);
      const { response } = outcome;
      if (response?.status === 401 && typeof options.token === "function" && needsCredentials && !refresh) {
        refresh = true; // once, and without a pause
        continue;
      }
      const pauseMs = pauseBefore(outcome, tries);
      if (pauseMs === undefined || tries >= maxTries || waitedMs + pauseMs > maxWaitMs) {
        if (outcome.error) throw outcome.error;
        return outcome.response;
      }
      await pause(pauseMs, signal);
      waitedMs += pauseMs;
    }
  };
}

async function authorize(headers: Headers, { token, apiKey }: TopupOptions, refresh: boolean): Promise<void> {
  if (apiKey !== undefined) headers.set("x-api-key", apiKey);
  if (token === undefined) return;
  try {
    headers.set("authorization", `Bearer ${typeof token === "function" ? await token({ refresh }) : token}`);
  } catch (cause) {
    throw new TopupError("token_unavailable", "the customer's token could not be had", { cause });
  }
}

/** Sends a request once and reads its whole answer, so that one that breaks off counts as lost. */
async function tryOnce(
  send: (request: Request) => Promise<Response>,
  request: Request,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Outcome> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const onAbort = () => limit.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    limit.abort();
  }, timeoutMs);
  try {
    const response = await send(new Request(request, { signal: limit.signal }));
    const text = await response.text();
    const { status, statusText, headers } = response;
    const body = [204, 205, 304].includes(status) ? null : text;
    const code = response.ok ? undefined : problemOf(text)?.code;
    return { response: new Response(body, { status, statusText, headers }), code };
  } catch (cause) {
    signal.throwIfAborted();
    const error = isLate
      ? new TopupError("timeout", `no answer within ${timeoutMs} ms`, { cause })
      : new TopupError("network_error", "the service cannot be reached, or its answer broke off", { cause });
    return { error };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** The pause before the next try; undefined if the outcome is final. */
function pauseBefore(outcome: Outcome, tries: number): number | undefined {
  // Half of it by chance, so that clients that failed together do not come back together.
  const backoffMs = FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2);
  if (outcome.error) return backoffMs;
  const { response, code } = outcome;
  const isProxy = response.status === 502 && code === undefined;
  if (!PASSING.includes(response.status) && !isProxy && code !== "idempotency_key_in_use") return undefined;
  return Math.max(backoffMs, 1_000 * (retryAfterSeconds(response.headers, Date.now()) ?? 0));
}
