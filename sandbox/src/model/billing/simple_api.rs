//! `/v1/coupons`, `/v1/promotion_codes` and `/v1/tax_rates`: parses Stripe's parameters. They are kept and shown; no
//! invoice uses them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    document::{self, Sort},
    subscription_params::{EXPAND, TEXT, UNSET_TEXT},
};
use crate::model::{
    Context, State, currency,
    error::ApiError,
    metadata,
    params::Params,
    request::{Method, Request, unrecognized},
    spec::{self, Field, Kind, optional, required, unsupported},
};

const COUPON: Sort = Sort { object: "coupon", name: "coupon", url: "/v1/coupons" };
const CODE: Sort = Sort { object: "promotion_code", name: "promotion code", url: "/v1/promotion_codes" };
const RATE: Sort = Sort { object: "tax_rate", name: "tax rate", url: "/v1/tax_rates" };

const CREATE_COUPON: &[Field] = &[
    optional("id", TEXT),
    optional("amount_off", Kind::Integer(1)),
    optional("currency", TEXT),
    optional("duration", Kind::OneOf(&["forever", "once", "repeating"])),
    optional("duration_in_months", Kind::Integer(1)),
    optional("max_redemptions", Kind::Integer(1)),
    optional("metadata", Kind::Metadata),
    optional("name", Kind::Text(40)),
    optional("percent_off", Kind::Decimal),
    optional("redeem_by", Kind::Integer(0)),
    EXPAND,
    unsupported("applies_to"),
    unsupported("currency_options"),
];

/// A number as JSON, whole or not, from its exact text.
fn number(text: Option<&str>) -> Value {
    text.and_then(|text| text.parse::<serde_json::Number>().ok()).map_or(Value::Null, Value::Number)
}

pub(crate) fn coupons(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    if (request.method, rest) != (Method::Post, &[]) {
        return kept(state, context, request, (COUPON, rest), &[optional("name", UNSET_TEXT)]);
    }
    let wanted = spec::check(params, CREATE_COUPON)?;
    let member = |name: &str| wanted.get(name).cloned().unwrap_or_default();
    let text = |name: &str| wanted.get(name).and_then(Value::as_str);
    match (text("percent_off"), wanted.get("amount_off"), text("currency")) {
        (Some(_), Some(_), _) | (None, None, _) => {
            let message = "You must pass either percent_off or amount_off when creating a coupon.";
            return Err(ApiError::invalid(message));
        }
        (None, Some(_), None) => return Err(ApiError::missing_param("currency")),
        _ => {}
    }
    let own = match text("currency") {
        Some(text) => Some(currency::parse(text, "currency")?),
        None => None,
    };
    let id = text("id").map_or_else(|| context.ids.next("", 8), str::to_owned);
    if state.documents.get(&id).is_some() {
        let message = "Coupon already exists.";
        return Err(ApiError::invalid(message).code("resource_already_exists").param("id"));
    }
    let value = json!({
        "id": id,
        "object": "coupon",
        "amount_off": member("amount_off"),
        "created": context.now(),
        "currency": own,
        "duration": text("duration").unwrap_or("once"),
        "duration_in_months": member("duration_in_months"),
        "livemode": false,
        "max_redemptions": member("max_redemptions"),
        "metadata": metadata_of(params)?,
        "name": member("name"),
        "percent_off": number(text("percent_off")),
        "redeem_by": member("redeem_by"),
        "times_redeemed": 0,
        "valid": true,
    });
    Ok(document::add(state, context, COUPON, value))
}

fn metadata_of(params: &Params) -> Result<BTreeMap<String, String>, ApiError> {
    metadata::changed(&BTreeMap::new(), params)
}

/// The requests that all kept objects have in common.
fn kept(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    (sort, rest): (Sort, &[&str]),
    changeable: &[Field],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Get, []) => document::list(state, sort, params, &[]),
        (Method::Get, [id]) => {
            spec::check(params, &[EXPAND])?;
            document::find(state, sort, id).map(|found| found.value.clone())
        }
        (Method::Post, [id]) => document::update(state, context, (sort, id), params, changeable),
        (Method::Delete, [id]) if sort.object == "coupon" => {
            spec::check(params, &[])?;
            document::delete(state, context, (sort, id))
        }
        _ => Err(unrecognized(request)),
    }
}

