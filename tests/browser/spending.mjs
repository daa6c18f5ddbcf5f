// Spending as a customer sees it, in a real browser: the demo page writes a text and charges for each word, runs out,
// is topped up and goes on.
//
//   DEMO_URL=http://127.0.0.1:8080 ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node spending.mjs
//
// The demo customer has no credits at first, and a word costs one credit. The scenarios follow one another on this one
// account. Nothing sleeps; every wait is for a condition. The first failure ends the run with status 1 and leaves
// `failure-<scenario>.png`.

import assert from "node:assert/strict";
import { join } from "node:path";
import { runAll } from "./scenarios.mjs";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const { DEMO_URL, ARTIFACTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!DEMO_URL || !ARTIFACTS) {
  console.error("usage: DEMO_URL=… ARTIFACTS=folder [CHROMIUM=/usr/bin/chromium] node spending.mjs");
  process.exit(2);
}

const demoOrigin = new URL(DEMO_URL).origin;
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
const CARD = { email: "a@example.com", card_number: "4242424242424242", exp: "12 / 34", cvc: "123", name: "Test" };

// ---- Scenarios ----

async function nothingToSpend(tab) {
  await tab.open();
  await tab.expectText("#grants", /^Nothing yet\.$/);
  await tab.page.click("#generate");
  await tab.expectState("out");
  await tab.expectText("#work-status", /^You are out of credits\s+Buy some more first\.\s+Buy credits$/);
  await tab.shot("nothing");
  await tab.page.getByRole("button", { name: "Buy credits" }).click();
  const focused = await tab.page.evaluate(() => document.activeElement.shadowRoot?.activeElement.id);
  assert.equal(focused, "credits", "the button leads to the form");
  return "without credits the page says so, and its button leads to the form";
}

/** A present is spent before what was bought, and says when it ends. */
async function runsOutAndGoesOn(tab) {
  await tab.open();
  await tab.buy(60);
  await tab.expectText("#grants", /^Bought\s+does not end\s+60\s+of 60$/);
  await tab.page.click("#gift");
  const both = /^A present\s+ends at \d+:\d\d:\d\d [AP]M\s+30\s+of 30\s+Bought\s+does not end\s+60\s+of 60$/;
  await tab.expectText("#grants", both);
  await tab.expectNumbers(90, 90, 0);
  await tab.shot("granted");

  await tab.watchMeter();
  await tab.page.click("#generate");
  await tab.expectText("#text", /(\S+ ){50}/);
  await tab.shot("writing");
  await tab.expectState("out");
  const told = /^You are out of credits\s+90 words written, 90 credits charged\. Buy some more, and the text goes on/;
  await tab.expectText("#work-status", told);
  await tab.expectNumbers(0, 0, 0);
  assert.equal(await tab.words(), 90);
  const seen = await tab.seenMeter();
  const steps = [...new Set(seen.map(({ available, held }) => `${available}/${held}`))];
  // 40 words are held, then 80, then what there is.
  assert.deepEqual(steps, ["90/0", "50/40", "10/80", "0/90", "0/0"], `the meter showed ${steps}`);
  const growing = seen.map(({ written }) => written);
  assert.ok(new Set(growing).size > 60, `the part that is written grew: ${growing}`);
  await tab.expectText("#grants", /^Nothing yet\.$/);
  await tab.expectText("#ledger", /^Spent[^]*-\d+[^]*Spent[^]*-\d+[^]*Present[^]*\+30/);
  await tab.shot("out");

  await tab.page.getByRole("button", { name: "Buy credits" }).click();
  await tab.buy(100);
  await tab.expectText("#work-status", /^You have credits again/);
  await tab.shot("bought");
  await tab.page.getByRole("button", { name: "Continue writing" }).click();
  await tab.expectState("finished");
  const words = await tab.words();
  assert.ok(words > 120, `the text has ${words} words`);
  await tab.expectNumbers(190 - words, 190 - words, 0);
  await tab.shot("finished");
  return "the meter moves while words come; without credits it stops, and after a purchase it goes on";
}

/** What the page showed is charged, and the few words that were on their way. */
async function leavesInTheMiddle(tab) {
  await tab.open();
  await tab.buy(200);
  const before = await tab.balance();
  await tab.page.click("#generate");
  await tab.expectText("#text", /(\S+ ){10}/);
  await tab.page.goto("about:blank");
  await tab.open();
  const words = await tab.words();
  await tab.expectText("#held", /^0$/); // without a click: the page asks until nothing is held
  const charged = before - (await tab.balance());
  assert.ok(words >= 10 && charged >= words && charged <= words + 25, `${words} words, ${charged} credits`);
  await tab.expectText("#ledger tr:first-child", new RegExp(`^Spent[^]*-${charged}\\b`));
  await tab.shot("left");

  await tab.page.getByRole("button", { name: "Continue writing" }).click();
  await tab.expectText("#text", new RegExp(`(\\S+ ){${words + 10}}`));
  await tab.page.getByRole("button", { name: "Stop" }).click();
  await tab.expectText("#work-status", /^You stopped it\s+Only what was written is charged\.$/);
  await tab.expectText("#held", /^0$/);
  const stopped = before - charged - (await tab.balance());
  const more = (await tab.words()) - words;
  assert.ok(stopped >= more && stopped <= more + 25, `${more} words, ${stopped} credits`);
  return "who leaves or stops in the middle pays for what was written";
}

