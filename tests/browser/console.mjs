// The operator's console in a real browser: by keyboard, on a phone, in light and dark. axe-core must find no violation on
// any page, and the browser must refuse nothing by the content security policy.
//
//   CONSOLE='{"url": …, "admin": key, "support": key, …}' ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node console.mjs
//
// tests/it/console/browser.rs prepares a service with a refunded top-up, a disputed one, one whose amount changed
// (`missing` is its session), and one whose webhook never came. Nothing sleeps; the first failure ends the run with status 1.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { runAll } from "./scenarios.mjs";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const { CONSOLE, ARTIFACTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!CONSOLE || !ARTIFACTS) {
  console.error("usage: CONSOLE={…} ARTIFACTS=folder [CHROMIUM=/usr/bin/chromium] node console.mjs");
  process.exit(2);
}
const place = JSON.parse(CONSOLE);
const axe = createRequire(import.meta.url)("axe-core").source;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

// ---- Scenarios ----

async function everyPageInLightAndDarkOnDeskAndPhone(browser) {
  const looks = [["light", DESKTOP], ["dark", DESKTOP], ["light", PHONE], ["dark", PHONE]];
  let checked = 0;
  for (const [scheme, viewport] of looks) {
    const { page, close } = await open(browser, scheme, viewport);
    const name = `${scheme}-${viewport === PHONE ? "phone" : "desk"}`;
    await page.goto(`${place.url}/console`);
    await check(page, `sign-in-${name}`);
    await signIn(page, place.admin);
    for (const [label, path] of pages()) {
      await page.goto(`${place.url}${path}`);
      await check(page, `${label}-${name}`);
      checked += 1;
    }
    await close();
  }
  return `${checked} pages in light and dark, on a desk and on a phone, have no violation and no side scroll`;
}

function pages() {
  return [
    ["overview", "/console"],
    ["search-failed", `/console/search?q=${place.missing}`],
    ["search-nothing", "/console/search?q=nobody"],
    ["topups", "/console/topups"],
    ["topup", `/console/topups/${place.refunded}`],
    ["topup-disputed", `/console/topups/${place.disputed}`],
    ["refund", `/console/topups/${place.refunded}/refund?what=credits&credits=50`],
    ["refund-not-possible", `/console/topups/${place.disputed}/refund`],
    ["account", "/console/account?id=user_1"],
    ["adjust", "/console/account/adjust?id=user_1&credits=50&reason=Sorry"],
    ["block", "/console/account/block?id=user_1"],
    ["failures", "/console/failures"],
    ["failure", "/console/failure?id=evt_changed"],
    ["disputes", "/console/disputes"],
    ["reconciliations", "/console/reconciliations"],
    ["keys", "/console/keys"],
    ["settings", "/console/settings"],
    ["log", "/console/log"],
    ["error", "/console/nothing"],
  ];
}

