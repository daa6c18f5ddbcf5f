// Purchases as a customer makes them, in a real browser: the demo page, the hosted page and the way back.
//
//   DEMO_URL=http://127.0.0.1:8080 ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node purchase.mjs
//
// Scenarios run one after the other on one account with any starting balance: each compares with what it found. Each
// has its own tab. Nothing sleeps; every wait is for a condition. The first failure ends the run with status 1 and
// leaves `failure-<scenario>.png`. An error in the demo page's console fails the current scenario.

import assert from "node:assert/strict";
import { join } from "node:path";
import { runAll } from "./scenarios.mjs";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const { DEMO_URL, ARTIFACTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!DEMO_URL || !ARTIFACTS) {
  console.error("usage: DEMO_URL=… ARTIFACTS=folder [CHROMIUM=/usr/bin/chromium] node purchase.mjs");
  process.exit(2);
}

const demoOrigin = new URL(DEMO_URL).origin;
const PHONE = { width: 360, height: 740 };
const CARD = { accepted: "4242424242424242", declined: "4000000000000002", asksFor3ds: "4000000000003220" };

// ---- Scenarios ----

async function payWithAnAcceptedCard(tab) {
  const before = await tab.openDemo();
  await tab.page.getByRole("button", { name: "1,000", exact: true }).click();
  await tab.expectText("#quote-credits", /^1,000 credits$/);
  await tab.page.fill("buy-credits #credits", "250");
  await tab.expectText("#quote-credits", /^250 credits$/);
  await tab.expectText("#quote-fee", /^\$0\.39$/);
  await tab.expectText("#quote-total", /^\$2\.89$/);
  await tab.shot("quote");

  await tab.goToCheckout();
  await tab.pay(CARD.accepted);
  await tab.expectPaidWithoutReload(before);
  return "250 credits cost $2.89; after the payment the page says so and adds them to the balance without a reload";
}

async function declinedCard(tab) {
  const before = await tab.openDemo();
  await tab.goToCheckout();
  await tab.pay(CARD.declined);
  await tab.expectText("[role=alert]", /Your card was declined\./);
  await tab.page.locator("#pay").waitFor(); // the customer may try another card: the checkout is still open
  await tab.shot("declined");
  await tab.cancel();
  await tab.expectLeftUnchanged(before);
  return "a declined card is told on the hosted page, the checkout stays open, and leaving it changes no balance";
}

async function threeDSecurePassed(tab) {
  const before = await tab.openDemo();
  await tab.goToCheckout();
  await tab.pay(CARD.asksFor3ds);
  await tab.page.locator("#complete-3ds").waitFor();
  await tab.shot("challenge");
  await tab.page.click("#complete-3ds");
  await tab.expectPaidWithoutReload(before);
  return "a card that asks for 3-D Secure pays after the challenge";
}

async function threeDSecureFailed(tab) {
  const before = await tab.openDemo();
  await tab.goToCheckout();
  await tab.pay(CARD.asksFor3ds);
  await tab.page.click("#fail-3ds");
  await tab.expectText("[role=alert]", /\S/);
  await tab.shot("not-authenticated");
  assert.equal(await tab.openDemo(), before, "a failed challenge must not change the balance");
  return "a failed 3-D Secure challenge is told on the hosted page and changes no balance";
}

async function leftTheCheckout(tab) {
  const before = await tab.openDemo();
  await tab.goToCheckout();
  const hostedUrl = tab.page.url();
  await tab.cancel();
  await tab.expectLeftUnchanged(before);
  assert.equal(await tab.page.getByRole("link", { name: "Continue to payment" }).getAttribute("href"), hostedUrl);
  return "a customer who left the checkout is told that nothing was charged, and can go on with the same checkout";
}

async function phoneAndKeyboard(tab) {
  const before = await tab.openDemo();
  await tab.expectNoSidewaysScrolling();
  await tab.tabTo("buy-credits #credits");
  await tab.page.keyboard.press("ControlOrMeta+A");
  await tab.page.keyboard.insertText("250"); // in one step, so that no quote for "2" is requested
  await tab.expectText("#quote-total", /^\$2\.89$/);
  await tab.tabTo("#buy");
  await tab.shot("focus");
  await tab.page.keyboard.press("Enter");
  await tab.expectHostedPage();
  for (const [name, value] of payment(CARD.accepted)) {
    await tab.tabTo(`[name=${name}]`);
    await tab.page.keyboard.press("ControlOrMeta+A");
    await tab.page.keyboard.type(value);
  }
  await tab.tabTo("#pay");
  await tab.page.keyboard.press("Enter");
  await tab.expectPaidWithoutReload(before);
  await tab.expectNoSidewaysScrolling();
  return "on a phone the page fits, and the keyboard alone is enough to buy";
}

