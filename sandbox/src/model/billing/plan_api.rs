//! `/v1/plans`: recurring prices under their older name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    catalog,
    subscription_params::{EXPAND, TEXT},
};
use crate::model::{
    Context, State, currency, decimal,
    error::ApiError,
    list::{self, Page},
    metadata,
    params::{Param, Params},
    price::{self, Price, PriceDetails, Recurring},
    product::{self, ProductDetails},
    request::{Method, Request, read, unrecognized},
    spec::{self, Field, Kind, optional, required, unsupported},
};

const CREATE_PLAN: &[Field] = &[
    optional("id", TEXT),
    optional("active", Kind::Boolean),
    optional("amount", Kind::Integer(0)),
    optional("amount_decimal", Kind::Decimal),
    required("currency", TEXT),
    required("interval", Kind::OneOf(&["day", "month", "week", "year"])),
    optional("interval_count", Kind::Integer(1)),
    optional("metadata", Kind::Metadata),
    optional("nickname", TEXT),
    optional("product", TEXT),
    optional("trial_period_days", Kind::Integer(0)),
    EXPAND,
    unsupported("billing_scheme"),
    unsupported("meter"),
    unsupported("tiers"),
    unsupported("tiers_mode"),
    unsupported("transform_usage"),
    unsupported("usage_type"),
];

pub(crate) fn plans(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Post, []) => create_plan(state, context, params),
        (Method::Get, []) => {
            let fields = [
                optional("limit", Kind::Integer(1)),
                optional("starting_after", TEXT),
                optional("ending_before", TEXT),
                EXPAND,
            ];
            let page: Page = read(params, &fields)?;
            let names = ("plan", "/v1/plans");
            list::page(&state.prices, &page, names, |price| price.recurring.is_some(), catalog::plan_of)
        }
        (Method::Get, [id]) => {
            find_plan(state, id)?;
            spec::check(params, &[EXPAND])?;
            find_plan(state, id).map(catalog::plan_of)
        }
        (Method::Post, [id]) => {
            let fields = [
                optional("active", Kind::Boolean),
                optional("metadata", Kind::Metadata),
                optional("nickname", TEXT),
                EXPAND,
            ];
            let current = find_plan(state, id)?.clone();
            let wanted = spec::check(&metadata::without_unset(params), &fields)?;
            let metadata = metadata::changed(&current.details.metadata, params)?;
            price::change(state, context, id, |price| {
                price.details.metadata = metadata;
                if let Some(active) = wanted.get("active").and_then(Value::as_bool) {
                    price.details.active = active;
                }
                if let Some(nickname) = wanted.get("nickname").and_then(Value::as_str) {
                    price.details.nickname = Some(nickname.to_owned());
                }
            });
            let (before, after) = (catalog::plan_of(&current), catalog::plan_json(state, id));
            if before != after {
                state.emit_diff(context, "plan.updated", &before, after.clone());
            }
            Ok(after)
        }
        (Method::Delete, [id]) => {
            let gone = catalog::plan_of(find_plan(state, id)?);
            spec::check(params, &[])?;
            state.prices.remove(id);
            state.emit(context, "plan.deleted", gone);
            Ok(json!({ "id": id, "object": "plan", "deleted": true }))
        }
        _ => Err(unrecognized(request)),
    }
}

fn find_plan<'a>(state: &'a State, id: &str) -> Result<&'a Price, ApiError> {
    let found = state.prices.get(id).filter(|price| price.recurring.is_some());
    found.ok_or_else(|| ApiError::not_found("plan", id, "plan"))
}

#[derive(Debug, Deserialize)]
struct WantedPlan {
    id: Option<String>,
    active: Option<bool>,
    amount: Option<i64>,
    amount_decimal: Option<String>,
    currency: String,
    interval: String,
    interval_count: Option<i64>,
    nickname: Option<String>,
    product: Option<String>,
    trial_period_days: Option<i64>,
}

fn create_plan(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let mut plain = params.clone();
    // The product is the id of one, or a new one.
    let new_product = match plain.0.get("product") {
        Some(Param::Nested(_)) => plain.0.remove("product"),
        _ => None,
    };
    let wanted: WantedPlan = read(&plain, CREATE_PLAN)?;
    let own = currency::parse(&wanted.currency, "currency")?;
    let amount = match (wanted.amount_decimal, wanted.amount) {
        (Some(text), _) => text,
        (None, Some(amount)) => decimal::Decimal::whole(amount).to_string(),
        (None, None) => return Err(ApiError::missing_param("amount")),
    };
    let metadata = metadata::changed(&BTreeMap::new(), params)?;
    let product = match (wanted.product, new_product) {
        (Some(id), _) => {
            product::referenced(state, &id, "product")?;
            id
        }
        (None, Some(Param::Nested(fields))) => new_plan_product(state, context, &fields)?,
        _ => return Err(ApiError::missing_param("product")),
    };
    let price = Price {
        id: wanted.id.unwrap_or_else(|| context.ids.next("plan_", 14)),
        created: context.now(),
        product,
        currency: own,
        unit_amount_decimal: amount,
        recurring: Some(Recurring {
            interval: wanted.interval,
            interval_count: wanted.interval_count.unwrap_or(1),
            meter: None,
            trial_period_days: wanted.trial_period_days,
            usage_type: "licensed".to_owned(),
        }),
        currency_options: BTreeMap::new(),
        details: PriceDetails {
            active: wanted.active.unwrap_or(true),
            nickname: wanted.nickname,
            metadata,
            ..PriceDetails::default()
        },
    };
    let rendered = catalog::plan_of(&price);
    price::add(state, context, price);
    state.emit(context, "plan.created", rendered.clone());
    Ok(rendered)
}

fn new_plan_product(state: &mut State, context: &mut Context<'_>, fields: &Params) -> Result<String, ApiError> {
    let accepted = [
        required("name", TEXT),
        optional("id", TEXT),
        optional("active", Kind::Boolean),
        optional("metadata", Kind::Metadata),
        optional("statement_descriptor", Kind::Text(22)),
        optional("unit_label", TEXT),
    ];
    let wanted = spec::check(fields, &accepted)?;
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).map(str::to_owned);
    let details = ProductDetails {
        active: true,
        name: text("name").unwrap_or_default(),
        unit_label: text("unit_label"),
        ..ProductDetails::default()
    };
    product::add(state, context, text("id"), details)
}