async function byKeyboardAlone(browser) {
  const { page, close } = await open(browser, "light", DESKTOP);
  await page.goto(`${place.url}/console`);
  await page.keyboard.press("Tab");
  await page.keyboard.type(place.support);
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "Overview" }).waitFor();
  await page.keyboard.press("Tab");
  await page.locator(":focus", { hasText: /^Skip to the content$/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.locator("#main:focus").waitFor();
  await page.keyboard.press("/");
  await page.locator("#q:focus").waitFor();
  await page.keyboard.type(place.refunded);
  await page.keyboard.press("Enter");
  await page.getByText("100 were refunded.").waitFor();
  await tabTo(page, "Everything about this top-up");
  await page.keyboard.press("Enter");
  await page.locator("h2", { hasText: "Timeline" }).waitFor();
  await close();
  return "a person signs in, searches and reads by keyboard alone";
}

async function aRefundFromTheFirstLookToTheLog(browser) {
  const { page, close } = await open(browser, "light", PHONE);
  await page.goto(`${place.url}/console`);
  await signIn(page, place.support);
  await page.fill("#q", "user_1");
  await page.press("#q", "Enter");
  await page.locator("h1", { hasText: "Account" }).waitFor();
  await page.locator("td a", { hasText: "topup_" }).first().click();
  await page.getByRole("link", { name: "Refund…" }).click();
  await page.getByLabel("The price of so many credits").check();
  await page.getByLabel("Credits", { exact: true }).fill("50");
  await page.getByRole("button", { name: "Preview" }).click();
  await page.getByText("150 credits → 100 credits").waitFor();
  await page.getByRole("button", { name: "Refund 0.50 USD" }).click();
  await page.getByRole("status").getByText("Refund: done.").waitFor();
  await check(page, "refunded-phone");
  await page.goto(`${place.url}/console/log`);
  await page.locator("tbody tr", { hasText: "50 credits, requested_by_customer" }).first().waitFor();
  assert.equal(await page.getByRole("link", { name: "Keys" }).count(), 0, "support has no keys");
  await page.goto(`${place.url}/console/keys`);
  await page.getByText("Not allowed").waitFor();
  await close();
  return "on a phone, support refunds with a preview and finds it in the log";
}

async function aWebhookThatNeverCame(browser) {
  const { page, close } = await open(browser, "light", DESKTOP);
  await page.goto(`${place.url}/console`);
  await signIn(page, place.support);
  await page.goto(`${place.url}/console/topups?state=open`);
  await page.locator("tr", { hasText: "user_4" }).locator("a").first().click();
  await page.getByText("Paid at Stripe, not in our books: the webhook never came.").waitFor();
  await check(page, "never-came");
  await page.getByRole("button", { name: "Ask Stripe and credit what is paid" }).click();
  await page.getByRole("heading", { name: "Paid and credited" }).waitFor();
  await check(page, "never-came-put-right");
  await close();
  return "a webhook that never came is made good with one button";
}

async function aKeyAndTheEndOfItsSession(browser) {
  const { page, close } = await open(browser, "dark", DESKTOP);
  await page.goto(`${place.url}/console`);
  await signIn(page, place.admin);
  await page.goto(`${place.url}/console/keys`);
  await page.getByLabel("Name").fill("bob");
  await page.getByLabel("support: use this console").check();
  await page.getByRole("button", { name: "Create the key" }).click();
  const secret = await page.locator("code.secret").textContent();
  await check(page, "new-key");
  const other = await open(browser, "light", DESKTOP);
  await other.page.goto(`${place.url}/console`);
  await signIn(other.page, secret);
  await page.goto(`${place.url}/console/keys`);
  await page.locator("tr", { hasText: "bob" }).getByRole("link", { name: "Revoke" }).click();
  await check(page, "revoke");
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await page.getByRole("status").getByText("Key revoked: done.").waitFor();
  await other.page.goto(`${place.url}/console`);
  await other.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await other.close();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await close();
  return "a key is made, used and revoked, which ends its session";
}

const SCENARIOS = [
  everyPageInLightAndDarkOnDeskAndPhone,
  byKeyboardAlone,
  aRefundFromTheFirstLookToTheLog,
  aWebhookThatNeverCame,
  aKeyAndTheEndOfItsSession,
];

// ---- Steps ----

async function open(browser, colorScheme, viewport) {
  const context = await browser.newContext({ colorScheme, viewport, isMobile: viewport === PHONE, hasTouch: viewport === PHONE });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    const expected = /status of (403|404)/.test(message.text());
    if (message.type() === "error" && !expected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(place.url) && !url.startsWith("data:")) complaints.push(`asked elsewhere: ${url}`);
  });
  const close = async () => {
    assert.deepEqual(complaints, []);
    await context.close();
  };
  return { page, close };
}

async function signIn(page, key) {
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("h1", { hasText: "Overview" }).waitFor();
}

async function tabTo(page, text) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement.textContent)) === text) return;
  }
  assert.fail(`${text} cannot be reached by Tab`);
}

// Everything that is folded is opened, so that it is checked too.
async function check(page, name) {
  await screenshot(page, { path: join(ARTIFACTS, `console-${place.database}-${name}.png`), fullPage: true });
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return result.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`) }));
  });
  assert.deepEqual(violations, [], `${name}: ${JSON.stringify(violations, null, 2)}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${name} scrolls sideways by ${overflow} px`);
}

async function run(browser, scenario) {
  const told = await scenario(browser);
  console.log(`ok: ${told}`);
}

await runAll(SCENARIOS, run, { ARTIFACTS, CHROMIUM });
