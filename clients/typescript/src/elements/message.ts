import type { PurchaseState } from "../page/purchase.js";
import { type Formats, isNothingCharged, type Message, type Texts } from "../page/texts.js";
import { button, h } from "./dom.js";

/** What a customer is told of their purchase, and what they can do. */
export interface Told extends Message {
  /** The name of the state in the document; `open` while a payment is confirmed. */
  name: string;
  action?: HTMLElement | undefined;
}

export function messageOf(
  { step, session, url, error, isLookup }: PurchaseState,
  texts: Texts,
  format: Formats,
  sentence: (error: Error) => string,
  again: () => void,
): Told {
  const retry = (label: string) => {
    const made = button(label, "link", again);
    made.className = "quiet";
    return made;
  };
  switch (step) {
    case "confirming": return { name: "open", ...texts.confirming };
    case "no_news": return { name: "open", ...texts.noNews, action: retry(texts.checkAgain) };
    case "processing": return { name: step, ...texts.processing };
    case "expired": return { name: step, ...texts.expired };
    case "failed": return { name: step, ...texts.failed };
    case "paid": return session ? { name: step, ...texts.paid(session, format) } : IDLE;
    case "cancelled": {
      if (!session) return { name: step, ...texts.left };
      const action = url === undefined ? undefined : h("a", { href: url, part: "link" }, texts.toPayment);
      return { name: step, ...texts.leftOpen(session, format), action };
    }
    case "error": {
      if (!error) return IDLE;
      const known = isNothingCharged(error) ? `${texts.nothingCharged} ` : "";
      const title = isLookup ? texts.lookupFailed : texts.checkoutFailed;
      return { name: step, title, text: known + sentence(error), action: retry(texts.tryAgain) };
    }
    default: return IDLE;
  }
}

const IDLE: Told = { name: "idle", title: "", text: "" };
