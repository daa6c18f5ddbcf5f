//! The routes of recurring billing.

use serde_json::Value;

use super::{
    credit_note_api, invoice_api, invoice_item_api, invoice_payment_api, plan_api, portal_api, quote_api, schedule_api,
    simple_api, subscription_api, subscription_item_api, tax_api, test_clock_api,
};
use crate::model::{
    Context, State,
    error::ApiError,
    request::{Request, unrecognized},
};

const RESOURCES: [&str; 14] = [
    "subscriptions",
    "subscription_items",
    "subscription_schedules",
    "invoices",
    "invoiceitems",
    "invoice_payments",
    "credit_notes",
    "quotes",
    "billing_portal",
    "coupons",
    "promotion_codes",
    "tax_rates",
    "plans",
    "tax",
];

/// Whether a path is one of billing's.
pub(crate) fn knows(segments: &[&str]) -> bool {
    match segments {
        ["test_helpers", "test_clocks", ..] => true,
        [first, ..] => RESOURCES.contains(first),
        [] => false,
    }
}

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    segments: &[&str],
) -> Result<Value, ApiError> {
    match segments {
        ["subscriptions", rest @ ..] => subscription_api::route(state, context, request, rest),
        ["subscription_items", rest @ ..] => subscription_item_api::route(state, context, request, rest),
        ["subscription_schedules", rest @ ..] => schedule_api::route(state, context, request, rest),
        ["invoices", rest @ ..] => invoice_api::route(state, context, request, rest),
        ["invoiceitems", rest @ ..] => invoice_item_api::route(state, context, request, rest),
        ["invoice_payments", rest @ ..] => invoice_payment_api::route(state, request, rest),
        ["credit_notes", rest @ ..] => credit_note_api::route(state, context, request, rest),
        ["quotes", rest @ ..] => quote_api::route(state, context, request, rest),
        ["billing_portal", rest @ ..] => portal_api::route(state, context, request, rest),
        ["coupons", rest @ ..] => simple_api::coupons(state, context, request, rest),
        ["promotion_codes", rest @ ..] => simple_api::promotion_codes(state, context, request, rest),
        ["tax_rates", rest @ ..] => simple_api::tax_rates(state, context, request, rest),
        ["plans", rest @ ..] => plan_api::plans(state, context, request, rest),
        ["tax", rest @ ..] => tax_api::route(state, context, request, rest),
        ["test_helpers", "test_clocks", rest @ ..] => test_clock_api::route(state, context, request, rest),
        _ => Err(unrecognized(request)),
    }
}
