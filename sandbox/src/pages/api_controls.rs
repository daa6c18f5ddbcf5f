//! Controls of the API on the page of controls: outages, faults, lagging lists, permissions, and the account.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    control_forms::{Input, Mode, button, check, control, form, input, select},
    view::View,
};

/// The switches of the account, and what each does.
const SWITCHES: [(&str, &str, &str); 13] = [
    ("automatic_tax", "Tax", "10 % are added when the customer pays."),
    ("adaptive_pricing", "Adaptive pricing", "Sessions say that they may show other currencies."),
    ("allow_promotion_codes", "Promotion codes", "The checkout takes codes."),
    ("phone_number_collection", "Phone numbers", "The checkout asks for them."),
    ("tax_id_collection", "Tax ids", "The checkout asks for them."),
    ("billing_address_collection", "Billing address", "It is required."),
    ("invoice_creation", "Invoices", "Each payment gets an invoice."),
    ("customer_creation", "Customers", "Each checkout creates a customer."),
    ("consent_collection", "Consent", "The terms of service must be accepted."),
    ("name_collection", "Names", "The checkout asks for them."),
    ("managed_payments", "Managed payments", "Stripe is the seller and adds tax."),
    ("after_expiration", "Recovery", "An expired checkout can be recovered."),
    ("link", "Link", "The checkout offers it."),
];

/// The section about failures: outages, and faults in single requests.
pub(super) fn failures(view: &View<'_>) -> Markup {
    html! {
        section #failures aria-labelledby="failures-title" {
            h2 #failures-title { "Failures of the API" }
            div.cards { (outage(view)) (faults(view)) }
        }
    }
}

fn outage(view: &View<'_>) -> Markup {
    let begin = html! {
        (select("kind", "kind", "How requests fail", "429", &[("429", "429, too many requests"),
            ("500", "500, an error of Stripe's"), ("timeout", "no answer"),
            ("unreachable", "the connection is closed")]))
        (input(&Input { id: "for_seconds", name: "for_seconds", label: "For so many seconds",
            hint: "Empty: no end by time.", value: "60", mode: Mode::Number }))
        (input(&Input { id: "times", name: "times", label: "For so many requests", hint: "Empty: for all.", value: "",
            mode: Mode::Number }))
        (input(&Input { id: "path", name: "path", label: "Path", hint: "A * at the end stands for anything.",
            value: "/v1/*", mode: Mode::Text }))
        button type="submit" { "Begin the outage" }
    };
    html! {
        (control("outage", "Let the API fail",
            "Every request to the path fails and has no effect, until the time is over, so many have failed, or the \
             outage is ended. A 500 is kept under its idempotency key, as on Stripe.",
            &form(view, "outage", "begin", &begin)))
        @if view.outage.is_some() {
            (control("outage-end", "End the outage",
                "Requests are answered again; those without an answer are cut off.",
                &button(view, "outage/clear", "End the outage", "the API", &[])))
        }
    }
}

fn faults(view: &View<'_>) -> Markup {
    let add = html! {
        (select("fault-kind", "kind", "What happens", "status", &[("status", "an error status is answered"),
            ("disconnect", "the connection is closed"), ("delay", "the answer is late"),
            ("hold", "the request waits until it is let go")]))
        (select("fault-when", "when", "When", "before", &[("before", "before the work: it has no effect"),
            ("after", "after the work: only the answer is lost")]))
        (select("fault-method", "method", "Method", "POST", &[("", "any"), ("GET", "GET"), ("POST", "POST"),
            ("DELETE", "DELETE")]))
        (input(&Input { id: "fault-path", name: "path", label: "Path", hint: "A * at the end stands for anything.",
            value: "/v1/*", mode: Mode::Text }))
        (input(&Input { id: "fault-times", name: "times", label: "For so many requests", hint: "", value: "1",
            mode: Mode::Number }))
        div.row {
            (input(&Input { id: "fault-status", name: "status", label: "Status", hint: "For an error: 400 to 599.",
                value: "500", mode: Mode::Number }))
            (input(&Input { id: "fault-delay", name: "delay_ms", label: "Milliseconds", hint: "For a late answer.",
                value: "5000", mode: Mode::Number }))
        }
        button type="submit" { "Add the fault" }
    };
    html! {
        (control("faults", "Let the next request fail",
            "The next requests that fit meet the fault, and later ones do not. Changed answers and work that is done \
             later are for the JSON control.", &form(view, "faults", "add", &add)))
        @if !view.core.faults.is_empty() {
            (control("faults-end", "Clear the faults",
                "No request meets a fault any more. Held requests stay held.",
                &button(view, "faults/clear", "Clear the faults", "all requests", &[])))
        }
        @if view.core.held > 0 {
            (control("release", "Let held requests go on",
                "All requests that a fault or an outage holds are answered or cut off.",
                &button(view, "release", "Let them go on", "held requests", &[])))
        }
    }
}

