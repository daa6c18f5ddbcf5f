// `<manage-plan>` on a page of another origin than the service, in a real browser: a customer subscribes on the sandbox's
// page, changes the plan with a preview, cancels, resumes, visits the portal, and pays what a renewal could not charge.
// axe-core must find nothing.
//
//   ARTIFACTS=folder CHROMIUM=/usr/bin/chromium node manage_plan.mjs
//
// Nothing sleeps; the first failure ends the run with status 1 and leaves `failure-manage-plan-<scenario>.png`.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startBeside, startDev, temporaryFolder } from "./services.mjs";
import { startShop } from "./shop.mjs";
import { CARD, PHONE, runInTabs } from "./tab.mjs";

const PLANS = `
[[plans]]
id = "basic"
name = "Basic"
interval = "month"
creditsPerPeriod = 1000
amount = { usd = 1000 }

[[plans]]
id = "pro"
name = "Pro"
interval = "month"
creditsPerPeriod = 10000
rollover = { cap = 5000 }
amount = { usd = 2000 }

[[plans]]
id = "trial"
name = "Team"
interval = "month"
intervalCount = 3
creditsPerPeriod = 90000
rollover = "keep"
trialDays = 14
trialCredits = 500
amount = { usd = 15000 }
`;

const shop = await startShop();
const dev = await startDev();
const service = await startBeside(dev, {
  ALLOWED_ORIGINS: shop.url, JWT_JWKS_URL: `${shop.url}/jwks`, JWT_ISSUER: shop.url, JWT_AUDIENCE: "credits",
  SAVED_CARDS: "on", AUTO_TOPUP: "on",
});
await shop.open(service.url);
const key = service.cli("keys", "create", "--name", "test", "--scope", "spend,read,admin,checkout");
const file = join(temporaryFolder(), "plans.toml");
writeFileSync(file, PLANS);
service.cli("plans", "apply", file);

