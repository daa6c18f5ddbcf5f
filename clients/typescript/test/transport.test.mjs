// How requests are sent: keys, repetition, time limits, tokens and errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CODES, TopupError, topup } from "@topup/client";
import { problem, serve } from "./support/server.mjs";

const SPEND = { body: { id: "spend_1", credits: 12 } };
const debit = (client, options) => client.account("user_1").debit({ credits: 12 }, options);
const KEY = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

test("a lost answer is asked for again with the same key", async (t) => {
  const { url, seen } = await serve(t, "reset", "broken", SPEND);
  const spend = await debit(topup({ baseUrl: url, apiKey: "topup_sk_1" }));
  assert.equal(spend.id, "spend_1");
  const keys = seen.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(keys.length, 3);
  assert.match(keys[0], KEY);
  assert.deepEqual(keys, [keys[0], keys[0], keys[0]]);
  assert.deepEqual(seen.map(({ body }) => body), Array(3).fill({ credits: 12 }), "the body comes with each try");
  assert.equal(seen[0].headers["x-api-key"], "topup_sk_1");
  assert.equal(seen[0].url, "/accounts/user_1/credits/debits");
});

test("every write has a key of its own, and the caller's if there is one", async (t) => {
  const { url, seen } = await serve(t, { body: { results: [], id: "x" } });
  const client = topup({ baseUrl: url, apiKey: "k" });
  const account = client.account("user_1");
  const writes = [
    () => account.debit({ credits: 1 }), () => account.hold({ credits: 1 }),
    () => client.extend("hold_1", { credits: 2 }),
    () => client.capture("hold_1", 2), () => client.release("hold_1"), () => client.refundSpend("spend_1"),
    () => account.checkout({ credits: 250, successUrl: "https://a.example" }), () => client.refundTopup("topup_1"),
    () => account.grant({ credits: 1, reason: "Welcome" }), () => client.debits([{ accountId: "user_1", credits: 1 }]),
    () => client.api.POST("/admin/accounts/{accountId}/block",
      { params: { path: { accountId: "user_1" } }, body: { reason: "r" } }),
  ];
  for (const write of writes) await write();
  const keys = seen.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(new Set(keys).size, writes.length);
  for (const key of keys) assert.match(key, KEY);
  await debit(client, { idempotencyKey: "image-81f3" });
  assert.equal(seen.at(-1).headers["idempotency-key"], "image-81f3");
  await client.balance();
  assert.equal(seen.at(-1).headers["idempotency-key"], undefined, "reads have none");
});

for (const [status, code] of [
  [503, "too_busy"], [429, "rate_limited"], [408, "request_timeout"], [504, "provider_timeout"],
  [409, "idempotency_key_in_use"],
]) {
  test(`${status} ${code} is repeated, after the time that the service asks for`, async (t) => {
    const { url, seen } = await serve(t, problem(status, code, {}, { "retry-after": "1" }), SPEND);
    await debit(topup({ baseUrl: url, apiKey: "k" }));
    assert.equal(seen.length, 2);
    assert.ok(seen[1].atMs - seen[0].atMs >= 990, `after ${seen[1].atMs - seen[0].atMs} ms`);
    assert.equal(seen[0].headers["idempotency-key"], seen[1].headers["idempotency-key"]);
  });
}

test("a proxy's 502 is repeated, the payment provider's refusal is not", async (t) => {
  const proxy = await serve(t, { status: 502, body: "<html>", headers: { "content-type": "text/html" } }, SPEND);
  await debit(topup({ baseUrl: proxy.url, apiKey: "k" }));
  assert.equal(proxy.seen.length, 2);
  const provider = await serve(t, problem(502, "provider_refused"));
  await assert.rejects(debit(topup({ baseUrl: provider.url, apiKey: "k" })), { code: "provider_refused", status: 502 });
  assert.equal(provider.seen.length, 1);
});

test("repetition is bounded by tries and by time", async (t) => {
  const busy = await serve(t, problem(503, "too_busy"));
  const client = topup({ baseUrl: busy.url, apiKey: "k", maxTries: 3, maxWaitMs: 60_000 });
  await assert.rejects(debit(client), { code: "too_busy", status: 503 });
  assert.equal(busy.seen.length, 3);
  const long = await serve(t, problem(503, "too_busy", {}, { "retry-after": "31" }));
  const started = performance.now();
  await assert.rejects(debit(topup({ baseUrl: long.url, apiKey: "k" })), { code: "too_busy", retryAfterSeconds: 31 });
  assert.equal(long.seen.length, 1);
  assert.ok(performance.now() - started < 5_000, "a pause that is too long is not begun");
  const atDate = new Date(Date.now() + 60_000).toUTCString();
  const dated = await serve(t, problem(503, "too_busy", {}, { "retry-after": atDate }));
  const error = await debit(topup({ baseUrl: dated.url, apiKey: "k" })).catch((it) => it);
  assert.ok(error.retryAfterSeconds >= 58 && error.retryAfterSeconds <= 60, `${error.retryAfterSeconds}`);
});

