//! `/v1/refunds`: parses Stripe's parameters and calls the matching command.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted_money as accepted,
    error::ApiError,
    list,
    list::{Lag, Page, Range},
    metadata,
    params::Params,
    refund,
    refund::{Refund, Wanted},
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
};

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list(state, params),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Get, [id]) => {
            refund::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            let found = refund::find(state, id)?;
            spec::check(&metadata::without_unset(params), accepted::ONLY_METADATA)?;
            let changed = metadata::changed(&found.metadata, params)?;
            refund::set_metadata(state, context, id, changed)?;
            (*id).to_owned()
        }
        (Method::Post, [id, "cancel"]) => {
            refund::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            refund::cancel(state, context, id)?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    refund::find(state, &id).map(|found| refund::to_json(state, found))
}

#[derive(Debug, Deserialize)]
struct CreateParams {
    charge: Option<String>,
    payment_intent: Option<String>,
    amount: Option<i64>,
    reason: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let wanted: CreateParams = read(params, accepted::CREATE_REFUND)?;
    precheck_expansions(params, "refund")?;
    let charge = match (wanted.charge, wanted.payment_intent) {
        (Some(charge), None) => charge,
        (None, Some(intent)) => refund::charge_of_intent(state, &intent)?,
        (Some(charge), Some(intent)) if refund::charge_of_intent(state, &intent)? == charge => charge,
        (Some(charge), Some(intent)) => {
            let message = format!("Charge {charge} does not belong to PaymentIntent {intent}.");
            return Err(ApiError::invalid(message).param("charge"));
        }
        (None, None) => {
            return Err(ApiError::invalid(
                "One of the following params should be provided for this request: payment_intent or charge.",
            ));
        }
    };
    let wanted = Wanted { amount: wanted.amount, reason: wanted.reason, metadata: wanted.metadata };
    refund::create(state, context, &charge, wanted)
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
    fn accepts(&self, refund: &Refund) -> bool {
        self.created.as_ref().is_none_or(|range| range.contains(refund.created))
            && self.charge.as_ref().is_none_or(|charge| *charge == refund.charge)
            && self.payment_intent.as_ref().is_none_or(|intent| *intent == refund.payment_intent)
    }
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, accepted::LIST_OF_CHARGE)?;
    let names = ("refund", "/v1/refunds");
    list::late_page(
        (&state.refunds, Lag::of(state)),
        &filter.page,
        names,
        |refund| filter.accepts(refund),
        |refund| refund::to_json(state, refund),
    )
}
