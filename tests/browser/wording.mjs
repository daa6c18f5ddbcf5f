// What the demo page shows a customer on errors and without JavaScript, in a real browser.
//
//   DEMO_URL=http://127.0.0.1:8080 ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node wording.mjs
//
// Errors of the real service come first. Errors that are hard to cause are mocked, with a `detail` that must never
// reach the page. Nothing sleeps; the first failure ends the run with status 1.

import assert from "node:assert/strict";
import { join } from "node:path";
import { runAll } from "./scenarios.mjs";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const { DEMO_URL, ARTIFACTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!DEMO_URL || !ARTIFACTS) {
  console.error("usage: DEMO_URL=… ARTIFACTS=folder [CHROMIUM=/usr/bin/chromium] node wording.mjs");
  process.exit(2);
}

const demoOrigin = new URL(DEMO_URL).origin;
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
/** Words for developers, which no customer should read. */
const DEVELOPERS_WORDS = /idempotency|credits:|problem|stripe|api|detail|undefined|null|NaN|for developers/i;

// ---- Scenarios ----

async function amountsOutOfBounds(page) {
  for (const amount of ["5", "1000000", "0", "-3", "2.5", ""]) {
    await page.fill("buy-credits #credits", amount);
    await expectText(page, "#quote-problem", /^Please choose between 18 and 100,000 credits\.$/);
    assert.equal(await page.locator("#buy").isDisabled(), true, amount);
  }
  await shot(page, "bounds");
  await page.fill("buy-credits #credits", "250");
  await expectText(page, "#quote-total", /\$2\.89/);
  await expectText(page, "#quote-problem", /^$/);
  return "an amount that is not for sale is answered with the bounds of this service";
}

/** The real service and a sandbox whose API fails: the customer tries again, and the same purchase goes on. */
async function stripeFails(page) {
  const keys = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/credits/sessions")) {
      keys.push(request.headers()["idempotency-key"]);
    }
  });
  const sandbox = new URL(await page.getAttribute("#controls", "href")).origin;
  const outage = (method, body) => fetch(`${sandbox}/_sandbox/outage`, { method, body });
  await outage("POST", JSON.stringify({ kind: "429", path: "/v1/checkout/sessions" }));
  await page.click("#buy");
  await expectTold(page, /^The checkout could not be opened\s*Nothing was charged\. Please try again in a moment\./);
  await shot(page, "stripe-fails");
  await outage("DELETE");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.waitForURL((url) => url.origin === sandbox);
  assert.ok(keys.length >= 2 && keys[0], "the request was repeated");
  assert.deepEqual([...new Set(keys)], [keys[0]], "with the same Idempotency-Key");
  return "while Stripe fails nothing was charged, and trying again goes on with the same purchase";
}

/** Each error of `POST /credits/sessions`: status, code, seconds to wait, and what the customer is told. */
const ERRORS = [
  [503, "provider_unavailable", 5, /^Nothing was charged\. Please try again in a moment\.$/],
  [503, "provider_rate_limited", 30, /^Nothing was charged\. Please try again in 30 seconds\.$/],
  [503, "checkout_unsettled", 10, /^Nothing was charged\. Please try again in a moment\.$/],
  [504, "provider_timeout", null, /^Nothing was charged\. Please try again in a moment\.$/],
  [502, "provider_refused", null, /^Nothing was charged\. Please try again in a moment\.$/],
  [502, "provider_mismatch", null, /^Nothing was charged\. Please try again in a moment\.$/],
  [502, "provider_no_url", null, /^Nothing was charged\. Please try again in a moment\.$/],
  // The result of these requests is unknown.
  [503, "database_unavailable", 5, /^Please try again in a moment\.$/],
  [503, "too_busy", 1, /^Please try again in a moment\.$/],
  [500, "internal_error", null, /^Something went wrong on our side\. Please try again in a moment\. If you write to us, please mention req_test\.$/],
  [418, "code_of_tomorrow", null, /^Something went wrong on our side\./],
  [429, "rate_limited", 40, /^That was a lot at once\. Please try again in 40 seconds\.$/],
  [429, "too_many_open_checkouts", 1_500, /^You have many unfinished checkouts\. Finish one of them first\. Please try again in 25 minutes\.$/],
  [400, "amount_too_small", null, /^A payment this small is not possible\. Please choose more credits\.$/],
  [401, "invalid_token", null, /^You are not logged in any more\. Please reload the page\.$/],
  [422, "idempotency_key_reused", null, /^Something went wrong on our side\./],
];

async function everyError(page) {
  let answer;
  await page.route("**/credits/sessions", (route) => route.fulfill(answer));
  for (const [status, code, seconds, expected] of ERRORS) {
    const wait = seconds ? { "retry-after": String(seconds) } : {};
    const body = JSON.stringify({ status, code, title: "for developers", detail: `credits: ${code} for developers` });
    answer = { status, headers: { "content-type": "application/problem+json", "x-request-id": "req_test", ...wait }, body };
    await page.click("#buy"); // which takes the previous message away
    await expectTold(page, expected, "buy-credits #status p", code);
  }
  await shot(page, "last-error");
  await page.unroute("**/credits/sessions");
  await page.route("**/credits/sessions", (route) => route.abort());
  await page.click("#buy");
  await expectTold(page, /^We cannot be reached\. Please check your connection and try again\.$/, "buy-credits #status p");
  return `${ERRORS.length} errors and a broken connection are told in sentences, and none in the API's words`;
}

