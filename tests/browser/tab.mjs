// A customer's tab on the shop: what they do and see there, and how the browser is asked about it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAll } from "./scenarios.mjs";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const ARTIFACTS = process.env.ARTIFACTS ?? fileURLToPath(new URL("../../artifacts/browser", import.meta.url));
const CHROMIUM = process.env.CHROMIUM
  ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
assert.ok(CHROMIUM, "Chromium is not installed: apt-get install chromium, or set CHROMIUM");

const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740 };
export const CARD =
  { email: "a@example.com", card_number: "4242424242424242", exp: "12 / 34", cvc: "123", name: "Test" };
const axe = createRequire(import.meta.url)("axe-core").source;

class Tab {
  constructor(page, name, { shop, series }) {
    Object.assign(this, { page, name, shop, series, shots: 0, troubles: [] });
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on("pageerror", (error) => this.troubles.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      const isShop = (message.location().url || page.url()).startsWith(shop.url) || page.url().startsWith(shop.url);
      if (message.type() === "error" && isShop) this.troubles.push(message.text());
    });
  }

  /** These messages of the browser's console are as they should be. */
  allow(pattern) {
    this.troubles = this.troubles.filter((trouble) => !pattern.test(trouble));
  }

  async shot(step) {
    this.shots += 1;
    const path = join(ARTIFACTS, `${this.series}-${this.name}-${this.shots}-${step}.png`);
    await screenshot(this.page, { path, fullPage: true });
  }

  async open(path) {
    await this.page.goto(`${this.shop.url}${path}`);
    await this.page.locator("#balance[data-credits]").waitFor();
  }

  async buy() {
    await this.page.click("#buy");
    await this.pay();
  }

  async pay() {
    await this.page.locator("#pay").waitFor();
    for (const [name, value] of Object.entries(CARD)) await this.page.fill(`[name=${name}]`, value);
    await this.page.click("#pay");
    await this.page.waitForURL((url) => url.origin === this.shop.url);
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

  async expectNoSidewaysScrolling() {
    const excess = await this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(excess <= 0, `the page is ${excess} px wider than the screen`);
  }

  /** axe-core finds nothing on the page, also within the elements. */
  async expectAccessible() {
    await this.page.evaluate(axe);
    const found = await this.page.evaluate(async () => {
      const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
      return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
    });
    assert.deepEqual(found, []);
  }

  async tabTo(selector) {
    const target = this.page.locator(selector);
    for (let presses = 0; presses < 30; presses += 1) {
      if (await target.evaluate((it) => it === it.getRootNode().activeElement)) return;
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`${selector} cannot be reached with Tab`);
  }
}

/** Runs scenarios, `[name, function, viewport?]`, each in a browser context of its own. */
export async function runInTabs(scenarios, about) {
  await runAll(scenarios, async (browser, [name, scenario, viewport = WIDE]) => {
    const context = await browser.newContext({ viewport, locale: "en-US" });
    const tab = new Tab(await context.newPage(), name, about);
    try {
      const sentence = await scenario(tab);
      assert.deepEqual(tab.troubles, [], "the page's console should be silent");
      console.log(`ok - ${sentence}`);
    } catch (error) {
      const path = join(ARTIFACTS, `failure-${about.series}-${name}.png`);
      await tab.page.screenshot({ path, fullPage: true }).catch(() => {});
      throw new Error(`not ok - ${name}: ${error.message} ${tab.troubles}`, { cause: error });
    } finally {
      await context.close();
    }
  }, { ARTIFACTS, CHROMIUM });
}
