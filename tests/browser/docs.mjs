// Uses the API documentation page as a new user would: "Try it out" and "Execute" for every GET and for one POST,
// without credentials and with a customer's token.
//
//   SERVICE_URL=http://127.0.0.1:8080 ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node docs.mjs
//
// Each execution must send exactly the request of its operation and show its response, with a documented status. The
// first failure ends the run with status 1 and leaves `failure-docs.png`.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { screenshot } from "./screenshot.mjs";
import { TIMEOUT_MS } from "./timeout.mjs";

const { SERVICE_URL, ARTIFACTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
if (!SERVICE_URL || !ARTIFACTS) {
  console.error("usage: SERVICE_URL=… ARTIFACTS=folder [CHROMIUM=/usr/bin/chromium] node docs.mjs");
  process.exit(2);
}

const read = async (path, init) => (await fetch(new URL(path, SERVICE_URL), init)).json();
const { paths } = await read("/openapi.json");
const { token } = await read("/demo/token", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: "{}",
});

/** Every operation as `{ method, path, operation }`. */
const operations = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
);
const gets = operations.filter(({ method }) => method === "get");
const createCheckout = operations.find(({ operation }) => operation.operationId === "createCheckout");
assert.ok(gets.length >= 10 && createCheckout, "the document lists the operations");

/** Whether a URL is one of the path template's. */
function isOf(path, url) {
  const pattern = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[^}]+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`).test(new URL(url).pathname);
}

/** Opens an operation, executes it, and gives the status that the page shows. */
async function execute(page, { method, path, operation }, body) {
  const place = `${method.toUpperCase()} ${path}`;
  const block = page.locator(`#operations-${operation.tags[0]}-${operation.operationId}`);
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Try it out" }).click();
  if (body) await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
  const sent = page.waitForRequest((request) => !request.url().includes("/docs/"), { timeout: TIMEOUT_MS });
  await block.getByRole("button", { name: "Execute" }).click();
  const request = await sent.catch(() => assert.fail(`${place}: nothing was sent`));
  assert.equal(request.method(), method.toUpperCase(), place);
  assert.ok(isOf(path, request.url()), `${place} sent ${request.url()}`);
  const shown = block.locator(".live-responses-table .response-col_status").nth(1);
  await shown.waitFor();
  const status = Number.parseInt(await shown.innerText(), 10);
  assert.equal(status, (await request.response()).status(), `${place}: another answer is shown`);
  assert.ok(operation.responses[status], `${place}: ${status} is not documented`);
  await block.locator(".opblock-summary-control").click();
  return status;
}

async function openDocs(browser) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(TIMEOUT_MS);
  await page.goto(new URL("/docs", SERVICE_URL).href);
  await page.locator(".opblock").first().waitFor();
  return page;
}

async function authorize(page) {
  await page.locator("button.authorize").first().click();
  const form = page.locator(".auth-container", { hasText: "token" }).filter({ hasText: "Bearer" });
  await form.locator("input").fill(token);
  await form.getByRole("button", { name: /apply/i }).click();
  await page.locator(".btn-done").first().click();
}

const purchase = { credits: 250, successUrl: new URL("/?session_id={CHECKOUT_SESSION_ID}", SERVICE_URL).href };
/** What only an administrator may do: a customer is told so. */
const isForAdmins = ({ path }) => path.startsWith("/admin/");
const isPublic = ({ operation }) => operation.responses[401] === undefined;

await mkdir(ARTIFACTS, { recursive: true });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"], timeout: TIMEOUT_MS });
let page;
try {
  page = await openDocs(browser);
  for (const get of gets) {
    const status = await execute(page, get);
    assert.equal(status === 401, !isPublic(get), `GET ${get.path} without credentials: ${status}`);
  }
  assert.equal(await execute(page, createCheckout, purchase), 401, "a purchase needs credentials");
  await page.close();

  page = await openDocs(browser);
  await authorize(page);
  for (const get of gets) {
    const status = await execute(page, get);
    assert.notEqual(status, 401, `GET ${get.path} with a token`);
    if (isForAdmins(get)) assert.equal(status, 403, `GET ${get.path} is for administrators`);
  }
  assert.equal(await execute(page, createCheckout, purchase), 200, "a purchase with a token");
  await screenshot(page, { path: join(ARTIFACTS, "docs.png") });
  console.log(`ok: ${gets.length} GETs and a POST, without credentials and with a token`);
} catch (error) {
  await page?.screenshot({ path: join(ARTIFACTS, "failure-docs.png") }).catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
