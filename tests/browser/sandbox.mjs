// The sandbox's pages in a real browser: light and dark, on a desk and on a phone, with and without JavaScript, by
// keyboard. axe-core must find no violation on any page, and the browser must refuse nothing by the content security
// policy.
//
//   SANDBOX='{"url": …, "empty": …, "key": …}' ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node sandbox.mjs
//
// sandbox/tests/browser.rs starts two sandboxes: one with a webhook receiver, which this script fills, and one that
// stays empty. Nothing sleeps; the first failure ends the run with status 1.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { confirm, control, fill, intentOf, paid, place, post, session } from "./sandbox_world.mjs";
import { runAll } from "./scenarios.mjs";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const { ARTIFACTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!place || !ARTIFACTS) {
  console.error("usage: SANDBOX={…} ARTIFACTS=folder [CHROMIUM=/usr/bin/chromium] node sandbox.mjs");
  process.exit(2);
}
const axe = createRequire(import.meta.url)("axe-core").source;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

async function pages() {
  const known = await fill();
  return [
    ["overview", "/"],
    ["payments", "/payments"],
    ["payments-search", "/payments?q=user_7"],
    ["payment-open", `/payments/${known.open}`],
    ["payment-challenged", `/payments/${known.challenged}`],
    ["payment-delayed", `/payments/${known.delayed}`],
    ["payment-paid", `/payments/${known.good}`],
    ["payment-refunded", `/payments/${known.part}`],
    ["payment-expired", `/payments/${known.expired}`],
    ["customers", "/customers"],
    ["customer", `/customers/${known.customer}`],
    ["refunds", "/refunds"],
    ["refund", `/refunds/${known.refund}`],
    ["disputes", "/disputes"],
    ["dispute", `/disputes/${known.disputed}`],
    ["dispute-inquiry", `/disputes/${known.inquiry}`],
    ["dispute-won", `/disputes/${known.won}`],
    ["events", "/events"],
    ["event", `/events/${known.event}`],
    ["deliveries", "/deliveries"],
    ["requests", "/requests"],
    ["controls", "/_sandbox"],
    ["not-found", "/nothing"],
    ["checkout", `/c/pay/${known.open}`],
    ["checkout-debit", `/c/pay/${known.debit}`],
    ["checkout-saved", `/c/pay/${known.saved}`],
    ["checkout-challenge", `/c/pay/${known.challenged}/challenge`],
    ["checkout-expired", `/c/pay/${known.expired}`],
  ];
}

// ---- Scenarios ----

async function everyPageInLightAndDarkOnDeskAndPhone(browser) {
  let checked = 0;
  const all = await pages();
  for (const [scheme, viewport] of [["light", DESKTOP], ["dark", DESKTOP], ["light", PHONE], ["dark", PHONE]]) {
    const { page, close } = await open(browser, scheme, viewport);
    for (const [label, path] of all) {
      await page.goto(`${place.url}${path}`);
      // The picture of sandbox/README.md is the first screen.
      const isFirst = label === "overview" && viewport === DESKTOP;
      if (isFirst) await screenshot(page, { path: shot(`first-screen-${scheme}`) });
      await check(page, `${label}-${scheme}-${viewport === PHONE ? "phone" : "desk"}`);
      checked += 1;
    }
    await close();
  }
  return `${checked} pages in light and dark, on a desk and on a phone, have no violation and no side scroll`;
}

async function emptyPagesSayWhatToDoNext(browser) {
  for (const viewport of [DESKTOP, PHONE]) {
    const { page, close } = await open(browser, "light", viewport);
    const lists = ["/", "/payments", "/customers", "/refunds", "/disputes", "/events", "/deliveries", "/requests",
      "/_sandbox"];
    for (const path of lists) {
      await page.goto(`${place.empty}${path}`);
      await check(page, `empty${path.replace("/", "-")}-${viewport === PHONE ? "phone" : "desk"}`);
    }
    await close();
  }
  return "an empty sandbox says what to do next, on each page";
}