/** Done at Stripe by hand, on the sandbox's pages of the newest payment and dispute; the books follow at each step. */
async function refundedDisputedAndWon(tab) {
  const before = await tab.openDemo();
  await tab.goToCheckout();
  const sandbox = new URL(tab.page.url()).origin;
  await tab.pay(CARD.accepted);
  await tab.expectPaidWithoutReload(before);

  const control = async (list, card, act) => {
    await tab.page.goto(`${sandbox}/${list}`);
    await tab.page.locator("tbody a").first().click(); // the newest
    const submitted = tab.page.waitForResponse((response) => response.request().method() === "POST");
    await act(tab.page.locator(`#${card}`));
    assert.equal((await submitted).status(), 303, "the control was refused");
    await tab.page.getByRole("status").getByText("Done.").waitFor();
    await tab.shot(card);
  };
  await control("payments", "refund", async (card) => {
    await card.getByLabel("Amount").fill("1.00");
    await card.getByRole("button", { name: /^Refund/ }).click();
  });
  await tab.expectBooks(before + 150, /Refund.*[-−]100/is);
  await control("payments", "dispute", (card) => card.getByRole("button", { name: /^Dispute/ }).click());
  await tab.expectBooks(before, /Dispute.*[-−]150/is);
  await control("disputes", "decide", async (card) => {
    await card.getByRole("radio", { name: /^Won/ }).check();
    await card.getByRole("button", { name: /^Decide/ }).click();
  });
  await tab.expectBooks(before + 150, /Dispute won.*\+150/is);
  return "refunded in part, disputed and won at Stripe: balance and ledger follow at each step";
}

/** What the hosted page told the customer, the demo page knows too. */
async function declinedIsTold(tab) {
  await tab.openDemo();
  await tab.goToCheckout();
  await tab.pay("4000000000009995");
  await tab.expectText("[role=alert]", /insufficient funds/i);
  await tab.cancel();
  await tab.expectText("buy-credits #status", /declined \(insufficient funds\); nothing was charged/);
  await tab.shot("told");
  return "whoever leaves after a declined card is told why it was declined";
}

const SCENARIOS = [
  ["accepted", payWithAnAcceptedCard],
  ["declined", declinedCard],
  ["3ds-passed", threeDSecurePassed],
  ["3ds-failed", threeDSecureFailed],
  ["left", leftTheCheckout],
  ["phone", phoneAndKeyboard, PHONE],
  ["money-back", refundedDisputedAndWon],
  ["declined-told", declinedIsTold],
];

// ---- What a customer does and sees ----

const payment = (card) => Object.entries(
  { email: "customer@example.com", card_number: card, exp: "12 / 34", cvc: "123", name: "Test Customer" });

