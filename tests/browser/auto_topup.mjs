// `<auto-topup>` on a page of another origin than the service, in a real browser: a customer saves a card on the
// sandbox's page, agrees, is charged, is declined, confirms a payment, and turns it off. axe-core must find nothing.
//
//   ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node auto_topup.mjs
//
// Nothing sleeps; the first failure ends the run with status 1 and leaves `failure-auto-topup-<scenario>.png`.

import assert from "node:assert/strict";
import { startBeside, startDev } from "./services.mjs";
import { startShop } from "./shop.mjs";
import { CARD, PHONE, runInTabs } from "./tab.mjs";

const shop = await startShop();
const dev = await startDev();
const service = await startBeside(dev, {
  ALLOWED_ORIGINS: shop.url, JWT_JWKS_URL: `${shop.url}/jwks`, JWT_ISSUER: shop.url, JWT_AUDIENCE: "credits",
  SAVED_CARDS: "on", AUTO_TOPUP: "on", FEE_CARD_RATES: "GB:10%",
});
await shop.open(service.url);
const key = service.cli("keys", "create", "--name", "test", "--scope", "spend,read,admin,checkout");

/** Calls the service as the shop's server does. */
async function asServer(method, path, body) {
  const headers = { "x-api-key": key, "content-type": "application/json", "idempotency-key": crypto.randomUUID() };
  const answer = await fetch(`${service.url}${path}`, { method, headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

const grant = (user, credits) =>
  asServer("POST", `/admin/accounts/${user}/grants`, { credits, reason: "Welcome", create: true });
const debit = (user, credits) => asServer("POST", `/accounts/${user}/credits/debits`, { credits });

// ---- Steps ----

async function open(tab, query, state = "off") {
  await tab.page.goto(`${shop.url}/recurring?${query}`);
  await expectState(tab, state);
}

const expectState = (tab, state) => tab.page.locator(`auto-topup[state=${state}]`).waitFor();

/** Saves a card on the sandbox's page, which sends the customer back. */
async function saveCard(tab, number = CARD.card_number, name = "Save a card") {
  await tab.page.getByRole("button", { name, exact: true }).click();
  await payWith(tab, number);
  await tab.expectText("#status", /^Your card is saved\./);
}

async function payWith(tab, number) {
  await tab.page.locator("#pay").waitFor();
  for (const [name, value] of Object.entries({ ...CARD, card_number: number })) {
    const field = tab.page.locator(`[name=${name}]`);
    if (await field.count()) await field.fill(value);
  }
  await tab.page.click("#pay");
  if (number === ASKS) await tab.page.click("#complete-3ds");
  await tab.page.waitForURL((url) => url.origin === shop.url);
}

const BRITISH = "4000008260000000";
/** The bank of this card wants every payment confirmed; that of the other one declines every charge. */
const [ASKS, DECLINES] = ["4000002760003184", "4000000000000341"];

async function turnOn(tab, maxPerMonth = "50") {
  await tab.page.getByLabel("Most money a month (USD)").fill(maxPerMonth);
  await tab.page.getByRole("checkbox").check();
  await tab.page.getByRole("button", { name: "Turn on" }).click();
}

// ---- Scenarios ----

async function savesAgreesAndIsCharged(tab) {
  await open(tab, "user=saver#top");
  await tab.expectText("#status", /^Credits are bought by themselves.+Save a card first\.\s+Save a card$/s);
  assert.equal(await tab.page.locator("#form").isVisible(), false, "without a card there is nothing to agree to");
  await tab.expectAccessible();
  await tab.shot("off");
  await saveCard(tab);
  assert.equal(tab.page.url(), `${shop.url}/recurring?user=saver`, "the page's own address is as it was");
  await tab.expectText("#price", /^Costs \$10\.61 today, with all fees\.$/);
  await tab.expectText("[part=consent]",
    /^I agree that my saved card is charged for 1,000 credits.+fewer than 100 credits.+3 times a day and … a month/s);
  await tab.page.getByRole("button", { name: "Turn on" }).click();
  await tab.expectText("#maxPerMonthMinor-problem", /^Please allow at least \$10\.61, the price of one purchase\.$/);
  await tab.expectText("#consent-problem", /^Please agree first/);
  await tab.expectText("#thresholdCredits-problem", /^$/);
  const focused = await tab.page.evaluate(() => document.querySelector("auto-topup").shadowRoot.activeElement.id);
  assert.equal(focused, "maxPerMonthMinor", "the first field that is wrong has the focus");
  assert.equal(await tab.page.locator("#maxPerMonthMinor").getAttribute("aria-invalid"), "true");
  await tab.expectAccessible();
  await tab.shot("refused");
  await turnOn(tab, "50.50");
  await expectState(tab, "active");
  await tab.expectText("#status", /^Automatic top-up is on\./);
  await tab.expectText("#attempts summary", /^Last charges$/); // no credits were there, so a charge follows at once
  await tab.page.locator("#attempts summary").click();
  await tab.expectText("#attempts li", /^1,000 credits for \$10\.61, paid\s+\w+ \d+, \d{4}.+, Visa …4242$/s);
  await tab.expectText("#rules", new RegExp("^When\\s+fewer than 100 credits are available\\s+Buys\\s+1,000 credits\\s+"
    + "At most\\s+3 a day \\(today 1\\)\\s+At most\\s+\\$50\\.50 a month \\(so far \\$10\\.61\\)\\s+"
    + "Card\\s+Visa …4242, 12/2034\\s+Agreed\\s+\\w+ \\d+, \\d{4}"));
  await tab.expectAccessible();
  await tab.shot("active");
  const stored = await asServer("GET", "/auto-topup?accountId=saver");
  assert.equal(stored.rules.consent.textVersion, "2026-11-30");
  assert.equal((await asServer("GET", "/accounts/saver/credits")).availableCredits, 1_000);
  const states = await tab.page.evaluate(() => window.told.filter(([type]) => type === "topup-auto-topup")
    .map(([, { state }]) => state));
  assert.ok(states.includes("off") && states.includes("active"), `${states}`);
  return "a customer of another origin saves a card, is told what is missing, agrees, and is charged";
}

async function changesAndTurnsOff(tab) {
  await grant("changer", 5_000);
  await open(tab, "user=changer&own");
  await saveCard(tab);
  await tab.expectText("auto-topup", /Shop Ltd\. may charge me\./);
  assert.equal(await tab.page.getByRole("checkbox", { name: "Shop Ltd. may charge me." }).count(), 1);
  await turnOn(tab);
  await expectState(tab, "active");
  assert.equal((await asServer("GET", "/auto-topup?accountId=changer")).rules.consent.textVersion, "own-1");
  await tab.page.getByRole("button", { name: "Change" }).click();
  assert.equal(await tab.page.getByLabel("Most money a month (USD)").inputValue(), "50");
  assert.equal(await tab.page.getByRole("checkbox").isChecked(), false, "each change needs the consent again");
  await tab.shot("change");
  await tab.page.getByRole("button", { name: "Cancel" }).click();
  await tab.page.getByRole("button", { name: "Change" }).click();
  await tab.page.getByLabel("Buy so many credits").fill("2000");
  await tab.page.getByLabel("Card to charge").selectOption({ index: 1 });
  await tab.page.getByRole("checkbox").check();
  await tab.page.getByRole("button", { name: "Save changes" }).click();
  await tab.expectText("#buys", /^2,000 credits$/);
  const { rules } = await asServer("GET", "/auto-topup?accountId=changer");
  assert.deepEqual([rules.credits, rules.maxPerMonthMinor, rules.paymentMethodId?.slice(0, 3)], [2_000, 5_000, "pm_"]);
  await tab.page.getByRole("button", { name: "Turn off" }).click();
  await expectState(tab, "off");
  await tab.expectText("#status", /^Automatic top-up is off\./);
  assert.equal((await asServer("GET", "/auto-topup?accountId=changer")).state, "off");
  return "rules are changed with a new consent to the shop's own text, and it is turned off";
}

/** What the page cannot know, the service says; and it is said beside the field. */
async function refusedByTheService(tab) {
  await open(tab, "user=refused");
  await saveCard(tab);
  await tab.page.route(`${service.url}/auto-topup`, (route) => {
    if (route.request().method() !== "PUT") return route.continue();
    const body = { ...route.request().postDataJSON(), maxPerMonthMinor: 1, credits: 1 };
    return route.continue({ postData: JSON.stringify(body) });
  });
  await turnOn(tab);
  await tab.expectText("#credits-problem", /^Please choose between 18 and 100,000 credits\.$/);
  await tab.expectText("#form-problem", /^Please check the marked fields\.$/);
  await tab.page.unroute(`${service.url}/auto-topup`);
  await tab.page.route(`${service.url}/auto-topup`, (route) => route.abort());
  await tab.page.getByRole("button", { name: "Turn on" }).click();
  await tab.expectText("#form-problem", /^We cannot be reached\./);
  tab.allow(/status of 400|Failed to load resource/);
  return "what the service refuses stands beside the field, and without it customers are told so";
}

async function isDeclined(tab) {
  await grant("declined", 500);
  await open(tab, "user=declined");
  await saveCard(tab, DECLINES);
  await turnOn(tab);
  await expectState(tab, "active");
  await debit("declined", 450);
  await tab.page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await expectState(tab, "paused");
  await tab.expectText("#status", /^Your bank declined the charge\. It goes on .+\.$/);
  await tab.page.locator("#attempts summary").click();
  await tab.expectText("#attempts li", /, declined\s/);
  await tab.expectAccessible();
  await tab.shot("declined");
  return "a decline pauses it, with the time when it goes on";
}

async function confirmsAPayment(tab) {
  await grant("confirmer", 500);
  await open(tab, "user=confirmer");
  await saveCard(tab, ASKS);
  await turnOn(tab);
  await expectState(tab, "active");
  await debit("confirmer", 450);
  await tab.page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await expectState(tab, "paused");
  await tab.expectText("#status", /^Your bank wants you to confirm the payment\.\s+Confirm the payment$/);
  await tab.shot("confirm");
  await tab.page.getByRole("link", { name: "Confirm the payment" }).click();
  await payWith(tab, ASKS);
  await expectState(tab, "active");
  assert.equal((await asServer("GET", "/accounts/confirmer/credits")).availableCredits, 1_050);
  return "a payment that the bank asked about is confirmed on its page, and it goes on";
}

async function byKeyboard(tab) {
  await grant("typist", 500);
  await open(tab, "user=typist");
  await saveCard(tab);
  await tab.tabTo("#maxPerMonthMinor");
  await tab.page.keyboard.insertText("30");
  await tab.tabTo("#consent");
  await tab.page.keyboard.press("Space");
  await tab.tabTo("#submit");
  await tab.shot("focus");
  await tab.page.keyboard.press("Enter");
  await expectState(tab, "active");
  const focused = await tab.page.evaluate(() => document.querySelector("auto-topup").shadowRoot.activeElement.id);
  assert.equal(focused, "status", "the form is gone, and the focus is on what is said");
  await tab.tabTo("#turn-off");
  await tab.page.keyboard.press("Enter");
  await expectState(tab, "off");
  return "the keyboard is enough";
}

/** With two cards, the price is that of the card that is chosen. */
async function showsThePriceOfTheCard(tab) {
  await open(tab, "user=traveller");
  await saveCard(tab, BRITISH);
  await tab.expectText("#price", /^Costs \$11\.45 today, with all fees\.$/);
  await saveCard(tab, CARD.card_number, "Save another card");
  await tab.page.locator("#paymentMethodId").selectOption({ label: "Visa …4242, 12/2034" });
  await tab.expectText("#price", /^Costs \$10\.61 today, with all fees\.$/);
  await tab.page.locator("#paymentMethodId").selectOption({ label: "Visa …0000, 12/2034" });
  await tab.expectText("#price", /^Costs \$11\.45 today, with all fees\.$/);
  await turnOn(tab);
  await expectState(tab, "active");
  await tab.page.locator("#attempts summary").click();
  await tab.expectText("#attempts li", /^1,000 credits for \$11\.45, paid.+Visa …0000$/s);
  return "a customer is shown the price of the card that is charged";
}

async function onAPhone(tab) {
  await grant("phone", 5_000);
  for (const colorScheme of ["light", "dark"]) {
    await tab.page.emulateMedia({ colorScheme });
    await open(tab, "user=phone");
    if (colorScheme === "light") await saveCard(tab);
    await tab.expectText("#price", /^Costs/);
    await tab.expectNoSidewaysScrolling();
    await tab.expectAccessible();
    await tab.shot(`form-${colorScheme}`);
  }
  await turnOn(tab);
  await expectState(tab, "active");
  await tab.expectNoSidewaysScrolling();
  await tab.expectAccessible();
  await tab.shot("active-dark");
  return "on a phone everything fits, in both schemes";
}

/** A shop that does not name its text could not say later what the customer agreed to. */
async function withoutAName(tab) {
  await grant("unnamed", 500);
  await open(tab, "user=unnamed");
  await saveCard(tab);
  await open(tab, "user=unnamed&unnamed");
  await tab.expectText("#form-problem", /^Automatic top-up is not offered here\.$/);
  assert.equal(await tab.page.locator("#submit").isDisabled(), true);
  assert.equal(tab.troubles.length, 1, "the developer is told why");
  tab.allow(/needs a consent-version/);
  return "nothing is turned on with a text that has no name";
}

async function reactHook(tab) {
  const press = (name) => tab.page.getByRole("button", { name, exact: true }).first().click();
  await tab.page.goto(`${shop.url}/react_auto`);
  await tab.expectText("[role=status] >> nth=0", /^off 0$/);
  await press("Save a card");
  await payWith(tab, CARD.card_number);
  await tab.expectText("[role=status] >> nth=0", /^off 1$/);
  assert.equal(tab.page.url(), `${shop.url}/react_auto`);
  await press("Nonsense");
  await tab.expectText("[role=status] >> nth=0", /^off 1 invalid_request$/);
  await press("On");
  await tab.expectText("[role=status] >> nth=1", /^active 1 paid$/);
  await tab.expectText("#credits", /^100$/);
  await press("Off");
  await tab.expectText("[role=status] >> nth=1", /^off 1 paid$/);
  tab.allow(/status of 400/);
  return "a hook saves a card and turns it on and off, and the balance follows a charge, in strict mode";
}

async function inGermanOrNotAtAll(tab) {
  await open(tab, "user=phone&locale=de", "active");
  await tab.expectText("#per-month", /^50,00\s\$ a month \(so far 0,00\s\$\)$/);
  const headers = { "access-control-allow-origin": shop.url };
  const off = { status: 409, headers, json: { status: 409, code: "auto_topup_off", detail: "off" } };
  await tab.page.route(`${service.url}/auto-topup`, (route) => route.fulfill(off));
  await open(tab, "user=phone", "unavailable");
  await tab.expectText("#status", /^Automatic top-up is not offered here\.$/);
  tab.allow(/status of 409/);
  return "numbers follow the language, and a service without it says so";
}

await runInTabs([
  ["saves", savesAgreesAndIsCharged],
  ["price", showsThePriceOfTheCard],
  ["changes", changesAndTurnsOff],
  ["refused", refusedByTheService],
  ["declined", isDeclined],
  ["confirms", confirmsAPayment],
  ["keyboard", byKeyboard],
  ["phone", onAPhone, PHONE],
  ["german", inGermanOrNotAtAll],
  ["unnamed", withoutAName],
  ["react", reactHook],
], { shop, series: "auto-topup" });
await service.stop();
await dev.stop();
process.exit();
