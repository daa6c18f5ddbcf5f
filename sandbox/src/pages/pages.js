// Comforts of the sandbox's pages. Every page works without them: then a person reloads it.
"use strict";

const main = document.getElementById("main");
const TYPED = "input:not([type=hidden]), select, textarea";

// ---- Times: relative ones grow older, and the sandbox's clock goes on ----

// The sandbox's time when this machine's was `read`.
let clock = { now: Number(main.dataset.now), read: Date.now() };
const now = () => clock.now + Date.now() - clock.read;

function ago(seconds) {
  const past = Math.abs(seconds);
  if (seconds >= 0 && past < 5) return "just now";
  const text = past < 60 ? `${past} s`
    : past < 3600 ? `${Math.floor(past / 60)} min`
    : past < 86400 ? `${Math.floor(past / 3600)} h`
    : `${Math.floor(past / 86400)} d`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function tick() {
  if (paused) return;
  write(document.getElementById("now"), `${new Date(now()).toISOString().slice(11, 19)} UTC`);
  const seconds = Math.floor(now() / 1000);
  for (const time of main.querySelectorAll("time[data-at]")) write(time, ago(seconds - Number(time.dataset.at)));
}

// ---- Refreshing: what the person types, has opened or has in focus stays ----

const isDirty = (field) => {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const chosen = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(chosen, 0);
};
const isTyping = (form) => form.dataset.sent
  || (form.contains(document.activeElement) && document.activeElement.matches(TYPED))
  || [...form.querySelectorAll(TYPED)].some(isDirty);

/** An element that stays although the newest page does not have it. */
function stays(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return false;
  if (node.dataset.keep !== undefined) return true;
  const forms = node.matches("form") ? [node] : [...node.querySelectorAll("form")];
  return forms.some(isTyping) || (node.dataset.row !== undefined && node.querySelector("details[open]") !== null);
}

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.dataset.keep !== undefined || (old.matches("form") && isTyping(old)) || old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && name !== "aria-busy" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, fresh);
  if (old.matches("input")) {
    if (old.type === "checkbox" || old.type === "radio") old.checked = old.defaultChecked;
    else old.value = old.defaultValue;
  }
}

function morphChildren(old, fresh) {
  const wanted = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
  const present = new Map();
  for (const child of [...old.children]) {
    if (!child.id) continue;
    if (wanted.has(child.id) || stays(child)) present.set(child.id, child);
    else child.remove();
  }
  let at = old.firstChild;
  const skipKept = () => {
    while (at && at.id && !wanted.has(at.id)) at = at.nextSibling;
  };
  for (const want of [...fresh.childNodes]) {
    skipKept();
    const known = want.id ? present.get(want.id) : at && !at.id && at.nodeName === want.nodeName ? at : null;
    if (!known) {
      old.insertBefore(document.importNode(want, true), at);
      continue;
    }
    if (known === at) at = at.nextSibling;
    else old.insertBefore(known, at);
    morph(known, want);
  }
  while (at) {
    const next = at.nextSibling;
    if (!stays(at)) at.remove();
    at = next;
  }
}

async function refresh() {
  const answer = await fetch(main.dataset.path, { cache: "no-store" });
  if (answer.status === 404) return "This is no longer in the sandbox.";
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const newMain = fresh.getElementById("main");
  if (paused) return null;
  const hadFocus = main.contains(document.activeElement);
  clock = { now: Number(newMain.dataset.now), read: Date.now() };
  morph(main, newMain);
  for (const id of ["side", "clock-line"]) morph(document.getElementById(id), fresh.getElementById(id));
  if (document.title !== fresh.title) document.title = fresh.title;
  if (hadFocus && document.activeElement === document.body) main.focus({ preventScroll: true });
  tick();
  return null;
}

// ---- The line that says whether the page refreshes, with its button ----

let paused = sessionStorage.getItem("sandbox:paused") === "yes";
let waiting = new AbortController();
let wake = () => {};
const live = document.getElementById("live");
const said = document.createElement("span");
const button = document.createElement("button");
button.type = "button";
button.className = "plain";
live.replaceChildren(said, button);

function say(text, lost = false) {
  write(said, text);
  said.classList.toggle("lost", lost);
}

function showPaused() {
  write(button, paused ? "Refresh again" : "Pause");
  if (paused) say("Paused: the page stays as it is.");
}

button.addEventListener("click", () => {
  paused = !paused;
  sessionStorage.setItem("sandbox:paused", paused ? "yes" : "no");
  showPaused();
  waiting.abort();
  wake();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) waiting.abort();
  else wake();
});

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Asks for news for ever; a hidden page and a paused one do not ask. */
async function follow() {
  for (;;) {
    if (paused || document.hidden) {
      await new Promise((resolve) => { wake = resolve; });
      continue;
    }
    waiting = new AbortController();
    const { signal } = waiting;
    try {
      const answer = await fetch(`/_sandbox/changes?since=${main.dataset.changes}`, { cache: "no-store", signal });
      const { changes } = await answer.json();
      const problem = String(changes) === main.dataset.changes ? null : await refresh();
      if (!paused) say(problem ?? "Refreshes by itself.", problem !== null);
      await pause(problem === null ? 400 : 5000);
    } catch {
      if (signal.aborted) continue;
      say("The sandbox does not answer; trying again.", true);
      await pause(1500);
    }
  }
}

// ---- Forms ----

// A form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  for (const pressed of form.querySelectorAll("button")) pressed.setAttribute("aria-busy", "true");
});

// Coming back with the browser's own button shows the page as it was, where forms may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const pressed of form.querySelectorAll("button")) pressed.removeAttribute("aria-busy");
  }
});

// "/" moves to the search box.
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.closest(TYPED);
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("q").focus();
});

// What the last form did is told once, not again after a reload.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  here.searchParams.delete("of");
  history.replaceState(null, "", here);
}

showPaused();
if (!paused) say("Refreshes by itself.");
tick();
setInterval(tick, 1000);
follow();