/** One customer's tab, from a fresh browser context. */
class Tab {
  constructor(page, name) {
    Object.assign(this, { page, name, shots: 0, demoLoads: 0, troubles: [] });
    page.setDefaultTimeout(TIMEOUT_MS);
    const isDemo = (url) => url.startsWith(demoOrigin);
    page.on("pageerror", (error) => isDemo(page.url()) && this.troubles.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      const url = message.location().url || page.url();
      if (message.type() === "error" && isDemo(url)) this.troubles.push(`console: ${message.text()} (${url})`);
    });
    page.on("request", (request) => {
      if (request.isNavigationRequest() && isDemo(request.url())) this.demoLoads += 1;
    });
  }

  async shot(step) {
    this.shots += 1;
    await screenshot(this.page, { path: join(ARTIFACTS, `${this.name}-${this.shots}-${step}.png`), fullPage: true });
  }

  /** Opens the demo page and returns the balance it shows. */
  async openDemo() {
    await this.page.goto(`${demoOrigin}/`);
    await this.page.locator("#balance[data-credits]").waitFor();
    await this.expectText("#quote-total", /\d/);
    return this.balance();
  }

  /** The balance that the page shows, once it has been told. */
  async balance() {
    await this.page.locator("#balance[data-credits]").waitFor();
    return Number(await this.page.getAttribute("#balance", "data-credits"));
  }

  async expectText(selector, pattern) {
    const matching = this.page.locator(selector).filter({ hasText: pattern });
    await matching.first().waitFor().catch(async () => {
      const seen = await this.page.locator(selector).allTextContents();
      throw new Error(`${selector} should show ${pattern}, but shows ${JSON.stringify(seen)} at ${this.page.url()}`);
    });
  }

  async expectStatus(state) {
    await this.page.locator(`#status[data-state="${state}"]`).waitFor().catch(async () => {
      const status = this.page.locator("buy-credits #status");
      const read = (it) => `${it.dataset.state}: ${it.textContent}`;
      const seen = (await status.count()) ? await status.evaluate(read) : "not on this page";
      throw new Error(`status should be ${state}, but is ${seen} at ${this.page.url()}`);
    });
  }

  async goToCheckout() {
    await this.page.click("#buy");
    await this.expectHostedPage();
  }

  async expectHostedPage() {
    await this.page.waitForURL((url) => url.origin !== demoOrigin);
    await this.page.locator("#pay").waitFor();
    await this.shot("hosted-page");
    this.demoLoads = 0;
  }

  async pay(card) {
    for (const [name, value] of payment(card)) await this.page.fill(`[name=${name}]`, value);
    await this.page.click("#pay");
  }

  async cancel() {
    await this.page.click("#cancel");
  }

  /** Back on the demo page: paid, 250 more, the entry on top; and the address is clean, with nothing loaded twice. */
  async expectPaidWithoutReload(before) {
    await this.expectStatus("paid");
    await this.page.locator(`#balance[data-credits="${before + 250}"]`).waitFor().catch(async () => {
      throw new Error(`the balance should rise from ${before} by 250, but is ${await this.balance()}`);
    });
    await this.expectText("#ledger tr:first-child", /\+250/);
    assert.equal(this.page.url(), `${demoOrigin}/`, "the return should be taken out of the address");
    await this.shot("paid");
    assert.equal(this.demoLoads, 1, "the demo page should be loaded once after the payment");
  }

  /** The demo page, looked at until the webhook has come: the balance, and the newest entry of the ledger. */
  async expectBooks(balance, newest) {
    await this.page.goto(`${demoOrigin}/`);
    const deadlineMs = Date.now() + TIMEOUT_MS;
    await this.page.locator("#balance[data-credits]").waitFor();
    while ((await this.balance()) !== balance && Date.now() < deadlineMs) {
      const answered = this.page.waitForResponse((response) => new URL(response.url()).pathname === "/credits/transactions");
      await this.page.click("#refresh");
      await answered;
    }
    assert.equal(await this.balance(), balance);
    await this.expectText("#ledger tr:first-child", newest);
    await this.shot("books");
  }

  async expectLeftUnchanged(before) {
    await this.expectStatus("cancelled");
    await this.expectText("buy-credits #status", /nothing was charged/);
    assert.equal(await this.balance(), before, "leaving the checkout must not change the balance");
    await this.shot("left");
  }

  async expectNoSidewaysScrolling() {
    const excess = await this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(excess <= 0, `the page is ${excess} px wider than the screen`);
  }

  /** Presses Tab until the element has the focus, as a customer without a mouse has to. */
  async tabTo(selector) {
    const target = this.page.locator(selector);
    for (let presses = 0; presses < 40; presses += 1) {
      if (await target.evaluate((it) => it === it.getRootNode().activeElement)) return;
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`${selector} cannot be reached with Tab`);
  }
}

// ---- Running ----

async function run(browser, [name, scenario, viewport = { width: 1280, height: 900 }]) {
  const context = await browser.newContext({ viewport, locale: "en-US" });
  const tab = new Tab(await context.newPage(), name);
  try {
    const sentence = await scenario(tab);
    assert.deepEqual(tab.troubles, [], "the demo page's console should be silent");
    console.log(`ok - ${sentence}`);
  } catch (error) {
    await tab.page.screenshot({ path: join(ARTIFACTS, `failure-${name}.png`), fullPage: true }).catch(() => {});
    const troubles = tab.troubles.map((trouble) => `\n  ${trouble}`).join("");
    throw new Error(`not ok - ${name}: ${error.message}${troubles}`, { cause: error });
  } finally {
    await context.close();
  }
}

await runAll(SCENARIOS, run, { ARTIFACTS, CHROMIUM });