async function twoTabs(tab, context) {
  await tab.open();
  await tab.buy(200);
  const before = await tab.balance();
  const other = new Tab(await context.newPage(), "other");
  await other.open();
  const both = [tab, other];
  for (const one of both) await one.page.click("#generate");
  for (const one of both) await one.expectState("finished");
  const after = before - (await tab.words()) - (await other.words());
  for (const one of both) await one.expectNumbers(after, after, 0);
  assert.deepEqual(other.troubles, []);
  return "two tabs write at once, and both show what is left";
}

async function onAPhoneByKeyboard(tab) {
  await tab.page.emulateMedia({ colorScheme: "dark" });
  await tab.open();
  await tab.expectNoSidewaysScrolling();
  await tab.tabTo("#prompt");
  await tab.page.keyboard.press("Enter");
  await tab.expectText("#text", /(\S+ ){20}/);
  await tab.expectNoSidewaysScrolling();
  await tab.shot("dark");
  assert.match(await tab.page.locator("#meter-says").innerText(), /^\d+ credits available, \d+ credits held\.$/);
  await tab.tabTo("#stop");
  await tab.page.keyboard.press("Enter");
  await tab.expectState("stopped");
  assert.equal(await tab.page.evaluate(() => document.activeElement.id), "generate", "the focus is not lost");
  await tab.expectText("#held", /^0$/);
  await tab.tabTo("#gift");
  await tab.page.keyboard.press("Enter");
  await tab.expectText("#grants", /^A present\s+ends at/);
  await tab.page.emulateMedia({ colorScheme: "light" });
  await tab.expectNoSidewaysScrolling();
  await tab.shot("light");
  return "on a phone the page fits, and the keyboard alone is enough";
}

const SCENARIOS = [
  ["nothing", nothingToSpend],
  ["runs-out", runsOutAndGoesOn],
  ["leave", leavesInTheMiddle],
  ["two-tabs", twoTabs],
  ["phone", onAPhoneByKeyboard, PHONE],
];

// ---- What a customer does and sees ----

class Tab {
  constructor(page, name) {
    Object.assign(this, { page, name, shots: 0, troubles: [] });
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on("pageerror", (error) => this.troubles.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      // A refusal is an answer like others, which the browser reports all the same.
      if (message.type() === "error" && !/status of 40[29]/.test(message.text())) this.troubles.push(message.text());
    });
  }

  async shot(step) {
    this.shots += 1;
    const path = join(ARTIFACTS, `spending-${this.name}-${this.shots}-${step}.png`);
    await screenshot(this.page, { path, fullPage: true });
  }

  async open() {
    await this.page.goto(`${demoOrigin}/`);
    await this.page.locator("#balance[data-credits]").waitFor();
    await this.expectText("#quote-total", /\d/);
  }

  /** The balance that the page shows, once it has been told. */
  async balance() {
    await this.page.locator("#balance[data-credits]").waitFor();
    return Number(await this.page.getAttribute("#balance", "data-credits"));
  }

  /** Buys, and waits until the page shows the new balance. */
  async buy(credits) {
    const before = await this.balance();
    await this.page.fill("buy-credits #credits", String(credits));
    await this.expectText("#quote-credits", new RegExp(`^${credits} credits$`));
    await this.page.click("#buy");
    await this.page.locator("#pay").waitFor();
    for (const [name, value] of Object.entries(CARD)) await this.page.fill(`[name=${name}]`, value);
    await this.page.click("#pay");
    await this.page.locator('#status[data-state="paid"]').waitFor();
    await this.page.locator(`#balance[data-credits="${before + credits}"]`).waitFor();
  }

  /** Waits until the meter shows these numbers. */
  async expectNumbers(remaining, available, held) {
    await this.expectText("#balance", new RegExp(`^${remaining}$`));
    await this.expectText("#available", new RegExp(`^${available}$`));
    await this.expectText("#held", new RegExp(`^${held}$`));
  }

  async expectState(state) {
    await this.page.locator(`.work[data-state="${state}"]`).waitFor();
  }

  async expectText(selector, pattern) {
    const deadlineMs = Date.now() + TIMEOUT_MS;
    for (;;) {
      const seen = (await this.page.locator(selector).innerText()).trim();
      if (pattern.test(seen)) return;
      assert.ok(Date.now() < deadlineMs, `${selector} should show ${pattern}, but shows ${JSON.stringify(seen)}`);
      await this.page.evaluate(() => new Promise(requestAnimationFrame)); // wait for the next paint
    }
  }

  /** Notes what the meter shows, each time that it changes. */
  async watchMeter() {
    await this.page.evaluate(() => {
      const meter = document.querySelector("credits-meter").shadowRoot;
      const number = (id) => Number(meter.getElementById(id).textContent);
      window.seen = [];
      const note = () => {
        window.seen.push({ available: number("available"), held: number("held"), written: number("used") });
      };
      note();
      new MutationObserver(note).observe(meter.querySelector("dl"), { subtree: true, childList: true });
    });
  }

  seenMeter() {
    return this.page.evaluate(() => window.seen);
  }

  async words() {
    return (await this.page.locator("#text").innerText()).trim().split(/\s+/).filter(Boolean).length;
  }

  async expectNoSidewaysScrolling() {
    const excess = await this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(excess <= 0, `the page is ${excess} px wider than the screen`);
  }

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

async function run(browser, [name, scenario, viewport = WIDE]) {
  const context = await browser.newContext({ viewport, locale: "en-US" });
  const tab = new Tab(await context.newPage(), name);
  try {
    const sentence = await scenario(tab, context);
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
