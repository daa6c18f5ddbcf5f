// `<credits-meter>` and `<buy-credits>`, for any page. Importing this defines them; `configure` tells them where the
// service is and who the customer is.

import { BuyCredits } from "./buy.js";
import { CreditsMeter } from "./meter.js";

if (typeof customElements !== "undefined") {
  // Twice in one page, such as by two bundles, is no error: the first one serves.
  if (!customElements.get("credits-meter")) customElements.define("credits-meter", CreditsMeter);
  if (!customElements.get("buy-credits")) customElements.define("buy-credits", BuyCredits);
}

declare global {
  interface HTMLElementTagNameMap {
    "credits-meter": CreditsMeter;
    "buy-credits": BuyCredits;
  }
}

export { BuyCredits, CreditsMeter };
export { client, configure, type ElementsOptions, refreshBalance } from "./config.js";
export { formatCredits, formatMoney, parseCredits } from "../format.js";
export { TopupError } from "../errors.js";
export type { Formats, Texts } from "../page/texts.js";