const CREATE_CODE: &[Field] = &[
    optional("coupon", TEXT),
    optional("promotion", Kind::Object(&[required("type", Kind::OneOf(&["coupon"])), optional("coupon", TEXT)])),
    optional("active", Kind::Boolean),
    optional("code", Kind::Text(500)),
    optional("customer", TEXT),
    optional("expires_at", Kind::Integer(0)),
    optional("max_redemptions", Kind::Integer(1)),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("customer_account"),
    unsupported("restrictions"),
];

pub(crate) fn promotion_codes(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    if (request.method, rest) != (Method::Post, &[]) {
        return kept(state, context, request, (CODE, rest), &[optional("active", Kind::Boolean)]);
    }
    let wanted = spec::check(params, CREATE_CODE)?;
    let member = |name: &str| wanted.get(name).cloned().unwrap_or_default();
    let coupon = wanted.get("coupon").or_else(|| wanted.pointer("/promotion/coupon")).and_then(Value::as_str);
    let coupon = coupon.ok_or_else(|| ApiError::missing_param("promotion"))?;
    document::find(state, COUPON, coupon).map_err(|_| ApiError::missing_reference("coupon", coupon, "coupon"))?;
    let code = wanted.get("code").and_then(Value::as_str);
    let code = code.map_or_else(|| context.ids.next("", 8).to_ascii_uppercase(), str::to_owned);
    let value = json!({
        "id": context.ids.next("promo_1", 23),
        "object": "promotion_code",
        "active": wanted.get("active").and_then(Value::as_bool).unwrap_or(true),
        "code": code,
        "created": context.now(),
        "customer": member("customer"),
        "customer_account": null,
        "expires_at": member("expires_at"),
        "livemode": false,
        "max_redemptions": member("max_redemptions"),
        "metadata": metadata_of(params)?,
        "promotion": { "type": "coupon", "coupon": coupon },
        "restrictions": {
            "first_time_transaction": false, "minimum_amount": null, "minimum_amount_currency": null,
        },
        "times_redeemed": 0,
    });
    Ok(document::add(state, context, CODE, value))
}

const CREATE_RATE: &[Field] = &[
    required("display_name", Kind::Text(100)),
    required("inclusive", Kind::Boolean),
    required("percentage", Kind::Decimal),
    optional("active", Kind::Boolean),
    optional("country", TEXT),
    optional("description", TEXT),
    optional("jurisdiction", Kind::Text(200)),
    optional("metadata", Kind::Metadata),
    optional("state", TEXT),
    optional("tax_type", TEXT),
    EXPAND,
];

pub(crate) fn tax_rates(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    if (request.method, rest) == (Method::Get, &[super::invoice_json::TAX_RATE]) {
        spec::check(params, &[EXPAND])?;
        return Ok(own_tax_rate());
    }
    if (request.method, rest) != (Method::Post, &[]) {
        let changeable = [
            optional("active", Kind::Boolean),
            optional("display_name", Kind::Text(100)),
            optional("description", TEXT),
            optional("jurisdiction", Kind::Text(200)),
        ];
        return kept(state, context, request, (RATE, rest), &changeable);
    }
    let wanted = spec::check(params, CREATE_RATE)?;
    let member = |name: &str| wanted.get(name).cloned().unwrap_or_default();
    let percentage = number(wanted.get("percentage").and_then(Value::as_str));
    let value = json!({
        "id": context.ids.next("txr_1", 23),
        "object": "tax_rate",
        "active": wanted.get("active").and_then(Value::as_bool).unwrap_or(true),
        "country": member("country"),
        "created": context.now(),
        "description": member("description"),
        "display_name": member("display_name"),
        "effective_percentage": null,
        "flat_amount": null,
        "inclusive": member("inclusive"),
        "jurisdiction": member("jurisdiction"),
        "jurisdiction_level": null,
        "livemode": false,
        "metadata": metadata_of(params)?,
        "percentage": percentage,
        "rate_type": "percentage",
        "state": member("state"),
        "tax_type": member("tax_type"),
    });
    Ok(document::add(state, context, RATE, value))
}

/// The rate that automatic tax uses everywhere.
pub(crate) fn own_tax_rate() -> Value {
    json!({
        "id": super::invoice_json::TAX_RATE, "object": "tax_rate", "active": false, "country": "US", "created": 0,
        "description": null, "display_name": "Sandbox tax", "effective_percentage": 10, "flat_amount": null,
        "inclusive": false, "jurisdiction": "Sandbox", "jurisdiction_level": "country", "livemode": false,
        "metadata": {}, "percentage": 10, "rate_type": "percentage", "state": null, "tax_type": "sales_tax",
    })
}
