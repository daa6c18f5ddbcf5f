//! `/_sandbox` and its forms. Each form does what the JSON control of the same path does, then redirects to the page.

use std::time::Duration;

use actix_web::{HttpResponse, http::StatusCode, web};
use serde_json::{Map, Value, json};

use super::hosted::{html, see_other};
use crate::{
    controls,
    engine::{Core, Engine},
    model::{currency, error::ApiError},
    pages::{control_forms::FORMS, control_rows, controls as page},
};

/// How long the page waits for deliveries before it is rendered.
const DELIVERED_WAIT: Duration = Duration::from_secs(1);
/// Form fields that the JSON controls take as numbers.
const NUMBERS: &[&str] = &["amount", "for_seconds", "times", "advance_seconds", "now", "drop_next"];

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/_sandbox", web::get().to(show)).route(&format!("{FORMS}/{{path:.*}}"), web::post().to(submit));
}

/// Renders the page after a short wait, so that it shows the deliveries that a form caused.
async fn show(engine: web::Data<Engine>) -> HttpResponse {
    engine.wait_until(DELIVERED_WAIT, |core: &mut Core| !core.is_delivering()).await;
    render(&engine, StatusCode::OK, None)
}

fn render(engine: &Engine, status: StatusCode, mistake: Option<&str>) -> HttpResponse {
    let rows = engine.with(control_rows::of);
    html(status, &page::page(&rows, mistake), &[])
}

async fn submit(
    engine: web::Data<Engine>,
    path: web::Path<String>,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let done = match in_minor_units(&engine, &path, form.into_inner()).and_then(|form| body(&path, &form)) {
        Ok(body) => controls::carry_out(&engine, &path, &body).await,
        Err(mistake) => Err(mistake),
    };
    match done {
        Ok(_) => see_other(&format!("/_sandbox#{}", section(&path))),
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            render(&engine, status, Some(&error.message))
        }
    }
}

/// Converts amounts: the form takes money such as 1.50 in the payment's currency, the controls take minor units.
fn in_minor_units(engine: &Engine, path: &str, form: Vec<(String, String)>) -> Result<Vec<(String, String)>, ApiError> {
    let mut segments = path.split('/');
    let (Some("payment_intents"), Some(id)) = (segments.next(), segments.next()) else { return Ok(form) };
    let currency = engine.with(|core| core.state.payment_intents.get(id).map(|intent| intent.currency.clone()));
    let Some(currency) = currency else { return Ok(form) };
    let minor = |(name, value): (String, String)| {
        if name != "amount" || value.trim().is_empty() {
            return Ok((name, value));
        }
        let minor = currency::parse_money(value.trim(), &currency).ok_or_else(|| {
            let example = currency::format(currency::minimum(&currency).saturating_mul(3), &currency);
            ApiError::invalid(format!("`amount` must be an amount of money such as {example}, not `{}`.", value.trim()))
        })?;
        Ok((name, minor.to_string()))
    };
    form.into_iter().map(minor).collect()
}

/// The section of the page to which a form belongs.
fn section(path: &str) -> &str {
    match path.split('/').next().unwrap_or_default() {
        "sessions" | "payment_intents" => "payments",
        other => other,
    }
}

/// The JSON body for the control. Empty fields are left out.
fn body(path: &str, form: &[(String, String)]) -> Result<Value, ApiError> {
    let mut members = Map::new();
    for (name, value) in form.iter().filter(|(_, value)| !value.trim().is_empty()) {
        let value = value.trim();
        let member = match value {
            "true" => json!(true),
            number if NUMBERS.contains(&name.as_str()) => {
                let number: i64 = number
                    .parse()
                    .map_err(|_| ApiError::invalid(format!("`{name}` must be a whole number, not `{number}`.")))?;
                json!(number)
            }
            text => json!(text),
        };
        members.insert(name.clone(), member);
    }
    Ok(if path == "deliveries/mode" { mode(&members) } else { Value::Object(members) })
}

/// Builds a complete mode: browsers do not send unticked boxes, so a missing field means off.
fn mode(members: &Map<String, Value>) -> Value {
    let hold = match (members.contains_key("hold_all"), members.get("hold").and_then(Value::as_str)) {
        (true, _) => json!(true),
        (false, Some(types)) => json!(types.split([' ', ',']).filter(|kind| !kind.is_empty()).collect::<Vec<_>>()),
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
