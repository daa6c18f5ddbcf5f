//! `/v1/subscription_items`: the items of a subscription, one by one. A change of an item is a change of its
//! subscription.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    agenda,
    subscription::{self, Item, Subscription},
    subscription_json,
    subscription_params::{self as accepted},
    subscription_update::item_changes,
    update::{self, Payment},
    update_plan::{PlanChange, Proration},
    wanted_items::WantedItem,
};
use crate::model::{
    Context, State,
    error::ApiError,
    list::{self, Page},
    params::Params,
    request::{Method, Request, read, unrecognized},
    spec::{self, Field, Kind, optional, required},
    table::{Row, Table},
};

const OF_CHANGES: [Field; 4] = [
    optional("payment_behavior", accepted::TEXT),
    optional("proration_behavior", accepted::PRORATION),
    optional("proration_date", Kind::Integer(0)),
    accepted::EXPAND,
];

impl Row for Item {
    fn id(&self) -> &str {
        &self.id
    }
}

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Get, []) => list(state, params),
        (Method::Post, []) => create(state, context, params),
        (Method::Get, [id]) => {
            let (found, item) = find(state, id)?;
            spec::check(params, &[accepted::EXPAND])?;
            Ok(subscription_json::item(state, &found.id, item))
        }
        (Method::Post, [id]) => {
            let of = find(state, id)?.0.id.clone();
            let fields: Vec<Field> =
                accepted::CHANGED_ITEM.iter().filter(|field| field.name != "id").copied().chain(OF_CHANGES).collect();
            change(state, context, (&of, Some(id)), params, &fields)?;
            let (found, item) = find(state, id)?;
            Ok(subscription_json::item(state, &found.id, item))
        }
        (Method::Delete, [id]) => {
            let of = find(state, id)?.0.id.clone();
            let mut fields = OF_CHANGES.to_vec();
            fields.push(optional("clear_usage", Kind::Boolean));
            let mut params = params.clone();
            params.0.insert("deleted".to_owned(), crate::model::params::Param::Text("true".to_owned()));
            fields.push(optional("deleted", Kind::Boolean));
            change(state, context, (&of, Some(id)), &params, &fields)?;
            Ok(json!({ "id": id, "object": "subscription_item", "deleted": true }))
        }
        _ => Err(unrecognized(request)),
    }
}

fn find<'a>(state: &'a State, id: &str) -> Result<(&'a Subscription, &'a Item), ApiError> {
    let of = state.subscriptions.iter().filter(|found| !found.is_ended());
    of.flat_map(|found| found.items.iter().map(move |item| (found, item)))
        .find(|(_, item)| item.id == id)
        .ok_or_else(|| ApiError::not_found("subscription item", id, "item"))
}

#[derive(Debug, Deserialize)]
struct Change {
    #[serde(flatten)]
    item: WantedItem,
    payment_behavior: Option<String>,
    proration_behavior: Option<String>,
    proration_date: Option<i64>,
}

fn change(
    state: &mut State,
    context: &mut Context<'_>,
    (of, item): (&str, Option<&str>),
    params: &Params,
    fields: &[Field],
) -> Result<(), ApiError> {
    let mut wanted: Change = read(params, fields)?;
    wanted.item.id = item.map(str::to_owned);
    let customer = subscription::find(state, of)?.customer.clone();
    agenda::at_customers_time(state, context, &customer, |state, context| {
        let plan = PlanChange {
            items: item_changes(state, context, std::slice::from_ref(&wanted.item))?,
            proration: Proration::parse(wanted.proration_behavior.as_deref()),
            proration_date: wanted.proration_date,
            ..PlanChange::default()
        };
        let payment = Payment::parse(wanted.payment_behavior.as_deref());
        update::change_plan(state, context, of, (&plan, payment), |_| ())
    })
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Of {
        subscription: String,
    }
    let mut fields: Vec<Field> = accepted::NEW_ITEM.iter().copied().chain(OF_CHANGES).collect();
    fields.push(required("subscription", accepted::TEXT));
    let of: Of = read(params, &fields)?;
    let found = state.subscriptions.get(&of.subscription);
    let missing = || ApiError::missing_reference("subscription", &of.subscription, "subscription");
    let before: Vec<String> = found.ok_or_else(missing)?.items.iter().map(|item| item.id.clone()).collect();
    change(state, context, (&of.subscription, None), params, &fields)?;
    let found = subscription::find(state, &of.subscription)?;
    let made = found.items.iter().find(|item| !before.contains(&item.id));
    // A change that waits for its payment has made no item yet.
    let made = made.or_else(|| found.pending_update.as_ref()?.items.last());
    let made = made.ok_or_else(|| ApiError::internal("the new item is gone"))?;
    Ok(subscription_json::item(state, &found.id, made))
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Filter {
        #[serde(flatten)]
        page: Page,
        subscription: String,
    }
    let fields = [
        optional("limit", Kind::Integer(1)),
        optional("starting_after", accepted::TEXT),
        optional("ending_before", accepted::TEXT),
        accepted::EXPAND,
        required("subscription", accepted::TEXT),
    ];
    let filter: Filter = read(params, &fields)?;
    let found = state.subscriptions.get(&filter.subscription);
    let found =
        found.ok_or_else(|| ApiError::missing_reference("subscription", &filter.subscription, "subscription"))?;
    let mut items = Table::default();
    found.items.iter().rev().for_each(|item| items.insert(item.clone()));
    let names = ("subscription item", "/v1/subscription_items");
    list::page(&items, &filter.page, names, |_| true, |item| subscription_json::item(state, &found.id, item))
}
