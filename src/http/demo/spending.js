// How a web page spends credits: it does not. It asks the product's server for work (`/demo/generate`), and that server
// holds, extends and captures credits with its API key (src/http/demo/generate.rs). The page shows what it is told, and
// reads grants with the customer's token.

import {
  $, TopupError, button, client, customerToken, dateAndTime, element, meter, refresh, shop, showCredits, timeOfDay,
} from "./demo.js";

const WORD_CREDITS = Number($("work").dataset.wordCredits);
const credits = (count) => `${showCredits(count)} ${showCredits(count) === "1" ? "credit" : "credits"}`;

let writing = null; // what is being written in this tab: { words, stop }

// ---- Grants ----

const GRANTS = {
  purchase: "Bought", bonus: "Bonus", promotion: "Present", adjustment: "Adjustment", returned: "Given back",
  subscription: "Plan",
};
const DAY_MS = 86_400_000;

function grantRow({ kind, reason, credits: first, remainingCredits, expiresAt }) {
  const end = expiresAt && new Date(expiresAt);
  const isSoon = end && end - Date.now() < DAY_MS;
  const when = end ? `ends ${isSoon ? `at ${timeOfDay.format(end)}` : dateAndTime.format(end)}` : "does not end";
  const detail = (text, more = "") => element("span", { className: `detail${more}` }, text);
  return element("tr", {},
    element("td", {}, reason ?? GRANTS[kind] ?? kind, detail(when, isSoon ? " soon" : "")),
    element("td", {}, showCredits(remainingCredits), detail(`of ${showCredits(first)}`)));
}

/** In the order in which they are spent. */
const burnOrder = (one, other) => one.priority - other.priority
  || new Date(one.expiresAt ?? 8.64e15) - new Date(other.expiresAt ?? 8.64e15)
  || (one.category === "paid") - (other.category === "paid")
  || new Date(one.createdAt) - new Date(other.createdAt);

let grantsCount = 0;
let nextEnd;

async function showGrants() {
  const count = ++grantsCount;
  const grants = await client().grants({ limit: 20 }).catch(() => null);
  if (count !== grantsCount || !grants) return; // a later answer is newer; after an error the old list stays
  const none = element("tr", {}, element("td", { colSpan: 2, className: "note" }, "Nothing yet."));
  const sorted = grants.data.sort(burnOrder);
  $("grants").replaceChildren(...(sorted.length ? sorted.map(grantRow) : [none]));
  clearTimeout(nextEnd);
  const ends = sorted.filter(({ expiresAt }) => expiresAt).map(({ expiresAt }) => new Date(expiresAt) - Date.now());
  const soonest = Math.min(...ends);
  if (soonest < DAY_MS) nextEnd = setTimeout(refresh, Math.max(soonest, 0) + 250);
}

// ---- Other tabs ----

const tabs = new BroadcastChannel("topup-demo");
tabs.onmessage = refresh;

let lookAgain;
let waitMs = 500;

/** While something is held that this tab does not write, its end is awaited: another tab writes, or was closed. */
function awaitOthers(heldCredits) {
  clearTimeout(lookAgain);
  waitMs = heldCredits > 0 && !writing ? Math.min(waitMs * 1.5, 5_000) : 500;
  if (waitMs > 500) lookAgain = setTimeout(refresh, waitMs);
}

document.addEventListener("topup-balance", ({ detail }) => {
  showGrants();
  awaitOthers(detail.heldCredits);
});

// ---- Writing ----

/** The text so far, in the tab's session storage: it goes on after a purchase, for which the browser leaves the page. */
const draft = {
  read: () => JSON.parse(sessionStorage.getItem("draft")),
  keep: (value) => sessionStorage.setItem("draft", JSON.stringify(value)),
  forget: () => sessionStorage.removeItem("draft"),
};

function tellWork(state, title = "", ...rest) {
  document.querySelector(".work").dataset.state = state;
  $("work-status").replaceChildren(...(title ? [element("strong", {}, title), ...rest] : []));
}

function setWriting(now) {
  writing = now;
  meter.used = 0;
  const hadFocus = document.activeElement;
  $("generate").disabled = $("prompt").disabled = Boolean(now);
  $("stop").hidden = !now;
  if (now) $("stop").focus(); // so that the keyboard's place is not lost
  else if (hadFocus === $("stop")) $("generate").focus();
  $("text").ariaBusy = String(Boolean(now));
}

/** The lines of an answer, each of them JSON. An answer that breaks off ends without a word. */
async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read().catch(() => ({ done: true }));
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts.map((part) => JSON.parse(part));
  }
}