/** Asks the service as the shop's server does. */
async function asServer(path) {
  const answer = await fetch(`${service.url}${path}`, { headers: { "x-api-key": key } });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

/** Tells the sandbox that something happens. */
async function inSandbox(path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${dev.sandbox}/_sandbox${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, await answer.clone().text());
}

// ---- Steps ----

const expectState = (tab, state) => tab.page.locator(`manage-plan[state=${state}]`).waitFor();

async function open(tab, query, state = "none") {
  await tab.page.goto(`${shop.url}/plans?${query}`);
  await expectState(tab, state);
}

const plan = (tab, id) => tab.page.locator(`manage-plan [data-plan=${id}]`);
const within = (tab) => tab.page.locator("manage-plan");
const press = (tab, name) => within(tab).getByRole("button", { name, exact: true }).click();

async function pay(tab) {
  await tab.page.locator("#pay").waitFor();
  for (const [name, value] of Object.entries(CARD)) {
    const field = tab.page.locator(`[name=${name}]`);
    if (await field.count()) await field.fill(value);
  }
  await tab.page.click("#pay");
}

async function subscribe(tab, user, id = "basic", state = "active") {
  await open(tab, `user=${user}`);
  await plan(tab, id).getByRole("button").click();
  await pay(tab);
  await tab.page.waitForURL((url) => url.origin === shop.url);
  await expectState(tab, state);
}

// ---- Scenarios ----

async function subscribes(tab) {
  await open(tab, "user=subscriber");
  await tab.expectText("[data-plan=basic]",
    /^Basic\s+\$10\.61 a month\s+1,000 credits\. Unused credits end with the period\.\s+Subscribe$/);
  await tab.expectText("[data-plan=pro]",
    /^Pro\s+\$20\.91 a month\s+10,000 credits\. Up to 5,000 unused credits stay\.\s+Subscribe$/);
  await tab.expectText("[data-plan=trial]", new RegExp("^Team\\s+\\$154\\.79 every 3 months\\s+90,000 credits\\. Unused "
    + "credits stay\\.\\s+14 days free with 500 credits\\s+Start free trial$"));
  await tab.expectAccessible();
  await tab.shot("none");
  await plan(tab, "basic").getByRole("button", { name: "Subscribe" }).click();
  await pay(tab);
  await tab.page.waitForURL((url) => url.origin === shop.url);
  await tab.expectText("manage-plan #status", /^Thank you\. Your plan starts as soon as the payment has arrived\.$/);
  await expectState(tab, "active");
  assert.equal(tab.page.url(), `${shop.url}/plans?user=subscriber`, "the page's own address is as it was");
  await tab.expectText("manage-plan #current", /^Basic$/);
  await tab.expectText("manage-plan #renews", /^\w+ \d+, \d{4}/);
  await tab.expectAccessible();
  await tab.shot("active");
  assert.equal((await asServer("/accounts/subscriber/entitlement")).plan.id, "basic");
  const told = await tab.page.evaluate(() => window.told.filter(([type]) => type === "topup-plan")
    .map(([, detail]) => detail?.planId));
  assert.ok(told.includes("basic"), `${told}`);
  return "a customer of another origin subscribes, comes back, and sees the plan";
}

async function changesThePlan(tab) {
  await subscribe(tab, "changer");
  await plan(tab, "pro").getByRole("button", { name: "Change to this plan" }).click();
  await tab.expectText("#question", /^Pro begins now: you pay \$\d+\.\d\d now, then \$20\.\d\d a month\.$/);
  const focused = await tab.page.evaluate(() => document.querySelector("manage-plan").shadowRoot.activeElement.id);
  assert.equal(focused, "confirm");
  await tab.expectAccessible();
  await tab.shot("preview");
  await press(tab, "Not now");
  assert.equal(await tab.page.locator("#question").isVisible(), false);
  await plan(tab, "pro").getByRole("button", { name: "Change to this plan" }).click();
  await press(tab, "Change plan");
  await tab.expectText("manage-plan #status", /^Your plan is changed\.$/);
  await tab.expectText("manage-plan #current", /^Pro$/);
  await plan(tab, "basic").getByRole("button", { name: "Change to this plan" }).click();
  await tab.expectText("#question", /^Basic begins \w+ \d+, .+: \$10\.61 a month\. Nothing is paid now\.$/);
  await press(tab, "Change plan");
  await tab.expectText("manage-plan #status", /^Your plan changes with the next period\.$/);
  await tab.expectText("manage-plan #next", /^Basic$/);
  await tab.shot("next");
  await press(tab, "Keep the present plan");
  await tab.expectText("manage-plan #status", /^Your plan goes on\.$/);
  assert.equal((await asServer("/subscriptions?accountId=changer")).data[0].nextPlanId ?? null, null);
  return "a dearer plan begins now, a cheaper one later, both after their price was shown";
}

async function cancelsAndResumes(tab) {
  await subscribe(tab, "leaver");
  await press(tab, "Cancel plan");
  await tab.expectText("#question", /^Your plan stays until \w+ \d+, .+ Cancel it\?$/);
  await tab.shot("question");
  await tab.page.locator("#yes").click();
  await expectState(tab, "ending");
  await tab.expectText("manage-plan #status", /^Your plan is cancelled\.$/);
  await tab.expectText("manage-plan #ends", /^\w+ \d+, \d{4}/);
  await tab.expectAccessible();
  await tab.shot("ending");
  await press(tab, "Resume plan");
  await expectState(tab, "active");
  await tab.expectText("manage-plan #status", /^Your plan goes on\.$/);
  return "a plan is cancelled with its period, after a question, and resumed";
}

async function visitsThePortal(tab) {
  await subscribe(tab, "visitor");
  await press(tab, "Cards and invoices");
  await tab.page.waitForURL((url) => url.origin === new URL(dev.sandbox).origin);
  await tab.page.locator("a.cancel").click();
  await tab.page.locator("#confirm-cancel").click();
  await open(tab, "user=visitor", "ending");
  return "what is done in the portal shows on the page";
}

async function paysWhatIsDue(tab) {
  await subscribe(tab, "late");
  const [{ id }] = (await asServer("/payment-methods?accountId=late")).data;
  const [subscription] = (await asServer("/subscriptions?accountId=late")).data;
  await inSandbox(`/payment_methods/${id}/charges`, { decline: "insufficient_funds" });
  await inSandbox(`/subscriptions/${subscription.id}/advance`, { to_renewal: true });
  await fetch(`${dev.sandbox}/_sandbox/idle`);
  await open(tab, "user=late", "past_due");
  await tab.expectText("manage-plan #status",
    /^Payment due\s+The payment of \$10\.61 failed\. It is tried again \w+ \d+, .+\.\s+Pay now\s*Use another card$/);
  await tab.expectAccessible();
  assert.equal(await plan(tab, "pro").getByRole("button").count(), 0, "no plan can be changed now");
  await tab.shot("due");
  await inSandbox(`/payment_methods/${id}/charges`, {});
  await within(tab).getByRole("link", { name: "Pay now" }).click();
  await pay(tab);
  await fetch(`${dev.sandbox}/_sandbox/idle`);
  await open(tab, "user=late", "active");
  return "a renewal that could not be charged is paid on its page";
}

async function inATrialOnAPhone(tab) {
  await subscribe(tab, "trier", "trial", "trialing");
  for (const colorScheme of ["light", "dark"]) {
    await tab.page.emulateMedia({ colorScheme });
    await open(tab, "user=trier", "trialing");
    await tab.expectText("manage-plan #current", /^Team$/);
    await tab.expectNoSidewaysScrolling();
    await tab.expectAccessible();
    await tab.shot(`trial-${colorScheme}`);
  }
  return "a trial begins, and on a phone everything fits, in both schemes";
}

async function byKeyboard(tab) {
  await open(tab, "user=typist");
  await tab.tabTo("manage-plan [data-plan=basic] button");
  await tab.shot("focus");
  await tab.page.keyboard.press("Enter");
  await pay(tab);
  await tab.page.waitForURL((url) => url.origin === shop.url);
  await expectState(tab, "active");
  await tab.tabTo("manage-plan #end");
  await tab.page.keyboard.press("Enter");
  await tab.page.keyboard.press("Tab");
  await tab.page.keyboard.press("Enter");
  await expectState(tab, "ending");
  return "the keyboard is enough";
}

async function reactHooks(tab) {
  await tab.page.goto(`${shop.url}/react_plan`);
  await tab.expectText("[role=status] >> nth=0", /^none$/);
  await tab.page.getByRole("button", { name: "Subscribe" }).first().click();
  await pay(tab);
  await tab.page.waitForURL((url) => url.origin === shop.url);
  await tab.expectText("[role=status] >> nth=0", /^Basic entitled$/);
  await tab.expectText("#credits", /^1000$/);
  assert.equal(tab.page.url(), `${shop.url}/react_plan`);
  await tab.page.getByRole("button", { name: "Nonsense" }).first().click();
  await tab.expectText("[role=status] >> nth=0", /^Basic entitled invalid_request$/);
  await tab.page.getByRole("button", { name: "Preview" }).first().click();
  await tab.expectText("[role=status] >> nth=0", /^Basic entitled now$/);
  await tab.page.getByRole("button", { name: "Change" }).first().click();
  await tab.expectText("[role=status] >> nth=0", /^Pro entitled now$/);
  await tab.expectText("#credits", /^10000$/);
  await tab.expectText("[role=status] >> nth=1", /^Pro entitled$/);
  await tab.page.getByRole("button", { name: "Cancel" }).first().click();
  await tab.expectText("[role=status] >> nth=0", /^Pro ends entitled now$/);
  await tab.page.getByRole("button", { name: "Resume" }).first().click();
  await tab.expectText("[role=status] >> nth=0", /^Pro entitled now$/);
  tab.allow(/status of 400/);
  return "a hook subscribes, previews, changes, cancels and resumes, once for all components, in strict mode";
}

async function withoutTheService(tab) {
  await tab.page.route(`${service.url}/subscriptions`, (route) => route.abort());
  await open(tab, "user=nobody", "error");
  await tab.expectText("manage-plan #status", /^Your plan could not be loaded\s+We cannot be reached\./);
  await tab.page.unroute(`${service.url}/subscriptions`);
  await press(tab, "Try again");
  await expectState(tab, "none");
  tab.allow(/Failed to load resource/);
  return "without the service customers are told so, and can try again";
}

await runInTabs([
  ["subscribes", subscribes],
  ["changes", changesThePlan],
  ["cancels", cancelsAndResumes],
  ["portal", visitsThePortal],
  ["due", paysWhatIsDue],
  ["trial", inATrialOnAPhone, PHONE],
  ["keyboard", byKeyboard],
  ["react", reactHooks],
  ["gone", withoutTheService],
], { shop, series: "manage-plan" });
await service.stop();
await dev.stop();
process.exit();
