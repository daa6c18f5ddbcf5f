//! `/v1/radar/early_fraud_warnings` and `/v1/reviews`: parses Stripe's parameters and calls the matching command.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted_money as accepted,
    error::ApiError,
    list,
    list::{Lag, Page, Range},
    radar::{EarlyFraudWarning, Review, close_review, find_review},
    request::{Method, Request, read, unrecognized},
    spec,
};

/// `/v1/radar/early_fraud_warnings`.
pub(crate) fn route_warnings(state: &State, request: &Request, rest: &[&str]) -> Result<Value, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let filter: Filter = read(&request.params, accepted::LIST_OF_CHARGE)?;
            list::late_page(
                (&state.warnings, Lag::of(state)),
                &filter.page,
                ("early fraud warning", "/v1/radar/early_fraud_warnings"),
                |warning| filter.accepts(warning.created, &warning.charge, &warning.payment_intent),
                EarlyFraudWarning::to_json,
            )
        }
        (Method::Get, [id]) => {
            let missing = || ApiError::not_found("early fraud warning", id, "early_fraud_warning");
            let found = state.warnings.get(id).ok_or_else(missing)?;
            spec::check(&request.params, accepted::ONLY_EXPAND)?;
            Ok(found.to_json())
        }
        _ => Err(unrecognized(request)),
    }
}

/// `/v1/reviews`. The list has the open ones.
pub(crate) fn route_reviews(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let filter: ReviewFilter = read(&request.params, accepted::LIST_OF_TIMES)?;
            list::late_page(
                (&state.reviews, Lag::of(state)),
                &filter.page,
                ("review", "/v1/reviews"),
                |review| {
                    let is_within = filter.created.as_ref().is_none_or(|range| range.contains(review.created));
                    review.closed_reason.is_none() && is_within
                },
                Review::to_json,
            )
        }
        (Method::Get, [id]) => {
            find_review(state, id)?;
            spec::check(&request.params, accepted::ONLY_EXPAND)?;
            find_review(state, id).map(Review::to_json)
        }
        (Method::Post, [id, "approve"]) => {
            find_review(state, id)?;
            spec::check(&request.params, accepted::ONLY_EXPAND)?;
            close_review(state, context, id, "approved")
        }
        _ => Err(unrecognized(request)),
    }
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
    fn accepts(&self, created: i64, charge: &str, payment_intent: &str) -> bool {
        self.created.as_ref().is_none_or(|range| range.contains(created))
            && self.charge.as_ref().is_none_or(|wanted| wanted == charge)
            && self.payment_intent.as_ref().is_none_or(|wanted| wanted == payment_intent)
    }
}

#[derive(Debug, Deserialize)]
struct ReviewFilter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
}
