//! Invoices. Source: Stripe's API reference, "Invoices", "Invoice Payment", "Payment Intents".

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::domain::ids::{InvoiceId, PaymentId};
use crate::domain::subscription::InvoiceReport;
use crate::providers::port::{ListPage, ProviderError};
use crate::providers::stripe::gateway::call::{answer_to, read};
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::gateway::lists::collect;
use crate::providers::stripe::gateway::money::PAGE;
use crate::providers::stripe::gateway::subscriptions::PageOf;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{Expandable, Invoice, InvoicePayment, Line, List};
use crate::providers::stripe::transport::Transport;

const INVOICES: &str = "/invoices";
/// More lines than an invoice of a subscription ever has.
const MAX_PAGES: usize = 20;

#[derive(Serialize)]
struct Expanded {
    expand: [&'static str; 1],
}

#[derive(Serialize)]
struct LinePage<'l> {
    limit: i64,
    starting_after: &'l str,
}

pub(super) async fn read_invoice(transport: &impl Transport, id: &InvoiceId) -> Result<InvoiceReport, ProviderError> {
    let request =
        RequestBuilder::new(StripeMethod::Get, format!("{INVOICES}/{id}")).query(&Expanded { expand: ["payments"] });
    let invoice: Invoice = read(&answer_to(transport, request, None).await?)?;
    let mut further: Vec<Line> = Vec::new();
    let mut has_more = invoice.lines.as_ref().is_some_and(|lines| lines.has_more);
    for _ in 0..MAX_PAGES {
        if !has_more {
            return invoice.report(further).map_err(not_understood);
        }
        let listed = invoice.lines.as_ref().and_then(|lines| lines.data.last());
        let last = further.last().or(listed).ok_or_else(|| not_understood("an empty page of lines that go on"))?;
        let after = LinePage { limit: PAGE, starting_after: &last.id };
        let request = RequestBuilder::new(StripeMethod::Get, format!("{INVOICES}/{id}/lines")).query(&after);
        let page: List<Line> = read(&answer_to(transport, request, None).await?)?;
        has_more = page.has_more && !page.data.is_empty();
        further.extend(page.data);
    }
    Err(not_understood("an invoice with too many lines"))
}

#[derive(Deserialize)]
struct PaymentStatus {
    status: String,
}

/// Asks for the latest payment of an invoice. A key that may not read payments is told that nothing is to be done: the
/// event says so, too.
pub(super) async fn needs_action(transport: &impl Transport, invoice: &InvoiceReport) -> Result<bool, ProviderError> {
    let Some(payment) = invoice.payments.last() else { return Ok(false) };
    let request = RequestBuilder::new(StripeMethod::Get, format!("/payment_intents/{payment}"));
    match answer_to(transport, request, None).await {
        Ok(answer) => Ok(read::<PaymentStatus>(&answer)?.status == "requires_action"),
        Err(error) if error.is_missing_permission() => Ok(false),
        Err(error) => Err(error),
    }
}

#[derive(Serialize)]
struct OfPayment<'p> {
    limit: u8,
    payment: PaidWith<'p>,
}

#[derive(Serialize)]
struct PaidWith<'p> {
    #[serde(rename = "type")]
    kind: &'static str,
    payment_intent: &'p str,
}

/// Since 2025-03-31.basil a payment no longer names its invoice.
pub(super) async fn of_payment(
    transport: &impl Transport,
    payment: &PaymentId,
) -> Result<Option<InvoiceId>, ProviderError> {
    let filter = OfPayment { limit: 1, payment: PaidWith { kind: "payment_intent", payment_intent: payment.as_str() } };
    let request = RequestBuilder::new(StripeMethod::Get, "/invoice_payments").query(&filter);
    let page: List<InvoicePayment> = read(&answer_to(transport, request, None).await?)?;
    let found = page.data.into_iter().next().and_then(|payment| payment.invoice).map(Expandable::into_id);
    found.map(|id| InvoiceId::parse(NAME, id)).transpose().map_err(not_understood)
}

pub(super) async fn list_paid(
    transport: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<InvoiceReport>, ProviderError> {
    let filter = PageOf::new("paid", since_seconds, after);
    let request = RequestBuilder::new(StripeMethod::Get, INVOICES).query(&filter);
    let page: List<Box<RawValue>> = read(&answer_to(transport, request, None).await?)?;
    collect(page, |text| {
        let invoice: Invoice = serde_json::from_str(text.get()).map_err(not_understood)?;
        invoice.report(Vec::new()).map(Some).map_err(not_understood)
    })
}
