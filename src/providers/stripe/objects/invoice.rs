//! Invoices, in the shapes of all API versions.
//!
//! Since 2025-03-31.basil the subscription stands in `parent`, the price of a line in `pricing`, whether it is about a part
//! of a period in the line's `parent`, and the payments in a list of their own.

use serde::Deserialize;

use crate::domain::ids::{InvoiceId, PaymentId, PriceId, SubscriptionId};
use crate::domain::subscription::{InvoiceLine, InvoiceReport, InvoiceStatus};
use crate::domain::tax::TaxBehavior;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::{Expandable, IdOnly, List};

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Invoice {
    id: String,
    #[serde(default)]
    parent: Option<Parent>,
    #[serde(default)]
    subscription: Option<Expandable>,
    #[serde(default)]
    livemode: Option<bool>,
    status: String,
    #[serde(default)]
    billing_reason: Option<String>,
    currency: String,
    total: i64,
    #[serde(default)]
    total_taxes: Option<Vec<Tax>>,
    /// What versions before 2025-03-31.basil call it.
    #[serde(default)]
    total_tax_amounts: Option<Vec<Tax>>,
    #[serde(default)]
    amount_paid: Option<i64>,
    #[serde(default)]
    attempt_count: Option<i64>,
    #[serde(default)]
    next_payment_attempt: Option<i64>,
    #[serde(default)]
    hosted_invoice_url: Option<String>,
    #[serde(default)]
    number: Option<String>,
    created: i64,
    #[serde(default)]
    status_transitions: Option<Transitions>,
    #[serde(default)]
    pub(in crate::providers::stripe) lines: Option<List<Line>>,
    #[serde(default)]
    payments: Option<List<InvoicePayment>>,
    #[serde(default)]
    payment_intent: Option<Expandable>,
}

#[derive(Deserialize)]
struct Tax {
    amount: i64,
    #[serde(default, rename = "tax_behavior")]
    behavior: Option<String>,
    #[serde(default)]
    inclusive: Option<bool>,
}

impl Tax {
    fn is_inclusive(&self) -> bool {
        self.inclusive.unwrap_or_else(|| self.behavior.as_deref() == Some(TaxBehavior::Inclusive.as_str()))
    }
}

#[derive(Deserialize)]
struct Parent {
    #[serde(default)]
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Deserialize)]
struct SubscriptionDetails {
    #[serde(default)]
    subscription: Option<Expandable>,
}

#[derive(Deserialize)]
struct Transitions {
    #[serde(default)]
    paid_at: Option<i64>,
}

/// A payment of an invoice, in its list or by itself.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct InvoicePayment {
    #[serde(default)]
    pub(in crate::providers::stripe) invoice: Option<Expandable>,
    #[serde(default)]
    payment: Option<PaidWith>,
}

#[derive(Deserialize)]
struct PaidWith {
    #[serde(default)]
    payment_intent: Option<Expandable>,
}

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Line {
    pub(in crate::providers::stripe) id: String,
    #[serde(default)]
    amount: i64,
    #[serde(default)]
    quantity: Option<i64>,
    period: Period,
    #[serde(default)]
    proration: Option<bool>,
    #[serde(default)]
    parent: Option<LineParent>,
    #[serde(default)]
    pricing: Option<Pricing>,
    #[serde(default)]
    price: Option<Expandable>,
    #[serde(default)]
    plan: Option<Expandable>,
}

#[derive(Deserialize)]
struct Period {
    start: i64,
    end: i64,
}

#[derive(Deserialize)]
struct LineParent {
    #[serde(default)]
    subscription_item_details: Option<ItemDetails>,
    #[serde(default)]
    invoice_item_details: Option<ItemDetails>,
}

#[derive(Deserialize)]
struct ItemDetails {
    #[serde(default)]
    proration: Option<bool>,
}

#[derive(Deserialize)]
struct Pricing {
    #[serde(default)]
    price_details: Option<PriceDetails>,
}

#[derive(Deserialize)]
struct PriceDetails {
    #[serde(default)]
    price: Option<Expandable>,
}

impl Line {
    fn read(self) -> Result<InvoiceLine, String> {
        let details = self.parent.and_then(|parent| parent.subscription_item_details.or(parent.invoice_item_details));
        let is_proration = self.proration.or(details.and_then(|details| details.proration)).unwrap_or(false);
        let in_pricing = self.pricing.and_then(|pricing| pricing.price_details?.price);
        let price = in_pricing.or(self.price).or(self.plan).map(Expandable::into_id);
        Ok(InvoiceLine {
            price: price.map(|id| PriceId::parse(NAME, id)).transpose().map_err(|error| error.to_string())?,
            amount_minor: self.amount,
            quantity: self.quantity.unwrap_or(1),
            is_proration,
            period_start_seconds: self.period.start,
            period_end_seconds: self.period.end,
        })
    }
}