/// The section about the account: its settings, its key and its lists.
pub(super) fn account(view: &View<'_>) -> Markup {
    html! {
        section #account aria-labelledby="account-title" {
            h2 #account-title { "Account and key" }
            div.cards {
                (control("permissions", "Restrict the key",
                    "The key lacks these permissions from now on: requests that need one are refused with 403.",
                    &form(view, "permissions", "set", &permissions(view))))
                (control("lists", "Let lists lag",
                    "Sessions, refunds, disputes and events appear in the API's lists only at this age, as on Stripe \
                     under load.", &form(view, "lists", "set", &lists(view))))
                (control("standing", "Change the account's standing",
                    "What Stripe's review lets the account do, as GET /v1/account shows it. Test payments work all the \
                     same.", &form(view, "account/standing", "set", &standing(view))))
                div.card.control.whole #settings {
                    h3 { "Switch settings of the dashboard on" }
                    p {
                        "They apply to new checkouts whose request does not decide. What is ticked is on, the rest is \
                         off."
                    }
                    (form(view, "account", "set", &switches(view)))
                }
            }
        }
    }
}

fn permissions(view: &View<'_>) -> Markup {
    let missing = view.core.permissions.missing_names();
    html! {
        (input(&Input { id: "missing", name: "missing", label: "Missing permissions",
            hint: "Such as rak_charge_write rak_dispute_read, with spaces between. Empty: an unrestricted key.",
            value: &missing, mode: Mode::Text }))
        button.plain type="submit" { "Set the permissions" }
    }
}

fn lists(view: &View<'_>) -> Markup {
    let lag = view.state().list_lag.to_string();
    html! {
        (input(&Input { id: "lag_seconds", name: "lag_seconds", label: "Seconds", hint: "0: no lag.", value: &lag,
            mode: Mode::Number }))
        button.plain type="submit" { "Set the lag" }
    }
}

fn standing(view: &View<'_>) -> Markup {
    let standing = view.state().standing;
    html! {
        (check("charges_enabled", "May take payments", "", standing.charges_enabled))
        (check("payouts_enabled", "May pay out", "", standing.payouts_enabled))
        (check("details_submitted", "Has submitted its details", "", standing.details_submitted))
        button.plain type="submit" { "Set the standing" }
    }
}

fn switches(view: &View<'_>) -> Markup {
    let settings = json!(view.state().account);
    let is_on = |name: &str| settings.get(name).and_then(Value::as_bool).unwrap_or_default();
    html! {
        div.switches { @for (name, label, hint) in SWITCHES { (check(name, label, hint, is_on(name))) } }
        button.plain type="submit" { "Set the settings" }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::SWITCHES;
    use crate::model::account::AccountDefaults;

    #[test]
    fn every_setting_of_the_account_has_a_switch() {
        let settings = json!(AccountDefaults::ALL_ON);
        let mut known: Vec<&str> = settings.as_object().expect("members").keys().map(String::as_str).collect();
        let mut shown = SWITCHES.map(|(name, ..)| name);
        known.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown.as_slice(), known.as_slice());
    }
}