/** Asks the product's server for a text. Its refusals are Topup's problems, which it hands on. */
async function ask(body, signal, refresh = false) {
  const headers = { authorization: `Bearer ${await customerToken({ refresh })}`, "content-type": "application/json" };
  const response = await fetch("/demo/generate", { method: "POST", headers, body: JSON.stringify(body), signal })
    .catch((cause) => { throw new TopupError("network_error", "the demo's server cannot be reached", { cause }); });
  if (response.ok) return response;
  if (response.status === 401 && !refresh) return ask(body, signal, true);
  const problem = await response.json().catch(() => ({}));
  throw new TopupError(problem.code ?? "unexpected_answer", problem.detail ?? "", { status: response.status, problem });
}

async function generate(event) {
  event?.preventDefault();
  const prompt = $("prompt").value.trim();
  if (writing || !prompt) return $("prompt").focus();
  const kept = draft.read();
  const work = kept?.prompt === prompt ? kept : { prompt, text: "", words: 0 };
  const mine = { words: 0, stop: new AbortController() };
  setWriting(mine);
  $("text").textContent = work.text;
  $("text").hidden = false;
  tellWork("writing", "Writing…");
  let end = "broken";
  try {
    for await (const line of lines(await ask({ prompt, fromWord: work.words }, mine.stop.signal))) {
      if (line.balance) meter.balance = line.balance;
      if (line.heldCredits) tabs.postMessage("held");
      if (line.word) {
        mine.words += 1;
        work.words += 1;
        $("text").append(work.text ? ` ${line.word}` : line.word);
        work.text = $("text").textContent;
        draft.keep(work);
        meter.used = mine.words * WORD_CREDITS;
      }
      end = line.end ?? end;
    }
  } catch (problem) {
    if (!mine.stop.signal.aborted && !(problem instanceof TopupError)) throw problem;
    end = problem;
  }
  setWriting(null);
  tellEnd(mine.stop.signal.aborted ? "stopped" : end, mine.words);
  await refresh();
  tabs.postMessage("done");
}

const written = (words) =>
  `${words} ${words === 1 ? "word" : "words"} written, ${credits(words * WORD_CREDITS)} charged.`;

function tellEnd(end, words) {
  const code = end instanceof TopupError ? end.code : end;
  const say = (text) => element("p", {}, text);
  if (code === "finished") draft.forget();
  $("generate").textContent = draft.read() ? "Continue writing" : "Generate";
  if (code === "finished") {
    tellWork("finished", "Finished", say(written(words)));
  } else if (code === "insufficient_credits") {
    const then = draft.read() ? "Buy some more, and the text goes on where it stopped." : "Buy some more first.";
    const text = words ? `${written(words)} ${then}` : then;
    tellWork("out", "You are out of credits", say(text), button("Buy credits", goToShop));
  } else if (code === "stopped") {
    tellWork("stopped", "You stopped it", say("Only what was written is charged."));
  } else {
    const text = TROUBLE[code] ?? "Please try again in a moment.";
    tellWork("error", "The text could not be finished", say(`${text} Only what was written is charged.`));
  }
}

const TROUBLE = {
  account_blocked: "This account is blocked. Please write to us.",
  broken: "We cannot be reached. Please check your connection and try again.",
  credits_held: "Your other credits are held for work that is still running. Please try again in a moment.",
  network_error: "We cannot be reached. Please check your connection and try again.",
};

function goToShop() {
  shop.focus();
  shop.scrollIntoView({ block: "center" });
}

async function takeGift() {
  $("gift").disabled = true;
  const headers = { authorization: `Bearer ${await customerToken()}` };
  const answer = await fetch("/demo/gift", { method: "POST", headers }).catch(() => null);
  if (!answer?.ok) tellWork("error", "There is no present now", element("p", {}, "Please try again in a moment."));
  $("gift").disabled = false;
  await refresh();
  tabs.postMessage("gift");
}

// ---- Start ----

if (meter.balance) showGrants(); // it came before this file did

/** Shows a text that broke off, after a return or a reload. */
function showDraft() {
  const kept = draft.read();
  if (writing || !kept) return;
  $("prompt").value = kept.prompt;
  $("text").textContent = kept.text;
  $("text").hidden = false;
  $("generate").textContent = "Continue writing";
}

$("work").onsubmit = generate;
$("stop").onclick = () => writing?.stop.abort();
$("gift").onclick = takeGift;
$("prompt").oninput = () => {
  $("generate").textContent = draft.read()?.prompt === $("prompt").value.trim() ? "Continue writing" : "Generate";
};
document.addEventListener("topup-paid", () => {
  if (draft.read()) tellWork("paid", "You have credits again", element("p", {}, "The text can go on."));
});
addEventListener("pageshow", () => {
  setWriting(null); // the HTML disables it until this script runs
  $("gift").hidden = false;
  showDraft();
});
