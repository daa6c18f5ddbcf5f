//! `/v1/disputes`: parses Stripe's parameters and calls the matching command.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted_money as accepted, dispute,
    dispute::Dispute,
    dispute_json,
    dispute_json::EVIDENCE_FILES,
    dispute_lifecycle,
    error::ApiError,
    list,
    list::{Lag, Page, Range},
    metadata,
    params::{Param, Params},
    request::{Method, Request, read, unrecognized},
    spec,
};

/// The maximum combined length of all evidence texts, as Stripe counts it.
const MAX_EVIDENCE: usize = 150_000;

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list(state, params),
        (Method::Get, [id]) => {
            dispute::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            *id
        }
        (Method::Post, [id]) => {
            update(state, context, id, params)?;
            *id
        }
        (Method::Post, [id, "close"]) => {
            let found = dispute::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            if found.status.is_closed() {
                return Err(ApiError::invalid("This dispute is already closed").executed());
            }
            dispute_lifecycle::give_up(state, context, id)?;
            *id
        }
        _ => return Err(unrecognized(request)),
    };
    dispute::find(state, id).map(|found| dispute_json::dispute(state, found))
}

#[derive(Debug, Deserialize)]
struct Update {
    submit: Option<bool>,
}

/// Metadata can always be changed. Evidence can be changed until it is submitted, which an update does by default.
fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = dispute::find(state, id)?;
    let mut checked = metadata::without_unset(params);
    let evidence = evidence(found, &mut checked)?;
    let wanted: Update = read(&checked, accepted::UPDATE_DISPUTE)?;
    let changed = metadata::changed(&found.metadata, params)?;
    let submit = wanted.submit.unwrap_or(evidence.is_some());
    if evidence.is_some() || submit {
        let evidence = evidence.unwrap_or_else(|| found.evidence.clone());
        dispute_lifecycle::answer(state, context, id, evidence, submit)?;
    }
    dispute_lifecycle::set_metadata(state, context, id, changed)
}

/// The evidence after the update. An empty text unsets a field, so those are removed before the rest is checked.
fn evidence(dispute: &Dispute, params: &mut Params) -> Result<Option<BTreeMap<String, String>>, ApiError> {
    let Some(Param::Nested(given)) = params.0.get_mut("evidence") else {
        return Ok(None);
    };
    let mut evidence = dispute.evidence.clone();
    for (name, param) in &given.0 {
        let Param::Text(text) = param else { continue };
        if EVIDENCE_FILES.contains(&name.as_str()) && !text.is_empty() {
            return Err(ApiError::missing_reference("file upload", text, &format!("evidence[{name}]")));
        }
        if text.is_empty() {
            evidence.remove(name);
        } else {
            evidence.insert(name.clone(), text.clone());
        }
    }
    given.0.retain(|_, param| !matches!(param, Param::Text(text) if text.is_empty()));
    if evidence.values().map(|text| text.chars().count()).sum::<usize>() > MAX_EVIDENCE {
        let message = format!("Evidence can have up to {MAX_EVIDENCE} characters in all.");
        return Err(ApiError::invalid(message).param("evidence"));
    }
    Ok(Some(evidence))
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    charge: Option<String>,
    payment_intent: Option<String>,
}

impl Filter {
    fn accepts(&self, dispute: &Dispute) -> bool {
        self.created.as_ref().is_none_or(|range| range.contains(dispute.created))
            && self.charge.as_ref().is_none_or(|charge| *charge == dispute.charge)
            && self.payment_intent.as_ref().is_none_or(|intent| *intent == dispute.payment_intent)
    }
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, accepted::LIST_OF_CHARGE)?;
    list::late_page(
        (&state.disputes, Lag::of(state)),
        &filter.page,
        ("dispute", "/v1/disputes"),
        |dispute| filter.accepts(dispute),
        |dispute| dispute_json::dispute(state, dispute),
    )
}