async function withoutJavaScript(browser) {
  const known = await fill();
  for (const viewport of [DESKTOP, PHONE]) {
    const { page, close } = await open(browser, "light", viewport, { javaScriptEnabled: false });
    await page.goto(`${place.url}/payments/${known.good}`);
    await page.getByRole("link", { name: "Reload" }).waitFor();
    await page.fill("#refund-amount", "0.10");
    await page.getByRole("button", { name: /^Refund/ }).click();
    await page.getByRole("status").getByText("The payment was refunded.").waitFor();
    await page.locator("tr", { hasText: "$0.10" }).first().waitFor();
    await page.goto(`${place.url}/events`);
    await page.getByText("JSON", { exact: true }).first().click();
    await page.locator("pre.payload").first().waitFor({ state: "visible" });
    await page.getByRole("button", { name: /^Send again/ }).first().click();
    await page.getByRole("status").getByText("The event is sent again.").waitFor();
    await page.goto(`${place.url}/payments?state=paid`);
    await page.locator("td a").first().waitFor();
    await screenshot(page, { path: shot(`no-script-${viewport === PHONE ? "phone" : "desk"}`), fullPage: true });
    await close();
  }
  return "without JavaScript lists, JSON and controls work, and a link reloads";
}

async function refreshesByItselfAndLosesNothing(browser) {
  const known = await fill();
  const { page, close } = await open(browser, "light", DESKTOP);
  await page.goto(`${place.url}/payments/${known.good}`);
  await page.getByText("Refreshes by itself.").waitFor();
  await page.evaluate(() => { globalThis.sameDocument = true; });
  await page.locator("summary", { hasText: "The payment intent" }).click();
  await page.fill("#refund-amount", "0.5");
  const elsewhere = await post("/v1/payment_intents", { amount: "777", currency: "usd" });
  await control(`payment_intents/${await intentOf(known.good)}/refund`, { amount: 33 });
  await page.locator("tr", { hasText: "$0.33" }).waitFor();
  assert.equal(await page.inputValue("#refund-amount"), "0.5", "what was typed is there");
  assert.equal(await page.evaluate(() => document.activeElement.id), "refund-amount", "and still has the focus");
  await page.keyboard.type("0");
  assert.equal(await page.inputValue("#refund-amount"), "0.50");
  const unfolded = page.locator("details[open] summary", { hasText: "The payment intent" });
  assert.ok(await unfolded.isVisible(), "it is still open");
  await page.getByRole("button", { name: /^Refund/ }).click();
  await page.getByRole("status").getByText("The payment was refunded.").waitFor();
  assert.equal(new URL(page.url()).search, "", "what was done is told once");

  await page.goto(`${place.url}/payments`);
  await page.evaluate(() => { globalThis.sameDocument = true; });
  await page.locator(`#row-${elsewhere.id}`).waitFor();
  const added = await session("user_live");
  await page.locator("tbody tr").first().getByText("user_live").waitFor();
  await confirm(added, "pm_card_visa");
  await page.locator(`#row-${added.id}`).getByText("paid", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true, "the page was never loaded again");
  await close();
  return "a page shows what happens, and keeps what was typed, opened and focused";
}

async function aFormThatIsFilledInIsLeftAlone(browser) {
  const { page, close } = await open(browser, "light", DESKTOP);
  await page.goto(`${place.url}/_sandbox`);
  await page.fill("#hold", "charge.*");
  await page.locator("h1").click(); // the focus is elsewhere
  await control("deliveries/mode", { hold: ["refund.created"], drop_next: 3 });
  await page.getByText("The next 3 will be dropped.").waitFor();
  assert.equal(await page.inputValue("#hold"), "charge.*", "what was typed is there");
  assert.equal(await page.inputValue("#drop_next"), "", "and nothing else in its form has moved");
  await control("deliveries/mode", { hold: false, drop_next: 0 });

  const { session: id, intent } = await paid("user_typing");
  await page.goto(`${place.url}/payments/${id}`);
  await page.fill("#refund-amount", "1.5");
  await control(`payment_intents/${intent}/refund`);
  await page.locator("h1", { hasText: "refunded" }).waitFor();
  assert.equal(await page.inputValue("#refund-amount"), "1.5", "the form is there, although nothing is left to refund");
  await page.fill("#refund-amount", "");
  await page.locator("h1").click();
  await session("user_after_typing");
  await page.locator("#refund-amount").waitFor({ state: "detached" });
  await close();
  return "a form that somebody fills in stays as it is until it is left empty";
}

