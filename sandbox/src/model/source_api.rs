//! `/v1/customers/{id}/sources`: cards of the older kind, which Stripe's command line tool still adds.

use serde_json::{Value, json};

use super::{
    Context, State, accepted, card_entry, customer,
    customer::Customer,
    error::ApiError,
    metadata,
    payment::Card,
    request::{Method, Request, read, unrecognized},
    source,
    source::Source,
    spec,
    spec::{Field, Kind, optional, required},
};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));
const CREATE: &[Field] = &[required("source", TEXT), optional("metadata", Kind::Metadata), EXPAND];
const UPDATE: &[Field] =
    &[optional("name", TEXT), optional("metadata", Kind::Metadata), optional("object", TEXT), EXPAND];

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    customer_id: &str,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let found = customer::find(state, customer_id)?;
    let id = match (request.method, rest) {
        (Method::Get, []) => {
            spec::check(params, accepted::LIST)?;
            return Ok(customer::sources(found));
        }
        (Method::Post, []) => {
            let params = metadata::without_unset(params);
            let wanted: Creation = read(&params, CREATE)?;
            let metadata = metadata::changed(&std::collections::BTreeMap::new(), &params)?;
            let card = card(&wanted.source, context)?;
            add(state, context, customer_id, Source { metadata, ..card })
        }
        (Method::Get, [id]) => {
            spec::check(params, accepted::ONLY_EXPAND)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            let wanted: Update = read(&metadata::without_unset(params), UPDATE)?;
            let metadata = metadata::changed(&find(found, id)?.metadata, params)?;
            update(state, context, customer_id, id, |source| {
                source.metadata = metadata;
                source.name = wanted.name.or(source.name.take());
            });
            (*id).to_owned()
        }
        (Method::Delete, [id]) => {
            find(found, id)?;
            return Ok(delete(state, context, customer_id, id));
        }
        _ => return Err(unrecognized(request)),
    };
    let customer = customer::find(state, customer_id)?;
    find(customer, &id).map(|source| source::to_json(source, customer_id))
}

#[derive(Debug, serde::Deserialize)]
struct Creation {
    source: String,
}

#[derive(Debug, serde::Deserialize)]
struct Update {
    name: Option<String>,
}

pub(crate) fn find<'a>(customer: &'a Customer, id: &str) -> Result<&'a Source, ApiError> {
    customer.sources.iter().find(|source| source.id == id).ok_or_else(|| ApiError::not_found("source", id, "id"))
}

/// A card from one of Stripe's test tokens.
pub(crate) fn card(token: &str, context: &mut Context<'_>) -> Result<Source, ApiError> {
    let method = card_entry::from_token(token, "source", context)?;
    let card: Card = method.card.ok_or_else(|| ApiError::missing_reference("token", token, "source"))?;
    Ok(Source { id: context.ids.next("card_1", 23), card, name: None, metadata: std::collections::BTreeMap::new() })
}

/// Adds a card. The first becomes the customer's default.
pub(crate) fn add(state: &mut State, context: &mut Context<'_>, customer_id: &str, source: Source) -> String {
    let (id, rendered) = (source.id.clone(), source::to_json(&source, customer_id));
    state.emit(context, "customer.source.created", rendered);
    customer::change(state, context, customer_id, |customer| {
        customer.default_source.get_or_insert_with(|| source.id.clone());
        customer.sources.push(source);
    });
    id
}

fn update(state: &mut State, context: &mut Context<'_>, customer_id: &str, id: &str, change: impl FnOnce(&mut Source)) {
    let customer = state.customers.get_mut(customer_id);
    let Some(source) = customer.and_then(|customer| customer.sources.iter_mut().find(|source| source.id == id)) else {
        return;
    };
    let before = source::to_json(source, customer_id);
    change(source);
    let after = source::to_json(source, customer_id);
    if before != after {
        state.emit_diff(context, "customer.source.updated", &before, after);
    }
}

fn delete(state: &mut State, context: &mut Context<'_>, customer_id: &str, id: &str) -> Value {
    let gone = state.customers.get(customer_id).and_then(|customer| find(customer, id).ok()).cloned();
    if let Some(gone) = gone {
        state.emit(context, "customer.source.deleted", source::to_json(&gone, customer_id));
    }
    customer::change(state, context, customer_id, |customer| {
        customer.sources.retain(|source| source.id != id);
        if customer.default_source.as_deref() == Some(id) {
            customer.default_source = customer.sources.first().map(|source| source.id.clone());
        }
    });
    json!({ "id": id, "object": "card", "deleted": true })
}
