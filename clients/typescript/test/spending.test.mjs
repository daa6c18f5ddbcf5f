// Holds for streams, batches, and what is read, on a real connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { all, CaptureFailed, TopupError, topup } from "@topup/client";
import { problem, serve } from "./support/server.mjs";

/** A service with one account: enough of one to hold, extend and capture on. */
async function service(test, available, { captureFails = false } = {}) {
  let held = 0;
  const calls = [];
  const short = (required) => problem(402, "insufficient_credits",
    { requiredCredits: required, availableCredits: available - held, heldCredits: held, owedCredits: 0 });
  const answer = ({ url, body, headers }) => {
    const what = url.split("/").at(-1);
    calls.push([what, body?.credits, headers["idempotency-key"]]);
    if (what === "holds") {
      const credits = Math.min(body.credits, available);
      if (credits < (body.minimumCredits ?? body.credits)) return short(body.minimumCredits ?? body.credits);
      held = credits;
      return { body: { id: "hold_1", credits } };
    }
    if (what === "extend") {
      if (body.credits > available) return short(body.credits);
      held = Math.max(held, body.credits);
      return { body: { id: "hold_1", credits: held } };
    }
    if (captureFails) return problem(404, "not_found");
    return { body: { id: "spend_1", credits: body.credits } };
  };
  const { url } = await serve(test, answer);
  const client = topup({ baseUrl: url, apiKey: "k" });
  return { account: client.account("user_1"), calls: () => calls.map(([what, credits]) => `${what} ${credits}`) };
}

test("a hold is extended at 80 % and what was used is captured", async (t) => {
  const { account, calls } = await service(t, 1_000);
  const { value, spend } = await account.withHold({ credits: 10 }, async (held) => {
    for (let word = 0; word < 25; word += 1) assert.equal(await held.use(1), true);
    assert.deepEqual([held.used, held.credits, held.refusal], [25, 40, undefined]);
    return "text";
  });
  assert.deepEqual([value, spend.credits], ["text", 25]);
  assert.deepEqual(calls(), ["holds 10", "extend 20", "extend 30", "extend 40", "capture 25"]);
});

test("without more credits the rest is used, and then nothing", async (t) => {
  const { account, calls } = await service(t, 13);
  const { value, spend } = await account.withHold({ credits: 10, minimumCredits: 5 }, async (held) => {
    let words = 0;
    while (await held.use(1)) words += 1;
    assert.deepEqual([held.refusal.code, held.refusal.availableCredits], ["insufficient_credits", 3]);
    return words;
  });
  assert.deepEqual([value, spend.credits], [13, 13]);
  assert.deepEqual(calls(), ["holds 10", "extend 20", "extend 13", "capture 13"]);
});

test("steps may cost any number, also more than is held, also at once", async (t) => {
  const { account, calls } = await service(t, 500);
  const { spend } = await account.withHold({ credits: 10 }, async (held) => {
    assert.deepEqual(await Promise.all([held.use(200), held.use(7), held.use(0)]), [true, true, true]);
    assert.equal(await held.use(400), false, "what cannot be had is not used");
    assert.equal(await held.use(293), true, "and what is left may still be");
    for (const credits of [-1, 1.5, Number.NaN]) await assert.rejects(held.use(credits), RangeError);
  });
  assert.equal(spend.credits, 500);
  assert.equal(calls().at(-1), "capture 500");
});

test("work that fails is charged for what it used, and its error is thrown", async (t) => {
  const { account, calls } = await service(t, 100);
  const failure = new Error("the model broke");
  const work = async (held) => {
    await held.use(3);
    throw failure;
  };
  await assert.rejects(account.withHold({ credits: 10 }, work), failure);
  assert.deepEqual(calls(), ["holds 10", "capture 3"]);
});

test("a capture that fails names the hold and the credits", async (t) => {
  const { account } = await service(t, 100, { captureFails: true });
  const error = await account.withHold({ credits: 10 }, (held) => held.use(4)).catch((it) => it);
  assert.ok(error instanceof CaptureFailed);
  assert.deepEqual([error.holdId, error.credits, error.cause.code], ["hold_1", 4, "not_found"]);
});

test("with too few credits the work does not begin", async (t) => {
  const { account, calls } = await service(t, 3);
  const work = () => assert.fail("must not begin");
  const error = await account.withHold({ credits: 10, minimumCredits: 5 }, work).catch((it) => it);
  assert.deepEqual([error.code, error.requiredCredits, error.availableCredits], ["insufficient_credits", 5, 3]);
  assert.deepEqual(calls(), ["holds 10"]);
});

