// `<auto-topup>`, for any page. Importing this defines it; `configure` tells it where the service is and who the
// customer is. Apart from the elements for buying, so that pages without it do not load it.

import { AutoTopupElement } from "./auto_topup_element.js";

if (typeof customElements !== "undefined" && !customElements.get("auto-topup")) {
  // Twice in one page, such as by two bundles, is no error: the first one serves.
  customElements.define("auto-topup", AutoTopupElement);
}

declare global {
  interface HTMLElementTagNameMap {
    "auto-topup": AutoTopupElement;
  }
}

export { AutoTopupElement };
export { configure, type RecurringOptions } from "./recurring_config.js";
export { TopupError } from "../errors.js";
export type { AutoTopupTexts } from "../page/auto_topup_texts.js";
export type { Formats } from "../page/texts.js";