async function openRowsStayWhenTheListMovesOn(browser) {
  await fill();
  const { page, close } = await open(browser, "light", DESKTOP);
  await page.goto(`${place.url}/events`);
  const oldest = page.locator("ul.rows > li").last();
  const id = await oldest.getAttribute("id");
  await oldest.locator("summary").click();
  await oldest.locator("pre").evaluate((pre) => { pre.scrollTop = 40; });
  await paid("user_moves");
  await page.locator("ul.rows > li", { hasText: "charge.updated" }).first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll("ul.rows > li").length > 20);
  assert.ok(await page.locator(`#${id} pre`).isVisible(), "the row that is read is still there");
  assert.equal(await page.locator(`#${id} pre`).evaluate((pre) => pre.scrollTop), 40, "where it was read");
  await page.locator(`#${id} summary`).click();
  await session("user_more");
  await paid("user_moves_on");
  await page.waitForFunction((gone) => !document.getElementById(gone), id);
  assert.equal(await page.locator("ul.rows > li").count(), 20);
  await close();
  return "a row that is unfolded stays until it is folded";
}

async function pausedPagesStayAsTheyAre(browser) {
  await fill();
  const { page, close } = await open(browser, "light", PHONE);
  const other = await open(browser, "light", DESKTOP);
  await page.goto(`${place.url}/payments`);
  await other.page.goto(`${place.url}/payments`);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused: the page stays as it is.").waitFor();
  await check(page, "paused-phone");
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await session("user_paused");
  await other.page.getByText("user_paused", { exact: true }).waitFor();
  await session("user_paused_again");
  await other.page.getByText("user_paused_again").waitFor();
  assert.deepEqual(asked, [], "a paused page asks for nothing");
  assert.equal(await page.getByText("user_paused").count(), 0);
  await page.getByRole("button", { name: "Refresh again" }).click();
  await page.getByText("user_paused_again").waitFor();
  await other.close();
  await close();
  return "refreshing can be paused and goes on";
}

