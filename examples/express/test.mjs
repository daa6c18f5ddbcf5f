// Starts `topup dev` and this app, buys on the sandbox's page, asks, runs out and leaves in the middle.
//
//   npm test
//
// Nothing sleeps: every wait is for a condition.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { startDev, startProgram } from "../../tests/browser/services.mjs";
import { TIMEOUT_MS } from "../../tests/browser/timeout.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const SECRET = Buffer.from("an invented secret, 32 bytes long");

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

const port = await freePort();
const page = `http://localhost:${port}`;
const dev = await startDev("--origin", page);
const app = await startProgram(process.execPath, ["server.mjs"], {
  cwd: here, ready: "Shop on",
  env: {
    PATH: process.env.PATH, PORT: String(port), TOPUP_URL: dev.url, TOPUP_API_KEY: dev.secrets.server_key,
    TOPUP_JWT_SECRET: dev.secrets.jwt_secret, TOPUP_OUTGOING_SECRET: `whsec_${SECRET.toString("base64")}`,
  },
});

/** A customer's browser: it keeps its cookie. */
class Customer {
  async fetch(path, { body, ...options } = {}) {
    const post = body && { method: "POST", body: JSON.stringify(body) };
    const headers = { "content-type": "application/json", ...(this.cookie && { cookie: this.cookie }) };
    const response = await fetch(`${page}${path}`, { ...post, headers, ...options });
    this.cookie ??= response.headers.get("set-cookie")?.split(";")[0];
    return response;
  }

  /** What the page asks Topup itself, with the token of the app's login. */
  async topup(path, body) {
    const token = await (await this.fetch("/token")).text();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", origin: page };
    const post = body && { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${dev.url}${path}`, { headers, ...post });
    assert.equal(response.status, 200, await response.clone().text());
    assert.equal(response.headers.get("access-control-allow-origin"), page);
    return response.json();
  }

  async buy(credits) {
    const successUrl = `${page}/?topup_session={CHECKOUT_SESSION_ID}`;
    const { id, url } = await this.topup("/credits/sessions", { credits, successUrl });
    const card = { email: "a@example.com", card_number: "4242424242424242", exp: "12 / 34", cvc: "123", name: "Test" };
    await fetch(url, { method: "POST", body: new URLSearchParams(card), redirect: "manual" });
    await until("the credits", async () => (await this.topup(`/credits/sessions/${id}`)).state === "paid");
  }

  async ask(words) {
    const response = await this.fetch("/chat", { body: { prompt: "What now", words } });
    if (!response.ok) return { status: response.status, problem: await response.json() };
    const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
    return { status: 200, written: lines.filter(({ word }) => word).length, ...lines.at(-1) };
  }

  balance() {
    return this.topup("/credits");
  }
}

async function until(what, isDone) {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  while (!(await isDone())) assert.ok(Date.now() < deadlineMs, `${what} did not come`);
}

async function everythingAtOnce() {
  const customer = new Customer();
  const html = await (await customer.fetch("/")).text();
  assert.ok(html.includes("<credits-meter") && html.includes("<buy-credits"));
  assert.equal((await (await customer.fetch("/config.json")).json()).url, dev.url);
  assert.equal((await fetch(`${dev.url}/elements.js`, { headers: { origin: page } })).status, 200);

  const { status, problem } = await customer.ask(10);
  assert.deepEqual([status, problem.code, problem.requiredCredits], [402, "insufficient_credits", 5]);
  await customer.buy(100);
  const first = await customer.ask(60);
  assert.deepEqual([first.end, first.written, first.credits, first.balance.availableCredits], ["finished", 60, 60, 40]);
  const second = await customer.ask(60);
  assert.deepEqual([second.end, second.written, second.credits, second.balance.remainingCredits],
    ["insufficient_credits", 40, 40, 0], "it stops at the last credit");
  console.log("ok - a customer buys, asks, and the answer stops at the last credit");
}

async function leavesInTheMiddle() {
  const customer = new Customer();
  await customer.fetch("/");
  await customer.buy(100);
  const leave = new AbortController();
  const response = await customer.fetch("/chat", { body: { prompt: "What now", words: 10_000 }, signal: leave.signal });
  const reader = response.body.getReader();
  for (let seen = ""; seen.split("\n").length < 10; ) seen += new TextDecoder().decode((await reader.read()).value);
  leave.abort();
  let balance;
  await until("the capture", async () => (balance = await customer.balance()).heldCredits === 0);
  assert.ok(balance.remainingCredits <= 91 && balance.remainingCredits > 0, JSON.stringify(balance));
  console.log(`ok - who leaves in the middle pays for what was written (${100 - balance.remainingCredits} words)`);
}

async function webhooks() {
  const body = JSON.stringify({ type: "balance.low", timestamp: new Date().toISOString(), data: {} });
  const time = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac("sha256", SECRET).update(`msg_1.${time}.${body}`).digest("base64");
  const send = (text) => fetch(`${page}/webhooks/topup`, {
    method: "POST", body: text,
    headers: {
      "content-type": "application/json", "webhook-id": "msg_1", "webhook-timestamp": time,
      "webhook-signature": `v1,${signature}`,
    },
  });
  assert.equal((await send(body)).status, 204);
  const refused = await send(body.replace("low", "depleted"));
  assert.deepEqual([refused.status, await refused.json()], [400, { code: "no_matching_signature" }]);
  console.log("ok - messages of Topup's are verified, and others are refused");
}

for (const scenario of [everythingAtOnce, leavesInTheMiddle, webhooks]) await scenario();
await app.stop();
await dev.stop();
process.exit();
