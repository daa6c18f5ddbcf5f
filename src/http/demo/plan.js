// The plan and the automatic top-up: two more elements of `clients/typescript`. What the buttons for the developer do,
// only a sandbox can: the customer's time moves to the next renewal, and the bank declines the card.

import { $, customerToken, refresh } from "./demo.js";
import { configure as configureAutoTopup } from "/auto-topup.js";
import { configure as configurePlan } from "/manage-plan.js";

for (const configure of [configureAutoTopup, configurePlan]) configure({ baseUrl: location.origin, token: customerToken });

const plan = document.querySelector("manage-plan");

document.addEventListener("topup-auto-topup", refresh);
document.addEventListener("topup-plan", refresh);

const WAITS_MS = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000];

/** Webhooks come a moment later, and that of the credits after that of the plan. */
function lookAgain() {
  for (const wait of WAITS_MS) setTimeout(() => Promise.all([refresh(), plan.refresh()]), wait);
}

// The customer may come back from a page on which something was paid.
addEventListener("pageshow", lookAgain);

async function ask(path, body, said) {
  const buttons = [...document.querySelectorAll("#time button")];
  buttons.forEach((button) => { button.disabled = true; });
  $("time-status").textContent = "";
  try {
    const headers = { "content-type": "application/json", authorization: `Bearer ${await customerToken()}` };
    const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = await response.json();
    $("time-status").textContent = response.ok ? said : `That did not work: ${answer.detail}.`;
    if (response.ok) lookAgain();
  } catch {
    $("time-status").textContent = "The service cannot be reached.";
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

$("renew").onclick = () => ask("/demo/renew", {}, "The time of the next renewal has come, for this customer only.");
$("decline").onclick = () => ask("/demo/decline", { declines: true }, "The bank declines this customer's cards from now on.");
$("accept").onclick = () => ask("/demo/decline", { declines: false }, "The bank accepts this customer's cards again.");