/** The first request still runs: the page asks for its answer by itself, with the same key. */
async function stillRunning(page) {
  const keys = [];
  await page.route("**/credits/sessions", (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    const body = JSON.stringify({ status: 409, code: "idempotency_key_in_use", detail: "for developers" });
    return keys.length === 1 ? route.fulfill({ status: 409, contentType: "application/problem+json", body }) : route.continue();
  });
  await page.click("#buy");
  await page.waitForURL((url) => url.origin !== demoOrigin);
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  return "a purchase that is still being prepared is asked for again, without a word";
}

/** Reasons of a bank that Stripe says not to tell are not told. */
async function declineReasons(page) {
  const session = { state: "open", credits: 250, totalAmount: 289, currency: "usd", expiresAt: "2030-01-01T00:00:00Z" };
  for (const [declineCode, expected] of [
    ["stolen_card", /^Your payment was declined; nothing was charged/],
    ["expired_card", /^Your payment was declined \(the card has expired\); nothing was charged/],
  ]) {
    await page.route("**/credits/sessions/cs_test_1", (route) => route.fulfill({ json: { ...session, declineCode } }));
    await page.evaluate(() => sessionStorage.setItem("topup:purchase", '{"id":"cs_test_1","url":"/"}'));
    await page.reload();
    await expectTold(page, expected);
    await page.unroute("**/credits/sessions/cs_test_1");
  }
  return "a declined customer is told the reason only if it is theirs to know";
}

async function linkToTheControls(page, context) {
  const opened = context.waitForEvent("page");
  await page.getByRole("link", { name: /sandbox's controls/ }).click();
  const controls = await opened;
  await controls.getByRole("heading", { name: "Controls" }).waitFor();
  await controls.getByRole("heading", { name: "Webhook endpoints" }).waitFor();
  await controls.locator("#endpoints").scrollIntoViewIfNeeded();
  await shot(controls, "controls");
  assert.match(await page.locator(".cards").innerText(), /for you, the developer/i);
  assert.equal(new URL(page.url()).origin, demoOrigin, "the shop stays open");
  return "the sandbox's controls open in a new tab, from a part of the page that is for the developer";
}

async function withoutJavaScript(page) {
  await page.locator("noscript .notice").waitFor(); // `getByText` does not find texts inside it
  await expectText(page, "noscript", /^This page needs JavaScript\./);
  assert.equal(await page.locator("#generate").isDisabled(), true, "a button that can do nothing");
  assert.equal(await page.locator("#prompt").isDisabled(), true, "a field that can do nothing");
  for (const id of ["#buy", "buy-credits #credits", "#refresh"]) assert.equal(await page.locator(id).count(), 0, id);
  await expectNoSidewaysScrolling(page);
  await shot(page, "no-script");
  return "without JavaScript the page says that it needs it, and offers nothing that does not work";
}

async function fitsOnAPhone(page) {
  await page.fill("buy-credits #credits", "5");
  await expectText(page, "#quote-problem", /Please choose/);
  await expectNoSidewaysScrolling(page);
  await shot(page, "phone");
  return "on a phone the messages fit";
}

const SCENARIOS = [
  [amountsOutOfBounds, WIDE],
  [stripeFails, WIDE],
  [everyError, WIDE],
  [stillRunning, WIDE],
  [declineReasons, WIDE],
  [linkToTheControls, WIDE],
  [fitsOnAPhone, PHONE],
  [withoutJavaScript, WIDE, false],
  [withoutJavaScript, PHONE, false],
];

// ---- What a customer sees ----

let shots = 0;

async function shot(page, name) {
  shots += 1;
  await screenshot(page, { path: join(ARTIFACTS, `wording-${shots}-${name}.png`), fullPage: true });
}

async function expectText(page, selector, pattern) {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  for (;;) {
    const seen = (await page.locator(selector).innerText()).trim();
    if (pattern.test(seen)) return seen;
    assert.ok(Date.now() < deadlineMs, `${selector} should show ${pattern}, but shows ${JSON.stringify(seen)}`);
    await page.evaluate(() => new Promise(requestAnimationFrame)); // wait for the next paint
  }
}

/** Waits for a message, in which no word is for developers. */
async function expectTold(page, pattern, selector = "buy-credits #status", what = "") {
  await page.locator("buy-credits #status strong").waitFor();
  const text = await expectText(page, selector, pattern).catch((error) => {
    throw new Error(`${what} ${error.message}`, { cause: error });
  });
  assert.doesNotMatch(text, DEVELOPERS_WORDS);
}

async function expectNoSidewaysScrolling(page) {
  const { width } = page.viewportSize();
  const { width: body } = await page.locator("main").boundingBox();
  assert.ok(body <= width, `the page is ${body - width} px wider than the screen`);
}

// ---- Running ----

async function run(browser, [scenario, viewport, javaScriptEnabled = true]) {
  const context = await browser.newContext({ viewport, javaScriptEnabled, locale: "en-US" });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  try {
    await page.goto(`${demoOrigin}/`);
    if (javaScriptEnabled) await expectText(page, "#quote-total", /\d/);
    console.log(`ok - ${await scenario(page, context)}`);
  } catch (error) {
    await page.screenshot({ path: join(ARTIFACTS, `failure-${scenario.name}.png`), fullPage: true }).catch(() => {});
    throw new Error(`not ok - ${scenario.name}: ${error.message}`, { cause: error });
  } finally {
    await context.close();
  }
}

await runAll(SCENARIOS, run, { ARTIFACTS, CHROMIUM });
