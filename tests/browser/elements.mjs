// The elements and the React hooks on a page of another origin than the service, in a real browser. Customers log in
// with tokens of a key set, and pay on the sandbox's pages. The page has a strict content security policy.
//
//   ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node elements.mjs
//
// Starts `topup dev` for its sandbox, `topup serve` beside it, and the shop. Each scenario has a customer of its own.
// Nothing sleeps; the first failure ends the run with status 1 and leaves `failure-<scenario>.png`.

import assert from "node:assert/strict";
import { startBeside, startDev } from "./services.mjs";
import { startShop } from "./shop.mjs";
import { CARD, PHONE, runInTabs } from "./tab.mjs";

const shop = await startShop();
const dev = await startDev();
const service = await startBeside(dev, {
  ALLOWED_ORIGINS: shop.url, JWT_JWKS_URL: `${shop.url}/jwks`, JWT_ISSUER: shop.url, JWT_AUDIENCE: "credits",
  BONUS_TIERS: "1000:5%", CREDITS_EXPIRE_DAYS: "365",
});
await shop.open(service.url);
const key = service.cli("keys", "create", "--name", "test", "--scope", "spend,read,admin");

/** Calls the service as the shop's server does. */
async function asServer(path, body) {
  const headers = { "x-api-key": key, "content-type": "application/json", "idempotency-key": crypto.randomUUID() };
  const answer = await fetch(`${service.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

// ---- Scenarios ----

async function buysAndTheMeterRefills(tab) {
  await tab.open("/?tab=credits&user=buyer#top");
  await tab.expectText("#balance", /^0$/);
  await tab.expectText("#warning", /^No credits left$/);
  await tab.shot("before");
  await tab.page.getByRole("button", { name: "1,000", exact: true }).click();
  await tab.expectText("#quote",
    /^1,000 credits\s+\$10\.00\s+Bonus\s+\+50\s+Processing fee\s+\$0\.61\s+Total\s+\$10\.61$/);
  await tab.expectText("#quote-until", /^If paid now, good until \w+ \d+, \d{4}/);
  await tab.page.fill("#credits", "250");
  await tab.expectText("#quote", /^250 credits\s+\$2\.50\s+Processing fee\s+\$0\.39\s+Total\s+\$2\.89$/);
  await tab.buy();
  await tab.expectText("#status", /^250 credits added\s+You paid \$2\.89\. Thank you\.$/);
  await tab.expectText("#balance", /^250$/);
  assert.equal(await tab.page.locator("credits-meter").getAttribute("state"), "ok");
  assert.equal(tab.page.url(), `${shop.url}/?tab=credits&user=buyer`, "the page's own address is as it was");
  const told = await tab.page.evaluate(() => window.told);
  const paid = told.filter(([type]) => type === "topup-paid");
  assert.deepEqual(paid.map(([, { credits, state }]) => [credits, state]), [[250, "paid"]]);
  await tab.shot("after");
  await tab.page.reload();
  await tab.expectText("#balance", /^250$/);
  await tab.expectText("#status", /^$/);
  return "a customer of another origin buys, comes back, and the meter refills";
}

/** As a service with tax on top answers; `tests/it/tax.rs` has the answers themselves. */
async function taxOnTop(tab) {
  const taxed = { taxBehavior: "exclusive", taxAmount: 28 };
  await tab.page.route(/\/credits\/(quote|sessions\/cs_)/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), ...taxed } });
  });
  await tab.open("/?user=taxed");
  await tab.page.fill("#credits", "250");
  await tab.expectText("#quote", /Total\s+\$2\.89 \+ tax$/);
  await tab.buy();
  await tab.expectText("#status", /^250 credits added\s+You paid \$3\.17\. Thank you\.$/);
  return "with tax on top a page says so before the payment, and what was paid with it";
}

async function leavesAndGoesOn(tab) {
  await tab.open("/?user=leaver");
  await tab.page.click("#buy");
  await tab.page.locator("#pay").waitFor();
  const hosted = tab.page.url();
  const declined = Object.entries({ ...CARD, card_number: "4000000000009995" });
  for (const [name, value] of declined) await tab.page.fill(`[name=${name}]`, value);
  await tab.page.click("#pay");
  await tab.page.locator("[role=alert]").filter({ hasText: /insufficient funds/i }).waitFor();
  await tab.page.click("#cancel");
  await tab.expectText("#status", /^Your payment was declined \(insufficient funds\); nothing was charged/);
  await tab.shot("left");
  assert.equal(await tab.page.getByRole("link", { name: "Continue to payment" }).getAttribute("href"), hosted);
  await tab.page.getByRole("link", { name: "Continue to payment" }).click();
  await tab.pay();
  await tab.expectText("#status", /^250 credits added/);
  return "who left the checkout is told why, and can go on with it";
}

/** Anyone can type the address that a customer returns to. */
async function inventedReturn(tab) {
  await tab.open("/?user=forger");
  await tab.page.click("#buy");
  await tab.page.locator("#pay").waitFor();
  const unpaid = new URL(tab.page.url()).pathname.split("/").at(-1);
  await tab.open(`/?user=forger&topup_session=${unpaid}`);
  await tab.expectText("#status", /^Confirming your payment/);
  await tab.expectText("#balance", /^0$/);
  await tab.open("/?user=forger&topup_session=cs_test_invented");
  await tab.expectText("#status", /^Your purchase could not be looked up\s+We do not know this purchase\./);
  tab.allow(/status of 404/);
  return "an invented return is no payment";
}

/** Money that somebody else spends or gives, while the page is in the background. */
async function looksAgainOnFocus(tab) {
  await asServer("/admin/accounts/watcher/grants", { credits: 120, reason: "Welcome", create: true });
  await tab.open("/?user=watcher&alg=RS256");
  await tab.expectText("#balance", /^120$/);
  await asServer("/accounts/watcher/credits/debits", { credits: 30 });
  await asServer("/accounts/watcher/credits/holds", { credits: 40 });
  await tab.page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await tab.expectText("#balance", /^90$/);
  await tab.expectText("[part=numbers]", /^Available\s+50\s+Held\s+40$/);
  await tab.expectText("#warning", /^Running low$/);
  await tab.expectText("#meter-says", /^50 credits available, 40 credits held\.$/);
  assert.equal(await tab.page.locator("credits-meter").getAttribute("state"), "low");
  await tab.page.evaluate(() => Object.assign(document.querySelector("credits-meter"), { used: 25 }));
  await tab.expectText("[part=numbers]", /Used so far\s+25$/);
  await tab.shot("low");
  await tab.page.evaluate(() => {
    document.querySelector("credits-meter").balance = { remainingCredits: 65, heldCredits: 0, availableCredits: 65 };
  });
  await tab.expectText("#balance", /^65$/);
  return "the meter looks again when the page gets the focus, tells a low balance, and shows what it is told";
}

async function expiredToken(tab) {
  shop.asked.length = 0;
  await tab.open("/?user=late&expired");
  await tab.expectText("#balance", /^0$/);
  const refreshes = shop.asked.map(({ refresh }) => refresh);
  assert.deepEqual([refreshes[0], refreshes.includes(true)], [false, true], "a new token was asked for");
  tab.allow(/status of 401/);
  return "an expired token is replaced without a word";
}

async function byKeyboardAndForEars(tab) {
  await tab.open("/?user=typist");
  await tab.expectText("#quote-total", /\$2\.89/);
  assert.equal(await tab.page.locator("credits-meter").ariaSnapshot(), await expectedMeter());
  const form = await tab.page.locator("buy-credits").ariaSnapshot();
  for (const part of [/- status/, /- group "Quick amounts":/, /- button "250" \[pressed\]/, /- button "1,000"/,
    /- spinbutton "Number of credits": "250"/, /- button "Continue to payment"/]) assert.match(form, part);
  await tab.tabTo("#credits");
  await tab.page.keyboard.press("ControlOrMeta+A");
  await tab.page.keyboard.insertText("5");
  await tab.expectText("#quote-problem", /^Please choose between 18 and 100,000 credits\.$/);
  assert.equal(await tab.page.locator("#credits").getAttribute("aria-invalid"), "true");
  assert.equal(await tab.page.locator("#buy").isDisabled(), true);
  await tab.shot("refused");
  await tab.page.keyboard.press("ControlOrMeta+A");
  await tab.page.keyboard.insertText("18");
  await tab.expectText("#quote-total", /\$0\.50/);
  await tab.tabTo("#buy");
  await tab.shot("focus");
  await tab.page.keyboard.press("Enter");
  await tab.pay();
  await tab.expectText("#status", /^18 credits added/);
  await tab.expectText("#balance", /^18$/);
  return "the keyboard is enough, and everything has a name for screen readers";
}

const expectedMeter = async () => `- group "Balance":
  - text: Balance
  - button "Refresh"
  - paragraph: 0 credits
  - status: No credits left
  - term: Available
  - definition: "0"
  - term: Held
  - definition: "0"
  - paragraph: 0 credits available, 0 credits held.`;

async function inGermanAndDark(tab) {
  await tab.page.emulateMedia({ colorScheme: "dark" });
  const grant = { credits: 12_345, reason: "Welcome", create: true, expiresAt: "2099-01-01T00:00:00Z" };
  await asServer("/admin/accounts/german/grants", grant);
  await tab.open("/?user=german&locale=de");
  await tab.expectText("#balance", /^12\.345$/);
  await tab.expectText("#note", /^12\.345 credits end on 01\.01\.2099/);
  await tab.expectText("#quote-total", /^2,89\s\$$/);
  const color = await tab.page.locator("#balance").evaluate((it) => getComputedStyle(it).color);
  assert.equal(color, "rgb(232, 235, 231)");
  await tab.shot("german-dark");
  await tab.page.evaluate(() => document.querySelector("credits-meter").setAttribute("theme", "light"));
  assert.equal(await tab.page.locator("#balance").evaluate((it) => getComputedStyle(it).color), "rgb(27, 33, 30)");
  return "numbers, amounts and times follow the language, and colours the scheme";
}

async function onAPhone(tab) {
  for (const colorScheme of ["light", "dark"]) {
    await tab.page.emulateMedia({ colorScheme });
    await tab.open("/?user=buyer");
    await tab.expectText("#quote-total", /\$2\.89/);
    await tab.expectNoSidewaysScrolling();
    await tab.shot(`phone-${colorScheme}`);
  }
  await tab.open("/compact?user=buyer");
  await tab.expectText("[part=amount]", /^250\s*credits$/);
  assert.equal(await tab.page.locator("[part=numbers]").isVisible(), false);
  await tab.shot("compact");
  return "on a phone everything fits, also the small meter of a navigation bar";
}

/** What a customer is told when the service has gone, and what they can do. */
async function serviceHasGone(tab) {
  await tab.page.route(`${service.url}/credits**`, (route) => route.abort());
  await tab.page.goto(`${shop.url}/?user=nobody`);
  const sentence = "We cannot be reached. Please check your connection and try again.";
  await tab.expectText("#warning", new RegExp(`^Your balance could not be loaded\\. ${sentence}$`));
  await tab.expectText("#quote-problem", new RegExp(`^${sentence}$`));
  await tab.shot("gone");
  await tab.page.unroute(`${service.url}/credits**`);
  for (const element of ["credits-meter", "buy-credits"]) {
    await tab.page.locator(element).getByRole("button", { name: "Try again" }).click();
  }
  await tab.expectText("#balance", /^0$/);
  await tab.expectText("#quote-total", /\$2\.89/);
  tab.allow(/Failed to load resource/);
  return "without the service a customer is told so in plain words, and can try again";
}

async function reactHooks(tab) {
  await tab.page.goto(`${shop.url}/react`);
  await tab.expectText("output >> nth=0", /^0$/);
  await tab.page.fill("[aria-label=Credits]", "300");
  await tab.page.getByRole("button", { name: "Buy" }).click();
  await tab.pay();
  await tab.expectText("[role=status]", /^paid 300$/);
  for (const index of [0, 1]) await tab.expectText(`output >> nth=${index}`, /^300$/);
  assert.equal(tab.page.url(), `${shop.url}/react`);
  await asServer("/accounts/react/credits/debits", { credits: 1 });
  await tab.page.getByRole("button", { name: "Refresh" }).first().click();
  for (const index of [0, 1]) await tab.expectText(`output >> nth=${index}`, /^299$/);
  await tab.page.fill("[aria-label=Credits]", "3");
  await tab.page.getByRole("button", { name: "Buy" }).click();
  await tab.expectText("[role=status]", /^error$/);
  tab.allow(/status of 400/);
  return "hooks buy and show the balance, once for all components, in strict mode";
}

async function linesOfTheReadme(tab) {
  await tab.open("/readme");
  await tab.expectText("#balance", /^0$/);
  await tab.buy();
  await tab.expectText("#status", /^250 credits added/);
  await tab.expectText("#balance", /^250$/);
  assert.equal(tab.page.url(), `${shop.url}/readme`);
  return "the nine lines of the README sell credits and show a meter";
}

const SCENARIOS = [
  ["readme", linesOfTheReadme],
  ["buys", buysAndTheMeterRefills],
  ["tax", taxOnTop],
  ["leaves", leavesAndGoesOn],
  ["invented", inventedReturn],
  ["focus", looksAgainOnFocus],
  ["expired-token", expiredToken],
  ["keyboard", byKeyboardAndForEars],
  ["german", inGermanAndDark],
  ["phone", onAPhone, PHONE],
  ["gone", serviceHasGone],
  ["react", reactHooks],
];

await runInTabs(SCENARIOS, { shop, series: "elements" });
await service.stop();
await dev.stop();
process.exit();
