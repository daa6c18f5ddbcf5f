// A plan from its trial to its end, and the automatic top-up, as a customer of the demo page sees them in a real browser.
// Buttons move the customer's time and let the bank decline.
//
//   DEMO_URL=http://127.0.0.1:8080 ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node plans.mjs
//
// The scenarios follow one another on the demo's one account, which has no credits at first. Nothing sleeps; every wait is
// for a condition. The first failure ends the run with status 1 and leaves `failure-<scenario>.png`.

import assert from "node:assert/strict";
import { join } from "node:path";
import { runAll } from "./scenarios.mjs";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const { DEMO_URL, ARTIFACTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!DEMO_URL || !ARTIFACTS) {
  console.error("usage: DEMO_URL=… ARTIFACTS=folder [CHROMIUM=/usr/bin/chromium] node plans.mjs");
  process.exit(2);
}

const demoOrigin = new URL(DEMO_URL).origin;
const JSON_BODY = { "content-type": "application/json" };
const CARD = { email: "a@example.com", card_number: "4242424242424242", exp: "12 / 34", cvc: "123", name: "Test" };

class Tab {
  constructor(page, name) {
    Object.assign(this, { page, name, shots: 0, troubles: [] });
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on("pageerror", (error) => this.troubles.push(`page error: ${error.message}`));
    page.on("console", (message) => message.type() === "error" && this.troubles.push(message.text()));
  }

  async shot(step) {
    this.shots += 1;
    await screenshot(this.page, { path: join(ARTIFACTS, `plans-${this.name}-${this.shots}-${step}.png`), fullPage: true });
  }

  async open() {
    await this.page.goto(`${demoOrigin}/`);
    await this.page.locator("manage-plan[state]:not([state=loading])").waitFor();
  }

  plan(id) {
    return this.page.locator(`manage-plan [data-plan=${id}]`);
  }

  press(name) {
    return this.page.locator("manage-plan").getByRole("button", { name, exact: true }).click();
  }

  async expectPlan(state, title) {
    await this.page.locator(`manage-plan[state=${state}]`).waitFor();
    if (title) await this.page.locator("manage-plan #current", { hasText: title }).waitFor();
  }

  /** The balance, and the newest entry of the ledger. */
  async expectCredits(credits, entry) {
    await this.page.locator("#balance-note", { hasText: `${credits.toLocaleString("en")} in all` }).waitFor();
    if (entry) await this.page.locator("#ledger tr:first-child", { hasText: entry }).waitFor();
  }

  /** A button of the part for the developer, and what it says. */
  async control(id, said) {
    await this.page.click(`#${id}`);
    await this.page.locator("#time-status", { hasText: said }).waitFor();
  }

  /** An answer of the service, as soon as it is so. */
  async ask(path, isSo) {
    const login = await fetch(`${demoOrigin}/demo/token`, { method: "POST", headers: JSON_BODY, body: "{}" });
    const { token } = await login.json();
    for (const end = Date.now() + TIMEOUT_MS; ;) {
      const answer = await fetch(`${demoOrigin}${path}`, { headers: { authorization: `Bearer ${token}` } });
      const body = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(body));
      if (isSo(body)) return body;
      assert.ok(Date.now() < end, `${path}: ${JSON.stringify(body)}`);
      await this.page.evaluate(() => new Promise(requestAnimationFrame)); // wait for the next paint
    }
  }

  async pay() {
    await this.page.locator("#pay").waitFor();
    for (const [name, value] of Object.entries(CARD)) {
      const field = this.page.locator(`[name=${name}]`);
      if (await field.count()) await field.fill(value);
    }
    await this.page.click("#pay");
  }
}

// ---- Scenarios ----

async function tries(tab) {
  await tab.open();
  await tab.expectPlan("none");
  await tab.control("renew", "there is no saved card and no plan yet");
  tab.troubles = tab.troubles.filter((text) => !text.includes("409"));
  await tab.plan("starter").getByRole("button", { name: "Start free trial" }).click();
  await tab.pay();
  await tab.page.waitForURL((url) => url.origin === demoOrigin);
  await tab.expectPlan("trialing", "Starter");
  await tab.expectCredits(100, "Plan");
  await tab.shot("trial");
  return "a trial begins, and its credits are there";
}

