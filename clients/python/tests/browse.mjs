// Buys and spends on a page in a real browser: `node browse.mjs shop|example URL`.
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../../tests/browser/package.json", import.meta.url))("playwright-core");
const [kind, url] = process.argv.slice(2);

async function pay(page) {
  await page.fill("[name=email]", "a@example.com");
  await page.fill("[name=card_number]", "4242424242424242");
  await page.fill("[name=exp]", "12/40");
  await page.fill("[name=cvc]", "123");
  await page.fill("[name=name]", "A");
  await page.click("#pay");
  await page.waitForURL(`${url}/**`);
}

const text = (selector, wanted) => (page) =>
  page.waitForFunction(([where, what]) => document.querySelector(where).textContent.includes(what), [selector, wanted]);

// What the page shows, and what the customer does about it.
const scenarios = {
  shop: [
    text("#balance", "0"),
    (page) => page.click("#draw"),
    text("#out", "top it up"),
    (page) => page.click("#buy"),
    pay,
    text("#out", "Thank you."),
    text("#balance", "250"),
    (page) => page.click("#draw"),
    text("#out", "An image for 12 credits."),
    text("#balance", "238"),
  ],
  example: [
    text("#available", "0"),
    text("#price", "$2.89"),
    (page) => page.click("#ask button:not(#stop)"),
    text("#problem", "too few credits"),
    (page) => page.click("#buy button"),
    pay,
    text("#available", "250"),
    (page) => page.fill("[name=prompt]", "two words"),
    (page) => page.click("#ask button:not(#stop)"),
    text("#answer", "captured"),
    text("#available", "210"),
    (page) => page.fill("[name=prompt]", "please ".repeat(30)),
    (page) => page.click("#ask button:not(#stop)"),
    text("#answer", "credits"),
    (page) => page.click("#stop"),
    (page) => page.waitForSelector("#stop[disabled]"),
    (page) =>
      page.waitForFunction(async () => {
        const { available, held } = await (await fetch("/api/balance")).json();
        const shown = Number(document.querySelector("#available").textContent);
        return held === 0 && shown === available && available < 210 && available > 10;
      }),
  ],
};

const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, headless: true, args });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000); // machines that build at the same time are slow
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  for (const [number, step] of scenarios[kind].entries()) {
    await step(page).catch((error) => {
      throw new Error(`step ${number + 1} of ${kind}: ${error.message}`);
    });
  }
  if (kind === "example" && errors.length > 0) throw new Error(errors.join("; "));
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
} finally {
  await browser.close();
}