impl Invoice {
    /// The invoice's report, with the given further lines.
    pub(in crate::providers::stripe) fn report(self, further: Vec<Line>) -> Result<InvoiceReport, String> {
        let in_parent = self.parent.and_then(|parent| parent.subscription_details?.subscription);
        let subscription = in_parent.or(self.subscription).map(Expandable::into_id);
        let lines = self.lines.map(|lines| lines.data).unwrap_or_default().into_iter().chain(further);
        let listed = self.payments.map(|payments| payments.data).unwrap_or_default();
        let listed = listed.into_iter().filter_map(|payment| payment.payment?.payment_intent);
        let payments = listed.chain(self.payment_intent).map(Expandable::into_id);
        let taxes = self.total_taxes.or(self.total_tax_amounts).unwrap_or_default();
        let added = taxes.iter().filter(|tax| !tax.is_inclusive());
        Ok(InvoiceReport {
            id: InvoiceId::parse(NAME, self.id).map_err(|error| error.to_string())?,
            subscription: subscription
                .map(|id| SubscriptionId::parse(NAME, id))
                .transpose()
                .map_err(|error| error.to_string())?,
            livemode: self.livemode.ok_or("the invoice has no livemode")?,
            status: InvoiceStatus::parse(&self.status).ok_or(format!("its status is {}", self.status))?,
            reason: self.billing_reason.unwrap_or_else(|| "unknown".to_owned()),
            currency: self.currency,
            total_minor: self.total,
            tax_minor: taxes.iter().fold(0_i64, |sum, tax| sum.saturating_add(tax.amount)),
            added_tax_minor: added.fold(0_i64, |sum, tax| sum.saturating_add(tax.amount)),
            amount_paid_minor: self.amount_paid.unwrap_or(0),
            attempts: self.attempt_count.unwrap_or(0).max(0),
            next_attempt_seconds: self.next_payment_attempt,
            hosted_url: self.hosted_invoice_url,
            number: self.number,
            created_seconds: self.created,
            paid_at_seconds: self.status_transitions.and_then(|transitions| transitions.paid_at),
            lines: lines.map(Line::read).collect::<Result<Vec<_>, String>>()?,
            payments: payments
                .map(|id| PaymentId::parse(NAME, id).map_err(|error| error.to_string()))
                .collect::<Result<Vec<_>, String>>()?,
        })
    }
}

/// The parts of an event's invoice that tell whose it is. Everything else is asked for.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct NamedInvoice {
    pub(in crate::providers::stripe) id: String,
    #[serde(default)]
    pub(in crate::providers::stripe) customer: Option<Expandable<IdOnly>>,
    #[serde(default)]
    parent: Option<Parent>,
    #[serde(default)]
    subscription: Option<Expandable>,
}

impl NamedInvoice {
    /// The subscription that it bills, if it bills one.
    pub(in crate::providers::stripe) fn subscription(self) -> Option<String> {
        let in_parent = self.parent.and_then(|parent| parent.subscription_details?.subscription);
        in_parent.or(self.subscription).map(Expandable::into_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(changes: &Value) -> InvoiceReport {
        let mut invoice = json!({ "id": "in_1", "livemode": false, "status": "paid", "billing_reason": "subscription_cycle",
            "currency": "usd", "total": 2_090, "amount_paid": 2_090, "attempt_count": 1, "created": 5 });
        invoice.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value::<Invoice>(invoice).unwrap().report(Vec::new()).unwrap()
    }

    #[test]
    fn tax_is_told_apart_in_all_shapes() {
        let taxes = |invoice: &InvoiceReport| (invoice.tax_minor, invoice.added_tax_minor);
        assert_eq!(taxes(&read(&json!({}))), (0, 0));
        let now = json!({ "total_taxes": [{ "amount": 190, "tax_behavior": "exclusive" },
            { "amount": 10, "tax_behavior": "inclusive" }] });
        assert_eq!(taxes(&read(&now)), (200, 190));
        let before = json!({ "total_tax_amounts": [{ "amount": 190, "inclusive": false }, { "amount": 10, "inclusive": true }] });
        assert_eq!(taxes(&read(&before)), (200, 190));
    }

    #[test]
    fn both_shapes_say_the_same() {
        let line = json!({ "id": "il_1", "amount": 2_000, "quantity": 1, "period": { "start": 10, "end": 20 } });
        let with = |more: Value| {
            let mut line = line.clone();
            line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "has_more": false, "data": [line] })
        };
        let new = read(&json!({
            "parent": { "type": "subscription_details", "subscription_details": { "subscription": "sub_1" } },
            "lines": with(json!({ "pricing": { "price_details": { "price": "price_1", "product": "prod_1" } },
                "parent": { "type": "subscription_item_details", "subscription_item_details": { "proration": true } } })),
            "payments": { "has_more": false, "data": [{ "payment": { "type": "payment_intent", "payment_intent": "pi_1" } }] },
        }));
        let old = read(&json!({
            "subscription": "sub_1", "payment_intent": "pi_1",
            "lines": with(json!({ "proration": true, "price": { "id": "price_1" } })),
        }));
        let older = read(&json!({
            "subscription": { "id": "sub_1" }, "payment_intent": { "id": "pi_1" },
            "lines": with(json!({ "proration": true, "plan": { "id": "price_1" } })),
        }));
        assert_eq!(new, old);
        assert_eq!(old, older);
        assert_eq!(new.subscription.as_ref().map(SubscriptionId::as_str), Some("sub_1"));
        let [line] = &new.lines[..] else { panic!("{:?}", new.lines) };
        assert!(line.is_proration && line.price.as_ref().map(PriceId::as_str) == Some("price_1"));
        assert_eq!(new.payments.len(), 1);
    }

    #[test]
    fn an_invoice_of_something_else_has_no_subscription() {
        assert_eq!(read(&json!({})).subscription, None);
        assert_eq!(read(&json!({ "parent": null })).subscription, None);
        assert_eq!(read(&json!({ "parent": { "type": "quote_details" } })).subscription, None);
    }
}
