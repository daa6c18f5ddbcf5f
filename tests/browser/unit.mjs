// The demo page of a service whose credits are millionths of a dollar, in a real browser: people read decimals, and the
// API is asked in integers.
//
//   DEMO_URL=http://127.0.0.1:8080 ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node unit.mjs
//
// The service has CREDIT_UNIT_CREDITS=10000, CREDIT_UNIT_AMOUNT=1, CREDIT_DISPLAY_DECIMALS=6 and
// MAX_CREDITS=1000000000, and its demo customer has bought 2,500,000 credits, of which a refund took 10,000 back.
// Nothing sleeps; the first failure ends the run with status 1.

import assert from "node:assert/strict";
import { join } from "node:path";
import { runAll } from "./scenarios.mjs";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const { DEMO_URL, ARTIFACTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!DEMO_URL || !ARTIFACTS) {
  console.error("usage: DEMO_URL=… ARTIFACTS=folder [CHROMIUM=/usr/bin/chromium] node unit.mjs");
  process.exit(2);
}

const demoOrigin = new URL(DEMO_URL).origin;

// ---- Scenarios ----

async function balanceAndLedger(page) {
  await expectText(page, "#balance", /^2\.49$/);
  await expectText(page, "#available", /^2\.49$/);
  await expectText(page, "#balance-note", /^2\.49 in all, 0\.00 used\./);
  await expectText(page, "#ledger", /-0\.01\s+2\.49[^]*\+2\.50\s+2\.50/);
  return "the balance and the ledger are shown with decimals";
}

async function amountsOnTheForm(page) {
  await expectText(page, ".quick", /^2\.50\s+10\.00\s+50\.00$/);
  await expectQuote(page, "2.50", "$2.50", "$0.39", "$2.89");
  await page.getByRole("button", { name: "10.00", exact: true }).click();
  await expectQuote(page, "10.00", "$10.00", "$0.61", "$10.61");
  await page.fill("buy-credits #credits", "0.18");
  await expectQuote(page, "0.18", "$0.18", "$0.32", "$0.50");
  await page.fill("buy-credits #credits", "1000");
  await expectText(page, "#quote-credits", /^1,000\.00 credits$/);
  const choose = /^Please choose between 0\.18 and 1,000\.00 credits, in steps of 0\.01\.$/;
  for (const amount of ["2.505", "0.17", "0.000001", "1000.01", "2.5000001", "0", "-1", ""]) {
    await page.fill("buy-credits #credits", amount);
    await expectText(page, "#quote-problem", choose);
    assert.equal(await page.locator("#buy").isDisabled(), true, amount);
    await page.fill("buy-credits #credits", "2.5");
    await expectText(page, "#quote-problem", /^$/);
  }
  await screenshot(page, { path: join(ARTIFACTS, "unit-form.png"), fullPage: true });
  return "amounts are typed and quoted with decimals, and other amounts are answered with limits and steps";
}

async function purchase(page) {
  const asked = [];
  await page.route("**/credits/sessions", (route) => {
    asked.push(route.request().postDataJSON().credits);
    return route.fulfill({ status: 502, json: { status: 502, code: "provider_refused" } });
  });
  for (const amount of ["2.5", "0.29", "4.35", "999.99"]) { // 0.29 * 10 ** 6 is not a whole number in floating point
    await page.fill("buy-credits #credits", amount);
    await expectText(page, "#quote-credits", new RegExp(`^${Number(amount).toFixed(2)} credits$`));
    const told = page.waitForResponse("**/credits/sessions");
    await page.click("#buy");
    await told;
    await page.locator("#buy:enabled").waitFor();
  }
  assert.deepEqual(asked, [2_500_000, 290_000, 4_350_000, 999_990_000]);
  return "a purchase asks for the integer";
}

const SCENARIOS = [balanceAndLedger, amountsOnTheForm, purchase];

// ---- Steps ----

async function expectQuote(page, credits, price, fee, total) {
  const exactly = (text) => new RegExp(`^${text.replace(/[.$]/g, "\\$&")}$`);
  await expectText(page, "#quote-credits", exactly(`${credits} credits`));
  await expectText(page, "#quote-price", exactly(price));
  await expectText(page, "#quote-fee", exactly(fee));
  await expectText(page, "#quote-total", exactly(total));
}

async function expectText(page, selector, pattern) {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  for (;;) {
    const seen = (await page.locator(selector).innerText()).trim();
    if (pattern.test(seen)) return;
    assert.ok(Date.now() < deadlineMs, `${selector} should show ${pattern}, but shows ${JSON.stringify(seen)}`);
    await page.evaluate(() => new Promise(requestAnimationFrame)); // wait for the next paint
  }
}

// ---- Running ----

async function run(browser, scenario) {
  const page = await browser.newPage({ locale: "en-US" });
  page.setDefaultTimeout(TIMEOUT_MS);
  try {
    await page.goto(`${demoOrigin}/`);
    await expectText(page, "#quote-total", /\d/);
    console.log(`ok - ${await scenario(page)}`);
  } catch (error) {
    await page.screenshot({ path: join(ARTIFACTS, `failure-${scenario.name}.png`), fullPage: true }).catch(() => {});
    throw new Error(`not ok - ${scenario.name}: ${error.message}`, { cause: error });
  } finally {
    await page.close();
  }
}

await runAll(SCENARIOS, run, { ARTIFACTS, CHROMIUM });
