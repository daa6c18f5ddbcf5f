// A shop on an origin of its own: bare HTML pages with the elements, one with React, and the login of its customers.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "../../clients/typescript/node_modules/esbuild/lib/main.js";
import { Login } from "./login.mjs";

const clientRoot = fileURLToPath(new URL("../../clients/typescript", import.meta.url));

/** What a developer adds to a page: ten lines, and no build. */
const BARE = (service) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Shop</title><link rel="stylesheet" href="/shop.css">
<main>
<credits-meter low="100"></credits-meter>
<buy-credits amount="250" amounts="250 1000 5000"></buy-credits>
</main>
<script type="module" src="/page.js" data-service="${service}"></script>
</html>`;

const PAGE_SCRIPT = (service) => `import { configure } from "${service}/elements.js";
const token = async ({ refresh }) =>
  (await fetch("/token?refresh=" + refresh + "&" + location.search.slice(1))).text();
const locale = new URLSearchParams(location.search).get("locale") ?? undefined;
configure({ baseUrl: "${service}", token, locale });
window.told = [];
for (const type of ["topup-balance", "topup-checkout", "topup-paid"]) {
  document.addEventListener(type, ({ detail }) => window.told.push([type, detail]));
}`;

/** The lines of the client's README, with the address of this service. */
const FROM_THE_README = (service) => {
  const readme = readFileSync(`${clientRoot}/README.md`, "utf8");
  return readme.match(/^```html\n(.*?)^```/ms)[1].replaceAll("https://credits.example.com", service);
};

const COMPACT = (service) => BARE(service)
  .replace('<credits-meter low="100">', 'Credits: <credits-meter compact low="100">').replace(/<buy-credits.*\n/, "");

/** A page for what goes on by itself. The text that the customer agrees to is the shop's own with `?own`, and has no name with `?unnamed`. */
const RECURRING = (service) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Plan and top-ups</title><link rel="stylesheet" href="/shop.css">
<main>
<h1>Plan and top-ups</h1>
<auto-topup consent-version="2026-11-30" threshold="100" credits="1000" max-per-day="3"></auto-topup>
</main>
<script type="module" src="/recurring.js" data-service="${service}"></script>
</html>`;

const RECURRING_SCRIPT = (service) => `import { configure } from "${service}/auto-topup.js";
const token = async ({ refresh }) =>
  (await fetch("/token?refresh=" + refresh + "&" + location.search.slice(1))).text();
const query = new URLSearchParams(location.search);
const element = document.querySelector("auto-topup");
if (query.has("unnamed")) element.removeAttribute("consent-version");
if (query.has("own")) {
  element.setAttribute("consent-version", "own-1");
  const text = { slot: "consent", textContent: "Shop Ltd. may charge me." };
  element.append(Object.assign(document.createElement("span"), text));
}
configure({ baseUrl: "${service}", token, locale: query.get("locale") ?? undefined });
window.told = [];
for (const type of ["topup-auto-topup", "topup-redirect"]) {
  document.addEventListener(type, ({ detail }) => window.told.push([type, detail]));
}`;

/** A page with plans, and with auto top-up: one `configure` serves both files. */
const PLANS = (service) => RECURRING(service).replace("<auto-topup", "<manage-plan></manage-plan>\n<auto-topup")
  .replace("/recurring.js", "/plans.js");

const PLANS_SCRIPT = (service) => `import "${service}/manage-plan.js";
${RECURRING_SCRIPT(service).replace('"topup-auto-topup"', '"topup-auto-topup", "topup-plan"')}`;

/** The background is said, so that a check of contrasts knows it. */
const STYLE = `:root { color-scheme: light dark; } body { margin: 0; background: Canvas;
font-family: system-ui, sans-serif; }
main { max-width: 26rem; margin: auto; padding: 1rem; } buy-credits, auto-topup { margin-top: 2rem; }`;

const REACT_PAGE = (name) => `<!doctype html><html lang="en"><title>React</title><div id="root"></div>
<script type="module" src="/${name}.js"></script>`;

const REACT_APP = (service) => `
import { StrictMode, createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { topup } from "@topup/client";
import { TopupProvider, useCheckout, useCredits } from "@topup/client/react";
const client = topup({ baseUrl: "${service}", token: () => fetch("/token?user=react").then((it) => it.text()) });
function Meter() {
  const { balance, error, refresh } = useCredits();
  return h("p", null, h("output", null, error ? error.message : balance ? balance.availableCredits : "…"),
    h("button", { onClick: refresh }, "Refresh"));
}
function Shop() {
  const { step, session, buy } = useCheckout();
  const [credits, setCredits] = useState(250);
  return h("div", null,
    h("input", { "aria-label": "Credits", value: credits, onChange: ({ target }) => setCredits(Number(target.value)) }),
    h("button", { onClick: () => buy(credits), disabled: step === "opening" }, "Buy"),
    h("p", { role: "status" }, step, session ? " " + session.credits : ""));
}
createRoot(document.querySelector("#root")).render(h(StrictMode, null,
  h(TopupProvider, { client }, h(Meter), h(Meter), h(Shop))));`;

