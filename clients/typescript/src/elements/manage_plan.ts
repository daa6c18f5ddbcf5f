// `<manage-plan>`, for any page. Importing this defines it; `configure` tells it where the service is and who the
// customer is. Apart from the elements for buying, so that pages without it do not load it.

import { ManagePlan } from "./manage_plan_element.js";

if (typeof customElements !== "undefined" && !customElements.get("manage-plan")) {
  // Twice in one page, such as by two bundles, is no error: the first one serves.
  customElements.define("manage-plan", ManagePlan);
}

declare global {
  interface HTMLElementTagNameMap {
    "manage-plan": ManagePlan;
  }
}

export { ManagePlan };
export { configure, type RecurringOptions } from "./recurring_config.js";
export { TopupError } from "../errors.js";
export type { PlanTexts } from "../page/plan_texts.js";
export type { Formats } from "../page/texts.js";
