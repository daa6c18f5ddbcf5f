// Webhooks as Topup sends them, in the form of Standard Webhooks (https://www.standardwebhooks.com). WebCrypto only, so
// that it also runs where there is no Node.js.

/** A message of Topup's. */
export interface WebhookEvent<Type extends string = string, Data = Record<string, unknown>> {
  /** Such as `topup.paid` or `balance.low`. */
  type: Type;
  /** When it happened, RFC 3339. */
  timestamp: string;
  data: Data;
}

/** Why a message is not believed. */
export type WebhookErrorCode = "missing_header" | "invalid_timestamp" | "too_old" | "too_new" | "no_matching_signature"
  | "invalid_body";

/** A message is not believed: answer 400 and do nothing. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly code: WebhookErrorCode;

  constructor(code: WebhookErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The headers of a request: `Headers`, or an object as Node.js and Express have it. */
export type WebhookHeaders = Headers | Record<string, string | readonly string[] | undefined>;

/** How strictly to verify. */
export interface VerifyOptions {
  /** How far the message's time may be from now, in seconds: five minutes by default. */
  toleranceSeconds?: number | undefined;
  /** The time now, in milliseconds. */
  nowMs?: number | undefined;
}

const PREFIX = "whsec_";

/**
 * Verifies a message and returns it. `body` is the body as it came, before any parsing. While a secret is rotated, give
 * both. Remember `webhook-id`: a message may come more than once.
 *
 * Throws `WebhookVerificationError` if the message is not believed, and `TypeError` if a secret is none.
 */
export async function verifyWebhook<Event extends WebhookEvent = WebhookEvent>(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  { toleranceSeconds = 300, nowMs = Date.now() }: VerifyOptions = {},
): Promise<Event> {
  const secrets = (typeof secret === "string" ? [secret] : secret).map(bytesOf);
  if (secrets.length === 0) throw new TypeError("topup: a secret is needed");
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => {
    const value = headerOf(headers, name);
    if (!value) throw new WebhookVerificationError("missing_header", `the header ${name} is missing`);
    return value;
  }) as [string, string, string];
  if (!/^\d{1,15}$/.test(timestamp)) {
    throw new WebhookVerificationError("invalid_timestamp", "webhook-timestamp is no number of seconds");
  }
  const ageSeconds = Math.floor(nowMs / 1_000) - Number(timestamp);
  if (ageSeconds > toleranceSeconds) throw new WebhookVerificationError("too_old", "the message is too old");
  if (-ageSeconds > toleranceSeconds) throw new WebhookVerificationError("too_new", "the message is from the future");

  const content = joined(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  const given = signatures.split(" ").map(signatureOf).filter((signature) => signature !== undefined);
  for (const bytes of secrets) {
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    for (const signature of given) {
      // WebCrypto compares in constant time.
      if (await crypto.subtle.verify("HMAC", key, signature, content)) return parsed(body) as Event;
    }
  }
  throw new WebhookVerificationError("no_matching_signature", "no signature matches");
}

function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof found === "object" ? found.join(" ") : found;
}

/** The bytes of a secret, which is base64 with a prefix. */
function bytesOf(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  // The message must not contain the secret.
  if (!bytes || bytes.length < 16) {
    throw new TypeError("topup: a webhook secret is `whsec_` and base64 of 16 bytes or more");
  }
  return bytes;
}

/** The bytes of `v1,<base64>`; other versions are not ours to check, and another signature may still match. */
function signatureOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  return text.startsWith("v1,") ? fromBase64(text.slice(3)) : undefined;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function joined(head: Uint8Array, body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const tail = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const all = new Uint8Array(head.length + tail.length);
  all.set(head);
  all.set(tail, head.length);
  return all;
}

function parsed(body: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
  } catch {
    throw new WebhookVerificationError("invalid_body", "the signature matches, but the body is no JSON");
  }
}