/** A component `App` beside the balance of one customer. */
const REACT_WITH_BALANCE = (service, user, app) => `
import { StrictMode, createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { topup } from "@topup/client";
import { TopupProvider, useAutoTopup, useCredits, usePlan } from "@topup/client/react";
const client = topup({ baseUrl: "${service}", token: () => fetch("/token?user=${user}").then((it) => it.text()) });
const Balance = () => h("output", { id: "credits" }, useCredits().balance?.availableCredits ?? "…");
${app}
createRoot(document.querySelector("#root")).render(h(StrictMode, null,
  h(TopupProvider, { client }, h(Balance), h(App), h(App))));`;

const REACT_PLAN_APP = (service) => REACT_WITH_BALANCE(service, "react_plan", `
function App() {
  const { plans, plan, subscription, entitlement, changeError, subscribe, preview, change, cancel, resume } = usePlan();
  const [price, setPrice] = useState();
  const said = [plan?.name ?? "none", subscription?.cancelAt ? "ends" : "", entitlement?.entitled ? "entitled" : "",
    price ? price.takesEffect : "", changeError?.code ?? ""];
  return h("div", null, h("p", { role: "status" }, plans ? said.filter(Boolean).join(" ") : "…"),
    h("button", { onClick: () => subscribe("basic") }, "Subscribe"),
    h("button", { onClick: async () => setPrice(await preview("pro")) }, "Preview"),
    h("button", { onClick: () => change("pro", price) }, "Change"),
    h("button", { onClick: () => change("nothing") }, "Nonsense"),
    h("button", { onClick: cancel }, "Cancel"), h("button", { onClick: resume }, "Resume"));
}`);

const REACT_AUTO_APP = (service) => REACT_WITH_BALANCE(service, "react_auto", `
const consent = { textVersion: "1" };
const rules = { thresholdCredits: 1, credits: 100, maxPerDay: 1, maxPerMonthMinor: 5_000, consent };
function App() {
  const { autoTopup, cards, changeError, turnOn, turnOff, saveCard } = useAutoTopup();
  const said = [autoTopup?.state, cards?.length, autoTopup?.attempts[0]?.outcome, changeError?.code];
  return h("div", null, h("p", { role: "status" }, autoTopup ? said.filter((it) => it !== undefined).join(" ") : "…"),
    h("button", { onClick: () => saveCard() }, "Save a card"), h("button", { onClick: () => turnOn(rules) }, "On"),
    h("button", { onClick: () => turnOn({ ...rules, credits: 1 }) }, "Nonsense"), h("button", { onClick: turnOff }, "Off"));
}`);

/** Starts the shop. `open(service)` tells it where the service is, which has to know the shop's address first. */
export async function startShop() {
  const pages = new Map();
  const asked = []; // each request for a token: { user, refresh }
  let login;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://shop.example");
    if (pathname === "/token") {
      const user = searchParams.get("user") ?? "user_1";
      const refresh = searchParams.get("refresh") === "true";
      asked.push({ user, refresh });
      const seconds = searchParams.has("expired") && !refresh ? -600 : 300;
      return response.end(login.token(user, { alg: searchParams.get("alg") ?? "ES256", seconds }));
    }
    if (pathname === "/jwks") return response.end(JSON.stringify(login.keySet));
    if (pathname === "/favicon.ico") return response.writeHead(204).end(); // Browsers ask for it when they like.
    const page = pages.get(pathname);
    response.writeHead(page ? 200 : 404, page?.headers);
    return response.end(page?.body);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  process.on("exit", () => server.close());
  const url = `http://127.0.0.1:${server.address().port}`;
  login = new Login(url, "credits");

  async function open(service) {
    const policy = `default-src 'none'; script-src 'self' ${service}; connect-src 'self' ${service}; style-src 'self'; `
      + "base-uri 'none'; form-action 'none'";
    pages.set("/readme", { body: FROM_THE_README(service), headers: { "content-type": "text/html; charset=utf-8" } });
    const add = (path, type, body) => {
      const headers = { "content-type": `${type}; charset=utf-8`, "content-security-policy": policy };
      pages.set(path, { body, headers });
    };
    add("/", "text/html", BARE(service));
    add("/compact", "text/html", COMPACT(service));
    add("/page.js", "text/javascript", PAGE_SCRIPT(service));
    add("/recurring", "text/html", RECURRING(service));
    add("/recurring.js", "text/javascript", RECURRING_SCRIPT(service));
    add("/plans", "text/html", PLANS(service));
    add("/plans.js", "text/javascript", PLANS_SCRIPT(service));
    add("/shop.css", "text/css", STYLE);
    for (const [name, app] of [["react", REACT_APP], ["react_plan", REACT_PLAN_APP], ["react_auto", REACT_AUTO_APP]]) {
      add(`/${name}`, "text/html", REACT_PAGE(name));
      const bundle = await build({
        stdin: { contents: app(service), resolveDir: clientRoot }, bundle: true, write: false, format: "esm",
        define: { "process.env.NODE_ENV": '"development"' },
      });
      add(`/${name}.js`, "text/javascript", bundle.outputFiles[0].text);
    }
  }
  return { url, open, asked };
}
