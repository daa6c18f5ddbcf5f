//! `/v1/invoice_payments`: which payment paid which invoice. Since basil this is the only way from a payment to its
//! invoice.

use serde::Deserialize;
use serde_json::Value;

use super::{invoice::InvoicePayment, invoice_json, invoice_params as accepted, subscription_params::EXPAND};
use crate::model::{
    State,
    error::ApiError,
    list::{self, Lag, Page, Range},
    params::Params,
    request::{Method, Request, read, unrecognized},
    spec,
};

pub(crate) fn route(state: &State, request: &Request, rest: &[&str]) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Get, []) => list(state, params),
        (Method::Get, [id]) => {
            let found = state.invoice_payments.get(id);
            let found = found.ok_or_else(|| ApiError::not_found("invoice payment", id, "invoice_payment"))?;
            spec::check(params, &[EXPAND])?;
            Ok(invoice_json::payment(found))
        }
        _ => Err(unrecognized(request)),
    }
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    invoice: Option<String>,
    payment: Option<Payment>,
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Payment {
    payment_intent: Option<String>,
    payment_record: Option<String>,
}

impl Filter {
    fn accepts(&self, found: &InvoicePayment) -> bool {
        let status = match (found.paid_at, found.canceled_at) {
            (Some(_), _) => "paid",
            (None, Some(_)) => "canceled",
            (None, None) => "open",
        };
        self.created.as_ref().is_none_or(|range| range.contains(found.created))
            && self.invoice.as_ref().is_none_or(|invoice| *invoice == found.invoice)
            && self.status.as_ref().is_none_or(|wanted| wanted == status)
            && self.payment.as_ref().is_none_or(|payment| {
                payment.payment_record.is_none()
                    && payment.payment_intent.as_ref().is_none_or(|intent| *intent == found.payment_intent)
            })
    }
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, accepted::LIST_PAYMENTS)?;
    if let Some(payment) = &filter.payment
        && payment.payment_intent.is_none()
        && payment.payment_record.is_none()
    {
        return Err(ApiError::missing_param("payment[payment_intent]"));
    }
    list::late_page(
        (&state.invoice_payments, Lag::of(state)),
        &filter.page,
        ("invoice payment", "/v1/invoice_payments"),
        |found| filter.accepts(found),
        invoice_json::payment,
    )
}