test("refusals are not repeated, and say what the service said", async (t) => {
  const limit = { period: "month", credits: 10, usedCredits: 9, heldCredits: 0, resetsAt: "2026-12-01T00:00:00Z" };
  const numbers = { requiredCredits: 12, availableCredits: 5, heldCredits: 3, owedCredits: 0 };
  const { url, seen } = await serve(t,
    problem(402, "spend_limit_reached", { ...numbers, limit }, { "x-request-id": "req_1" }),
    problem(400, "invalid_request", { errors: [{ field: "credits", code: "out_of_range", message: "must be 1" }] }),
    problem(409, "credits_held", numbers, { "retry-after": "1" }), problem(500, "internal_error"));
  const client = topup({ baseUrl: url, apiKey: "k" });
  const limited = await debit(client).catch((error) => error);
  assert.ok(limited instanceof TopupError && limited instanceof Error);
  assert.deepEqual(
    [limited.code, limited.status, limited.requestId, limited.limit, limited.isShortOfCredits, limited.mayPass],
    ["spend_limit_reached", 402, "req_1", limit, true, false]);
  const { requiredCredits, availableCredits, heldCredits, owedCredits } = limited;
  assert.deepEqual({ requiredCredits, availableCredits, heldCredits, owedCredits }, numbers);
  const invalid = await debit(client).catch((error) => error);
  assert.deepEqual([invalid.fieldErrors[0].field, invalid.fieldErrors[0].code], ["credits", "out_of_range"]);
  const held = await debit(client).catch((error) => error);
  assert.deepEqual([held.code, held.retryAfterSeconds, held.mayPass], ["credits_held", 1, true]);
  const broken = await debit(client).catch((error) => error);
  assert.deepEqual([broken.code, broken.mayPass, broken.fieldErrors], ["internal_error", false, []]);
  assert.equal(seen.length, 4);
});

test("each try has a time limit, and a caller can end it all", async (t) => {
  const { url, seen } = await serve(t, "silence");
  const slow = topup({ baseUrl: url, apiKey: "k", timeoutMs: 50, maxTries: 2 });
  await assert.rejects(slow.balance(), { name: "TopupError", code: "timeout", status: 0, mayPass: true });
  assert.equal(seen.length, 2);
  const control = new AbortController();
  const asked = topup({ baseUrl: url, apiKey: "k" }).balance({ signal: control.signal });
  setTimeout(() => control.abort(), 50);
  await assert.rejects(asked, { name: "AbortError" });
  const busy = await serve(t, problem(503, "too_busy", {}, { "retry-after": "20" }));
  const ended = new AbortController();
  const pausing = topup({ baseUrl: busy.url, apiKey: "k" }).balance({ signal: ended.signal });
  setTimeout(() => ended.abort(), 100);
  await assert.rejects(pausing, { name: "AbortError" });
});

test("a service that cannot be reached is an error with a cause", async (t) => {
  const { url } = await serve(t, "reset");
  const error = await topup({ baseUrl: url, apiKey: "k", maxTries: 1 }).balance().catch((it) => it);
  assert.deepEqual([error.code, error.status], ["network_error", 0]);
  assert.ok(error.cause instanceof Error);
});

test("a token may be a text or a function, which is asked once more after a 401", async (t) => {
  const fixed = await serve(t, { body: {} });
  await topup({ baseUrl: fixed.url, token: "t1" }).balance();
  assert.equal(fixed.seen[0].headers.authorization, "Bearer t1");
  const { url, seen } = await serve(t, problem(401, "invalid_token"), { body: {} }, problem(401, "invalid_token"));
  const asked = [];
  const client = topup({
    baseUrl: url,
    token: async ({ refresh }) => {
      asked.push(refresh);
      return refresh ? "new" : "old";
    },
  });
  await client.balance();
  const sent = seen.map(({ headers }) => headers.authorization);
  assert.deepEqual([asked, sent], [[false, true], ["Bearer old", "Bearer new"]]);
  await assert.rejects(client.balance(), { code: "invalid_token", status: 401 });
  assert.equal(seen.length, 4, "a new token that is refused is not asked for again");
});

test("a token that cannot be had is an error of the client's", async (t) => {
  const { url, seen } = await serve(t, { body: {} });
  const cause = new Error("logged out");
  const client = topup({ baseUrl: url, token: () => Promise.reject(cause) });
  await assert.rejects(client.balance(), { code: "token_unavailable", cause });
  await client.quote(250);
  assert.deepEqual([seen.length, seen[0].headers.authorization], [1, undefined], "prices need no login");
});

test("a price is asked for in a currency, and a purchase made in it", async (t) => {
  const { url, seen } = await serve(t, { body: {} });
  const client = topup({ baseUrl: url, token: "t" });
  await client.quote(250, { currency: "eur" });
  await client.quote(undefined, { currency: "eur" });
  await client.checkout({ credits: 250, currency: "eur", successUrl: "https://app.example.com" });
  assert.deepEqual(seen.slice(0, 2).map((request) => request.url),
    ["/credits/quote?credits=250&currency=eur", "/credits/quote?currency=eur"]);
  assert.equal(seen[2].body.currency, "eur");
});

test("a base URL may have a path and a slash, and must be an address", async (t) => {
  const { url, seen } = await serve(t, { body: {} });
  await topup({ baseUrl: `${url}/credits-service/`, apiKey: "k" }).account("a/b c").balance();
  assert.equal(seen[0].url, "/credits-service/accounts/a%2Fb%20c/credits");
  await topup({ baseUrl: `${url}/credits-service`, token: "t" }).quote();
  assert.equal(seen[1].headers.authorization, undefined);
  assert.throws(() => topup({ baseUrl: "credits.example.com", apiKey: "k" }), TypeError);
  assert.throws(() => topup({ baseUrl: "ftp://credits.example.com", apiKey: "k" }), TypeError);
  assert.throws(() => topup({ baseUrl: url, apiKey: "k", token: "t" }), /not both/);
  assert.throws(() => topup({ baseUrl: url, apiKey: "k" }).account(""), /id/);
});

test("an answer that is not Topup's says so", async (t) => {
  const { url } = await serve(t, { status: 404, body: "<html>", headers: { "content-type": "text/html" } });
  await assert.rejects(topup({ baseUrl: url, apiKey: "k" }).balance(), { code: "unexpected_answer", status: 404 });
});

test("codes are listed once and in order", () => {
  assert.deepEqual(CODES, [...new Set(CODES)].sort());
});
