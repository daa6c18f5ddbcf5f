//! API versions (docs: "Versioning", "Changelog"), and how today's objects are rendered in older ones.
//!
//! Invariants: the model uses only the newest format. Older formats are derived from it when an object is rendered, so
//! the same event can be rendered in several versions. Members of other objects that an older version includes are
//! stored with the event, because an event shows the state at the time it happened.

use serde_json::{Map, Value, json};

use super::{State, billing::former, error::ApiError, payment_json, refund};

/// The versions that change a format the sandbox has, and the version of Stripe's oldest libraries still in use. Other
/// versions are accepted and treated like the latest of these before them.
pub const API_VERSIONS: &[&str] = &[
    "2020-08-27",
    "2022-08-01",
    "2022-11-15",
    "2024-04-10",
    "2025-03-31.basil",
    "2025-09-30.clover",
    "2026-03-25.dahlia",
    "2026-09-30.endive",
    "2026-10-28.endive",
];

/// The API version of requests without a `Stripe-Version` header and of new webhook endpoints.
pub const DEFAULT_API_VERSION: &str = "2026-10-28.endive";

/// Since this version a session has no `PaymentIntent` before it is confirmed.
pub(crate) const LATE_PAYMENT_INTENT: &str = "2022-08-01";
/// Since this version a `PaymentIntent` names its latest charge instead of listing charges, and a charge does not list
/// its refunds.
const LATEST_CHARGE: &str = "2022-11-15";
/// Since this version payments do not name an invoice, and a session has `collected_information`.
const BASIL: &str = "2025-03-31";
/// Since this version there is a `customer_account` beside each `customer`.
pub(crate) const CLOVER: &str = "2025-09-30";
/// Since this version `ui_mode` is `hosted_page` instead of `hosted`.
pub(crate) const DAHLIA: &str = "2026-03-25";
/// Since this version requests have no `payment_method_types`; `allowed_payment_method_types` is the filter.
pub(crate) const ENDIVE: &str = "2026-09-30";

/// Checks the syntax: a date, since 2024 with a name: `2026-10-28.endive`. Every version is accepted, so that a client
/// may be newer than the sandbox.
pub(crate) fn check(version: &str) -> Result<(), ApiError> {
    let (date, name) = version.split_once('.').unwrap_or((version, "named"));
    let digits_at =
        |range: std::ops::Range<usize>| date.get(range).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let is_date = date.len() == 10
        && digits_at(0..4)
        && digits_at(5..7)
        && digits_at(8..10)
        && date.get(4..5) == Some("-")
        && date.get(7..8) == Some("-");
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_date && is_name {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Invalid Stripe API version: {version}")))
}

/// The members that old versions add to an object, from the current state.
pub(crate) fn former_members(state: &State, object: &Value) -> Map<String, Value> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut members = Map::new();
    match text("object") {
        "payment_intent" => {
            // The charge's id, whether or not it is expanded.
            let latest = object.get("latest_charge").map(|latest| latest.get("id").unwrap_or(latest));
            let latest = latest.and_then(Value::as_str).and_then(|id| payment_json::charge_by_id(state, id));
            let charges = latest.into_iter().map(|mut charge| {
                let refunds = former_members(state, &charge);
                if let Some(charge) = charge.as_object_mut() {
                    charge.extend(refunds);
                }
                charge
            });
            let url = format!("/v1/charges?payment_intent={}", text("id"));
            let charges: Vec<_> = charges.collect();
            members.insert("charges".to_owned(), list(&charges, &url));
        }
        "charge" => {
            let url = format!("/v1/charges/{}/refunds", text("id"));
            members.insert("refunds".to_owned(), list(&refunds_of(state, text("id")), &url));
        }
        _ => {}
    }
    members.extend(former::former_members(state, object));
    members
}

fn list(data: &[Value], url: &str) -> Value {
    json!({ "object": "list", "total_count": data.len(), "data": data, "has_more": false, "url": url })
}

/// The refunds of a charge, newest first.
fn refunds_of(state: &State, charge: &str) -> Vec<Value> {
    let of_charge = state.refunds.iter().rev().filter(|refund| refund.charge == charge);
    of_charge.map(|refund| refund::to_json(state, refund)).collect()
}

/// Renders an object of the newest format, and the objects in it, in another version. `former` returns the
/// [`former_members`] of an object.
pub(crate) fn render(value: &mut Value, api_version: &str, former: &impl Fn(&Value) -> Map<String, Value>) {
    if api_version >= ENDIVE {
        return;
    }
    if api_version < BASIL && value.is_object() {
        let mut more = former(value);
        if api_version >= LATEST_CHARGE {
            more.retain(|name, _| !matches!(name.as_str(), "charges" | "refunds"));
        }
        if let Some(members) = value.as_object_mut() {
            former::prepare(members, more);
        }
    }
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| render(element, api_version, former)),
        Value::Object(members) => {
            let kind = members.get("object").and_then(Value::as_str).unwrap_or_default().to_owned();
            // An event keeps the version in which it was written, and metadata belongs to the customer.
            if kind != "event" {
                let inner = members.iter_mut().filter(|(name, _)| *name != "metadata");
                inner.for_each(|(_, member)| render(member, api_version, former));
                reshape(members, &kind, api_version);
            }
        }
        _ => {}
    }
}

fn reshape(members: &mut Map<String, Value>, kind: &str, api_version: &str) {
    let (is_session, is_intent) = (kind == "checkout.session", kind == "payment_intent");
    if is_session || is_intent || kind == "setup_intent" {
        members.remove("allowed_payment_method_types");
    }
    if is_session && api_version < DAHLIA && members.get("ui_mode") == Some(&json!("hosted_page")) {
        members.insert("ui_mode".to_owned(), json!("hosted"));
    }
    if api_version < CLOVER {
        members.remove("customer_account");
    }
    if is_session && api_version < BASIL {
        members.remove("collected_information");
        members.insert("shipping_details".to_owned(), Value::Null);
    }
    if (is_intent || kind == "charge") && api_version < BASIL {
        members.entry("invoice").or_insert(Value::Null);
    }
    former::reshape(members, kind, api_version);
    if is_intent && api_version < LATEST_CHARGE {
        members.remove("latest_charge");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::{API_VERSIONS, DEFAULT_API_VERSION, check, render};

    #[test]
    fn versions_are_dates_with_names() {
        for version in ["2026-10-28.endive", "2024-06-20", "2030-01-01.fig"] {
            assert!(check(version).is_ok(), "{version}");
        }
        for version in ["", "endive", "2026-10-28.", "2026-1-28.endive", "2026-10-28.x\r\ny"] {
            assert!(check(version).is_err(), "{version}");
        }
    }

    #[test]
    fn the_known_versions_are_versions_in_order_and_the_newest_is_the_default() {
        assert!(API_VERSIONS.is_sorted());
        assert!(API_VERSIONS.iter().all(|version| check(version).is_ok()));
        assert_eq!(API_VERSIONS.last(), Some(&DEFAULT_API_VERSION));
    }

    #[test]
    fn metadata_that_looks_like_an_object_is_left_alone() {
        let mut charge = json!({ "object": "charge", "metadata": { "object": "charge" } });
        render(&mut charge, "2024-04-10", &|_| Map::new());
        assert_eq!(charge, json!({ "object": "charge", "invoice": null, "metadata": { "object": "charge" } }));
    }
}