test("a hold that lives too long is extended in time", async (t) => {
  const { account, calls } = await service(t, 1_000);
  t.mock.timers.enable({ apis: ["Date"], now: 0 });
  await account.withHold({ credits: 100, expiresInSeconds: 60 }, async (held) => {
    await held.use(1);
    t.mock.timers.setTime(49_000); // 80 % of a minute, and a second
    await held.use(1);
    await held.use(1);
  });
  assert.deepEqual(calls(), ["holds 100", "extend 100", "capture 3"]);
});

test("a batch tells what became of each debit", async (t) => {
  const spend = { id: "spend_1", credits: 3 };
  const refused = problem(402, "insufficient_credits", { availableCredits: 1 }).body;
  const results = [{ key: "a", status: 200, spend }, { status: 402, problem: refused }];
  const { url, seen } = await serve(t, { body: { results } });
  const items = [{ key: "a", accountId: "user_1", credits: 3 }, { accountId: "user_2", credits: 5 }];
  const outcomes = await topup({ baseUrl: url, apiKey: "k" }).debits(items);
  assert.deepEqual(outcomes[0], { key: "a", spend });
  assert.ok(outcomes[1].error instanceof TopupError);
  assert.deepEqual([outcomes[1].error.code, outcomes[1].error.availableCredits], ["insufficient_credits", 1]);
  assert.equal(outcomes[1].key, seen[0].body.items[1].key);
  assert.match(outcomes[1].key, /^[0-9a-f-]{36}$/);
});

test("what is read is asked for where it is", async (t) => {
  const { url, seen } = await serve(t, { body: { data: [], nextCursor: null } });
  const client = topup({ baseUrl: url, apiKey: "k" });
  const account = client.account("user_1");
  const from = new Date("2026-11-01T00:00:00Z");
  await client.usage({ from, by: "operation" });
  await account.statement({ from, to: "2026-12-01T00:00:00Z" });
  await account.limits({ subject: "team a" });
  await account.setLimit("month", 100, { subject: "team a" });
  await account.removeLimit("day");
  await account.holds({ state: "open" });
  await client.access({ credits: 5 });
  const month = "from=2026-11-01T00%3A00%3A00.000Z";
  assert.deepEqual(seen.map(({ method, url: path }) => `${method} ${path}`), [
    `GET /credits/usage?${month}&by=operation`,
    `GET /accounts/user_1/credits/statement?${month}&to=2026-12-01T00%3A00%3A00Z`,
    "GET /accounts/user_1/credits/limits?subject=team%20a",
    "PUT /accounts/user_1/credits/limits/month?subject=team%20a",
    "DELETE /accounts/user_1/credits/limits/day",
    "GET /accounts/user_1/credits/holds?state=open",
    "GET /credits/access?credits=5",
  ]);
});

test("lists are read page by page", async (t) => {
  const pages = [{ data: [1, 2], nextCursor: "7" }, { data: [3], nextCursor: null }];
  const { url, seen } = await serve(t, ...pages.map((body) => ({ body })));
  const client = topup({ baseUrl: url, token: "t" });
  const found = [];
  for await (const entry of all((query) => client.transactions(query), 2)) found.push(entry);
  assert.deepEqual(found, [1, 2, 3]);
  assert.deepEqual(seen.map(({ url: path }) => path),
    ["/credits/transactions?limit=2", "/credits/transactions?limit=2&cursor=7"]);
});

test("a purchase is followed until it is final, over errors that pass", async (t) => {
  const session = (state) => ({ body: { id: "cs_1", state } });
  const busy = problem(503, "too_busy", {}, { "retry-after": "60" });
  const { url, seen } = await serve(t, session("open"), busy, session("paid"));
  const states = [];
  const client = topup({ baseUrl: url, token: "t" });
  const last = await client.waitForSession("cs_1", { onSession: ({ state }) => states.push(state) });
  assert.deepEqual([last.state, states, seen.length], ["paid", ["open", "paid"], 3]);
  const stays = await serve(t, session("processing"));
  const slow = await topup({ baseUrl: stays.url, token: "t" }).waitForSession("cs_1", { timeoutMs: 10 });
  assert.equal(slow.state, "processing");
});
