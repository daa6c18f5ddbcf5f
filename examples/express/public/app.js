// The elements come from Topup itself, so this page needs no build.
const { url } = await (await fetch("/config.json")).json();
const { configure } = await import(`${url}/elements.js`);
configure({ baseUrl: url, token: async () => (await fetch("/token")).text() });

const meter = document.querySelector("credits-meter");
const shop = document.querySelector("buy-credits");
const answer = document.querySelector("#answer");

const REFUSALS = {
  insufficient_credits: "You are out of credits. Please buy some below.",
  credits_held: "Another answer is being written. Please wait a moment.",
};

async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts.map((part) => JSON.parse(part));
  }
}

document.querySelector("#chat").onsubmit = async (event) => {
  event.preventDefault();
  answer.textContent = "";
  const body = JSON.stringify({ prompt: document.querySelector("#prompt").value });
  const response = await fetch("/chat", { method: "POST", headers: { "content-type": "application/json" }, body });
  if (!response.ok) {
    const { code } = await response.json();
    answer.textContent = REFUSALS[code] ?? "Something went wrong. Please try again.";
    if (code === "insufficient_credits") shop.focus();
    return;
  }
  for await (const line of lines(response)) {
    if (line.word) answer.append(`${line.word} `);
    if (line.balance) meter.balance = line.balance;
    if (REFUSALS[line.end]) answer.append(`… ${REFUSALS[line.end]}`);
  }
};
