//! What a form of the pages asks of its control: fields as people type them become the control's JSON.

use serde_json::{Map, Value, json};

use crate::{
    engine::Engine,
    model::{currency, error::ApiError},
    pages::time,
};

/// Fields that the controls take as numbers.
const NUMBERS: &[&str] = &[
    "amount",
    "reinstated",
    "for_seconds",
    "times",
    "advance_seconds",
    "now",
    "drop_next",
    "status",
    "delay_ms",
    "lag_seconds",
];
/// Fields in which people type an amount of money.
const MONEY: &[&str] = &["amount", "reinstated"];

/// The body for the control at this path.
///
/// # Errors
/// If a field has a value that the control cannot take.
pub(super) fn read(engine: &Engine, path: &str, fields: &[(String, String)]) -> Result<Value, ApiError> {
    let mut members = Map::new();
    let currency = currency_of(engine, path);
    for (name, value) in fields {
        let (name, value) = (name.as_str(), value.trim());
        if value.is_empty() {
            continue;
        }
        let member = match (name, &currency) {
            (name, Some(currency)) if MONEY.contains(&name) => json!(minor_units(name, value, currency)?),
            (name, _) if NUMBERS.contains(&name) && !is_word(path, name) => json!(number(name, value)?),
            _ if value == "true" => json!(true),
            _ => json!(value),
        };
        members.insert(name.to_owned(), member);
    }
    shape(path, members)
}

/// A refund's `status` is a word, a fault's a number.
fn is_word(path: &str, name: &str) -> bool {
    name == "status" && path != "faults"
}

fn number(name: &str, value: &str) -> Result<i64, ApiError> {
    value.parse().map_err(|_| ApiError::invalid(format!("`{name}` must be a whole number, not `{value}`.")))
}

/// The currency of the payment or dispute that the control is about.
fn currency_of(engine: &Engine, path: &str) -> Option<String> {
    let mut segments = path.split('/');
    let (kind, id) = (segments.next()?, segments.next()?);
    engine.with(|core| match kind {
        "payment_intents" => core.state.payment_intents.get(id).map(|intent| intent.currency.clone()),
        "disputes" => core.state.disputes.get(id).map(|dispute| dispute.currency.clone()),
        _ => None,
    })
}

/// The form takes money such as 1.50, the controls take minor units.
fn minor_units(name: &str, value: &str, currency: &str) -> Result<i64, ApiError> {
    currency::parse_money(value, currency).ok_or_else(|| {
        let example = currency::format(currency::minimum(currency).saturating_mul(3), currency);
        ApiError::invalid(format!("`{name}` must be an amount of money such as {example}, not `{value}`."))
    })
}

/// What a control takes in another shape than its form. Browsers do not send unticked boxes, so where a form is the
/// whole setting, a missing field means off.
fn shape(path: &str, mut members: Map<String, Value>) -> Result<Value, ApiError> {
    let is_on = |members: &Map<String, Value>, name: &str| members.contains_key(name);
    Ok(match path {
        "deliveries/mode" => mode(&members),
        "faults" => fault(members),
        "clock" => return moment(members),
        "permissions" => json!({ "missing": words(members.get("missing")) }),
        "account/standing" => json!({
            "charges_enabled": is_on(&members, "charges_enabled"),
            "payouts_enabled": is_on(&members, "payouts_enabled"),
            "details_submitted": is_on(&members, "details_submitted"),
        }),
        path if path.ends_with("/movement") => {
            let direction = members.remove("direction");
            if direction == Some(json!("out"))
                && let Some(amount) = members.get("amount").and_then(Value::as_i64)
            {
                members.insert("amount".to_owned(), json!(amount.saturating_neg()));
            }
            Value::Object(members)
        }
        _ => Value::Object(members),
    })
}

/// The words of a field, with spaces or commas between.
fn words(value: Option<&Value>) -> Vec<&str> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    text.split([' ', ',']).filter(|word| !word.is_empty()).collect()
}

fn mode(members: &Map<String, Value>) -> Value {
    let hold = match (members.contains_key("hold_all"), members.get("hold")) {
        (true, _) => json!(true),
        (false, Some(types)) => json!(words(Some(types))),
        (false, None) => json!(false),
    };
    json!({
        "hold": hold,
        "shuffle": members.contains_key("shuffle"),
        "duplicate": members.contains_key("duplicate"),
        "drop_next": members.get("drop_next").unwrap_or(&json!(0)),
        "drop_type": members.get("drop_type"),
        "api_version": members.get("api_version"),
    })
}

/// Each kind of fault has members of its own; the form has fields for all of them.
fn fault(mut members: Map<String, Value>) -> Value {
    let kind = members.get("kind").cloned().unwrap_or_default();
    if kind != "status" {
        members.remove("status");
    }
    if kind != "delay" {
        members.remove("delay_ms");
    }
    Value::Object(members)
}

/// The moment to which the clock is advanced, as a person writes it.
fn moment(mut members: Map<String, Value>) -> Result<Value, ApiError> {
    if let Some(until) = members.remove("until") {
        let text = until.as_str().unwrap_or_default();
        let now = time::parse_utc(text).ok_or_else(|| {
            ApiError::invalid(format!("The moment must be like 2027-01-31 or 2027-01-31 08:30, in UTC, not `{text}`."))
        })?;
        members.insert("now".to_owned(), json!(now));
    }
    Ok(Value::Object(members))
}
