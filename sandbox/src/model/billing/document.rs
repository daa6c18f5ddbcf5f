//! Objects that are only kept and shown: coupons, promotion codes, tax rates, portal configurations.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::subscription_params::{EXPAND, TEXT};
use crate::model::{
    Context, State,
    error::ApiError,
    list::{self, Page},
    metadata,
    params::Params,
    request::read,
    spec::{self, Field, Kind, optional},
    table::Row,
};

/// An object in Stripe's format.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// Stripe's `object`.
    pub(crate) kind: String,
    pub(crate) value: Value,
}

impl Row for Document {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

/// A kind of such objects: Stripe's `object`, the name in errors, the list's URL and the events about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sort {
    pub(crate) object: &'static str,
    pub(crate) name: &'static str,
    pub(crate) url: &'static str,
}

impl Sort {
    fn event(self, what: &str) -> String {
        format!("{}.{what}", self.object)
    }
}

pub(crate) fn find<'a>(state: &'a State, sort: Sort, id: &str) -> Result<&'a Document, ApiError> {
    let found = state.documents.get(id).filter(|found| found.kind == sort.object);
    found.ok_or_else(|| ApiError::not_found(sort.name, id, "id"))
}

/// Stores a new one and emits its `created` event.
pub(crate) fn add(state: &mut State, context: &mut Context<'_>, sort: Sort, value: Value) -> Value {
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = sort.object.to_owned();
    state.documents.insert(Document { id, created: context.now(), kind, value: value.clone() });
    state.emit(context, &sort.event("created"), value.clone());
    value
}

/// Changes some members and emits the `updated` event if that changed anything.
pub(crate) fn change(
    state: &mut State,
    context: &mut Context<'_>,
    (sort, id): (Sort, &str),
    change: impl FnOnce(&mut Value),
) -> Result<Value, ApiError> {
    let before = find(state, sort, id)?.value.clone();
    let mut after = before.clone();
    change(&mut after);
    if let Some(found) = state.documents.get_mut(id) {
        found.value = after.clone();
    }
    if before != after {
        state.emit_diff(context, &sort.event("updated"), &before, after.clone());
    }
    Ok(after)
}

/// Changes the metadata, and the members that the request names.
pub(crate) fn update(
    state: &mut State,
    context: &mut Context<'_>,
    (sort, id): (Sort, &str),
    params: &Params,
    fields: &[Field],
) -> Result<Value, ApiError> {
    let current = find(state, sort, id)?.value.get("metadata").cloned().unwrap_or_default();
    let current = serde_json::from_value(current).unwrap_or_default();
    let mut fields = fields.to_vec();
    fields.extend([optional("metadata", Kind::Metadata), EXPAND]);
    let checked = spec::check(&metadata::without_unset(params), &fields)?;
    let metadata = metadata::changed(&current, params)?;
    change(state, context, (sort, id), |value| {
        for (name, member) in checked.as_object().into_iter().flatten().filter(|(name, _)| *name != "expand") {
            if let Some(place) = value.get_mut(name) {
                merge(place, member);
            }
        }
        if let Some(place) = value.get_mut("metadata") {
            *place = json!(metadata);
        }
    })
}

/// Replaces what is given, at every depth, and keeps the rest.
pub(crate) fn merge(place: &mut Value, given: &Value) {
    match (place.as_object_mut(), given.as_object()) {
        (Some(members), Some(given)) => {
            for (name, value) in given {
                merge(members.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        _ => *place = given.clone(),
    }
}

/// Removes it and emits the `deleted` event.
pub(crate) fn delete(
    state: &mut State,
    context: &mut Context<'_>,
    (sort, id): (Sort, &str),
) -> Result<Value, ApiError> {
    let value = find(state, sort, id)?.value.clone();
    state.documents.remove(id);
    state.emit(context, &sort.event("deleted"), value);
    Ok(json!({ "id": id, "object": sort.object, "deleted": true }))
}

pub(crate) fn list(state: &State, sort: Sort, params: &Params, filters: &[Field]) -> Result<Value, ApiError> {
    let mut fields = vec![
        optional("limit", Kind::Integer(1)),
        optional("starting_after", TEXT),
        optional("ending_before", TEXT),
        EXPAND,
    ];
    fields.extend(filters);
    let page: Page = read(params, &fields)?;
    let wanted = spec::check(params, &fields)?;
    let accepts = |found: &Document| {
        found.kind == sort.object
            && filters.iter().all(|filter| match wanted.get(filter.name) {
                Some(value) => found.value.get(filter.name) == Some(value),
                None => true,
            })
    };
    list::page(&state.documents, &page, (sort.name, sort.url), accepts, |found| found.value.clone())
}