async function timesGrowOlderWithTheSandboxsClock(browser) {
  const { page, close } = await open(browser, "dark", DESKTOP);
  await page.goto(`${place.url}/`);
  const before = await page.locator("#now").textContent();
  assert.match(before, /^\d\d:\d\d:\d\d UTC$/);
  await page.waitForFunction((old) => document.getElementById("now").textContent !== old, before);
  await page.goto(`${place.url}/_sandbox`);
  await page.selectOption("#advance_seconds", "180");
  await page.getByRole("button", { name: "Advance the clock" }).click();
  await page.getByRole("status").getByText("The clock was advanced").waitFor();
  await page.getByText("3 min ahead of this machine").waitFor();
  await page.goto(`${place.url}/payments`);
  const time = page.locator("tbody time").first();
  assert.match(await time.textContent(), /^[34] min ago$/);
  assert.match(await time.getAttribute("title"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  await close();
  return "times are relative to the sandbox's clock, which is shown";
}

async function whatCannotBeUndoneIsAskedTwice(browser) {
  const { page, close } = await open(browser, "light", PHONE);
  await page.goto(`${place.url}/_sandbox`);
  const endpoint = page.locator("#endpoints .card", { hasText: "127.0.0.1:9" });
  assert.equal(await endpoint.getByRole("button", { name: /Remove/ }).count(), 0, "the button is behind a click");
  await endpoint.getByText(/^Remove…/).click();
  await endpoint.getByText("its undelivered events are lost").waitFor();
  await check(page, "remove-phone");
  await endpoint.getByRole("button", { name: /Remove/ }).click();
  await page.getByRole("status").getByText("The webhook endpoint is removed.").waitFor();
  assert.equal(await page.getByText("127.0.0.1:9").count(), 0);
  await close();
  return "an endpoint is removed only after a second click that says what is lost";
}

async function disturbancesAreSeenOnEveryPageAndEnded(browser) {
  const { page, close } = await open(browser, "light", PHONE);
  await page.goto(`${place.url}/_sandbox`);
  await page.getByLabel("How requests fail").selectOption("500");
  await page.getByRole("button", { name: "Begin the outage" }).click();
  await page.getByText("The API fails.").waitFor();
  await page.getByLabel("Hold everything back").check();
  await page.getByRole("button", { name: "Use this mode" }).click();
  await page.getByText("Webhooks are disturbed.").waitFor();
  await page.goto(`${place.url}/`);
  await check(page, "disturbed-phone");
  await page.getByRole("button", { name: /^End the outage/ }).click();
  await page.getByRole("status").getByText("The outage has ended.").waitFor();
  await page.getByRole("button", { name: /^Deliver normally/ }).click();
  await page.getByRole("status").getByText("delivered normally").waitFor();
  assert.equal(await page.locator(".notice.wait").count(), 0);
  await page.goto(`${place.url}/_sandbox`);
  await page.locator("#fault-path").fill("/x");
  await page.getByRole("button", { name: "Add the fault" }).click();
  await page.getByRole("alert").getByText("must begin with /v1/").waitFor();
  await check(page, "mistake-phone");
  await close();
  return "an outage and a mode are told on every page, with the button that ends them";
}

async function byKeyboardAlone(browser) {
  const known = await fill();
  const { page, close } = await open(browser, "light", DESKTOP);
  await page.goto(`${place.url}/`);
  await page.keyboard.press("Tab");
  await page.locator(":focus", { hasText: /^Skip to the content$/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.locator("#main:focus").waitFor();
  await page.keyboard.press("/");
  await page.locator("#q:focus").waitFor();
  await page.keyboard.type("user_5");
  await page.keyboard.press("Enter");
  await page.getByText("What fits").waitFor();
  await tabTo(page, /^\$2\.89/);
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "processing" }).waitFor();
  assert.ok(page.url().endsWith(known.delayed));
  await tabTo(page, /^Money arrives/);
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("The delayed payment is decided.").waitFor();
  await page.locator("h1", { hasText: "paid" }).waitFor();
  await close();
  return "a payment is found and settled by keyboard alone";
}

async function theCheckoutTellsItsMistakes(browser) {
  for (const scheme of ["light", "dark"]) {
    const { page, close } = await open(browser, scheme, PHONE);
    const { url } = await session("user_checkout", { currency: "eur", more: {
      "allowed_payment_method_types[0]": "card", "allowed_payment_method_types[1]": "sepa_debit" } });
    await page.goto(url);
    await page.click("#pay");
    await page.getByText("Your card number is incomplete.").waitFor();
    await check(page, `checkout-mistakes-${scheme}`);
    await page.click("#pay-debit");
    await page.getByText("Your name is incomplete.").waitFor();
    await check(page, `checkout-debit-mistakes-${scheme}`);
    assert.equal(await page.evaluate(() => document.scripts.length), 0, "the customer's page has no script");
    await page.getByLabel("Email").first().fill("ada@example.com");
    await page.getByLabel("Card number").fill("4000000000009995");
    await page.getByLabel("Expiry").fill("12 / 40");
    await page.getByLabel("CVC").fill("123");
    await page.click("#pay");
    await page.getByRole("alert").getByText("Your card has insufficient funds.").waitFor();
    await check(page, `checkout-declined-${scheme}`);
    await close();
  }
  return "the checkout says at each field what is missing, and why a card was declined";
}

const SCENARIOS = [
  emptyPagesSayWhatToDoNext,
  everyPageInLightAndDarkOnDeskAndPhone,
  withoutJavaScript,
  refreshesByItselfAndLosesNothing,
  aFormThatIsFilledInIsLeftAlone,
  openRowsStayWhenTheListMovesOn,
  pausedPagesStayAsTheyAre,
  byKeyboardAlone,
  disturbancesAreSeenOnEveryPageAndEnded,
  theCheckoutTellsItsMistakes,
  whatCannotBeUndoneIsAskedTwice,
  timesGrowOlderWithTheSandboxsClock,
];

// ---- Steps ----

async function open(browser, colorScheme, viewport, more = {}) {
  const isMobile = viewport === PHONE;
  const context = await browser.newContext({ colorScheme, viewport, isMobile, hasTouch: isMobile, ...more });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    const expected = /status of (400|402|404)/.test(message.text());
    if (message.type() === "error" && !expected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    const isOwn = url.startsWith(place.url) || url.startsWith(place.empty) || url.startsWith("data:");
    if (!isOwn) complaints.push(`asked elsewhere: ${url}`);
  });
  const close = async () => {
    assert.deepEqual(complaints, []);
    await context.close();
  };
  return { page, close };
}

async function tabTo(page, text) {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    if (text.test(await page.evaluate(() => document.activeElement.textContent))) return;
  }
  assert.fail(`${text} cannot be reached by Tab`);
}

const shot = (name) => join(ARTIFACTS, `sandbox-${name}.png`);

// Everything that is folded is opened, so that it is checked too.
async function check(page, name) {
  await screenshot(page, { path: shot(name), fullPage: true });
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    const shown = (node) => `${node.html} ${node.failureSummary}`;
    return result.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 3).map(shown) }));
  });
  assert.deepEqual(violations, [], `${name}: ${JSON.stringify(violations, null, 2)}`);
  const overflow = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  assert.ok(overflow <= 0, `${name} scrolls sideways by ${overflow} px`);
}

async function run(browser, scenario) {
  const told = await scenario(browser);
  console.log(`ok: ${told}`);
}

await runAll(SCENARIOS, run, { ARTIFACTS, CHROMIUM });