async function isPaidAndUpgrades(tab) {
  await tab.open();
  await tab.control("renew", "The time of the next renewal has come");
  await tab.expectPlan("active", "Starter");
  await tab.expectCredits(1_000);
  await tab.shot("paid");
  await tab.plan("studio").getByRole("button", { name: "Change to this plan" }).click();
  await tab.page.locator("manage-plan #question", { hasText: "Studio begins now" }).waitFor();
  await tab.press("Change plan");
  await tab.expectPlan("active", "Studio");
  await tab.expectCredits(3_000, "Plan");
  await tab.shot("upgraded");
  return "the trial ends with the first payment, and a better plan brings the difference";
}

async function failsAndRecovers(tab) {
  await tab.open();
  await tab.control("decline", "The bank declines");
  await tab.control("renew", "The time of the next renewal has come");
  await tab.expectPlan("past_due", "Studio");
  const { totalCredits } = await tab.ask("/credits", () => true);
  assert.equal(totalCredits, 3_000, "nothing was paid");
  await tab.shot("past-due");
  await tab.control("accept", "accepts this customer's cards again");
  const invoice = await tab.page.locator("manage-plan").getByRole("link", { name: "Pay now" }).getAttribute("href");
  await tab.page.goto(invoice);
  await tab.page.click("#pay-saved");
  await tab.page.locator("#status", { hasText: "Paid on" }).waitFor();
  await tab.open();
  await tab.expectPlan("active", "Studio");
  await tab.expectCredits(6_000, "Plan");
  await tab.shot("recovered");
  return "a renewal that fails brings nothing, and its late payment brings its credits";
}

async function refillsByItself(tab) {
  await tab.open();
  const automatic = tab.page.locator("auto-topup");
  await automatic.getByLabel("When fewer credits than this are available").fill("5990");
  await automatic.getByLabel("Buy so many credits").fill("1000");
  await automatic.getByRole("checkbox").check();
  await automatic.getByRole("button", { name: "Turn on" }).click();
  await tab.page.locator("auto-topup[state=active]").waitFor();
  await tab.page.fill("#prompt", "the sea");
  await tab.page.click("#generate");
  await tab.page.locator("#ledger tr", { hasText: "Top-up" }).waitFor();
  await tab.page.locator(".work[data-state=finished]").waitFor();
  await tab.shot("refilled");
  const { attempts } = await tab.ask("/auto-topup", (auto) => auto.attempts.every(({ outcome }) => outcome !== "running"));
  assert.deepEqual(attempts.map(({ outcome }) => outcome), ["paid"], "once");
  return "credits that run low are bought by themselves, once";
}

async function ends(tab) {
  await tab.open();
  await tab.press("Cancel plan");
  await tab.page.locator("manage-plan #confirm").click();
  await tab.expectPlan("ending", "Studio");
  await tab.control("renew", "The time of the next renewal has come");
  await tab.expectPlan("none");
  await tab.shot("ended");
  return "a plan that is cancelled ends with its period";
}

// ---- Running ----

const SCENARIOS = Object.entries({ tries, isPaidAndUpgrades, failsAndRecovers, refillsByItself, ends });

async function run(browser, [name, scenario]) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US" });
  const tab = new Tab(await context.newPage(), name);
  try {
    const sentence = await scenario(tab);
    assert.deepEqual(tab.troubles, [], "the page's console should be silent");
    console.log(`ok - ${sentence}`);
  } catch (error) {
    await tab.page.screenshot({ path: join(ARTIFACTS, `failure-${name}.png`), fullPage: true }).catch(() => {});
    throw new Error(`not ok - ${name}: ${error.message} ${tab.troubles}`, { cause: error });
  } finally {
    await context.close();
  }
}

await runAll(SCENARIOS, run, { ARTIFACTS, CHROMIUM });
