// Runs scenarios one after the other in their own browser. The first failure ends the process with an error.
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { TIMEOUT_MS } from "./timeout.mjs";

export async function runAll(scenarios, run, { ARTIFACTS, CHROMIUM }) {
  await mkdir(ARTIFACTS, { recursive: true });
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args, timeout: TIMEOUT_MS });
  try {
    for (const scenario of scenarios) await run(browser, scenario);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
