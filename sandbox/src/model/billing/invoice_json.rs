//! Invoices, lines, invoice items and invoice payments as Stripe's JSON, in the newest format.

use serde_json::{Map, Value, json};

use super::{
    catalog,
    invoice::{Invoice, InvoiceItem, InvoicePayment, InvoiceStatus, Line, Pricing, Source},
};
use crate::model::State;

/// How many lines are shown with an invoice; the rest is listed by `/lines`.
const LINES_SHOWN: usize = 10;
/// The one tax rate of this sandbox.
pub(crate) const TAX_RATE: &str = "txr_1SandboxTenPercent";

pub(crate) fn by_id(state: &State, base_url: &str, id: &str) -> Option<Value> {
    state.invoices.get(id).map(|found| invoice(state, found, base_url))
}

pub(crate) fn invoice(state: &State, found: &Invoice, base_url: &str) -> Value {
    let mut members = Map::new();
    for part in [identity(state, found, base_url), money(found), people(found), collection(found), settings(found)] {
        if let Value::Object(part) = part {
            members.extend(part);
        }
    }
    if let Some(why) = &found.uncollectible_reason {
        members.insert("status_details".to_owned(), json!({ "uncollectible": { "reason": why } }));
    }
    // A preview is not stored and has no id.
    if found.id.is_empty() {
        members.remove("id");
    }
    Value::Object(members)
}

fn identity(state: &State, found: &Invoice, base_url: &str) -> Value {
    let is_final = found.status != InvoiceStatus::Draft;
    let hosted = is_final.then(|| format!("{base_url}/i/{}", found.id));
    let shown: Vec<Value> = found.lines.iter().take(LINES_SHOWN).map(|row| line(found, row)).collect();
    json!({
        "id": found.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Sandbox",
        "account_tax_ids": null,
        "billing_reason": found.reason.as_str(),
        "created": found.created,
        "currency": found.currency,
        "description": found.description,
        "effective_at": found.finalized_at,
        "footer": found.footer,
        "hosted_invoice_url": hosted,
        "invoice_pdf": hosted.as_ref().map(|url| format!("{url}/pdf")),
        "lines": {
            "object": "list", "data": shown, "has_more": found.lines.len() > LINES_SHOWN,
            "url": format!("/v1/invoices/{}/lines", found.id),
        },
        "livemode": false,
        "metadata": found.metadata,
        "number": found.number,
        "parent": parent(found),
        "period_end": found.period.end,
        "period_start": found.period.start,
        "status": found.status.as_str(),
        "test_clock": found.customer.as_deref().and_then(|customer| catalog::test_clock_of(state, customer)),
    })
}

fn parent(found: &Invoice) -> Option<Value> {
    if let Some(subscription) = &found.subscription {
        let mut details = json!({ "subscription": subscription, "metadata": found.subscription_metadata });
        if let (Some(date), Some(members)) = (found.proration_date, details.as_object_mut()) {
            members.insert("subscription_proration_date".to_owned(), json!(date));
        }
        return Some(json!({
            "type": "subscription_details", "subscription_details": details, "quote_details": null,
        }));
    }
    let quote = found.quote.as_ref()?;
    Some(json!({ "type": "quote_details", "quote_details": { "quote": quote }, "subscription_details": null }))
}

fn money(found: &Invoice) -> Value {
    json!({
        "amount_due": found.amount_due(),
        "amount_overpaid": 0,
        "amount_paid": found.amount_paid,
        "amount_paid_off_stripe": if found.paid_off_stripe { found.amount_due() } else { 0 },
        "amount_remaining": if found.paid_off_stripe { 0 } else { found.amount_remaining() },
        "amount_shipping": 0,
        "ending_balance": found.ending_balance,
        "post_payment_credit_notes_amount": found.credited_after_payment,
        "pre_payment_credit_notes_amount": found.credited_before_payment,
        "shipping_cost": null,
        "shipping_details": null,
        "starting_balance": found.starting_balance,
        "subtotal": found.subtotal(),
        "subtotal_excluding_tax": found.total_excluding_tax(),
        "total": found.total(),
        "total_discount_amounts": [],
        "total_excluding_tax": found.total_excluding_tax(),
        "total_pretax_credit_amounts": [],
        "total_taxes": total_taxes(found),
    })
}

fn tax_entry(tax: i64, inclusive: bool, amount: i64) -> Value {
    json!({
        "amount": tax,
        "tax_behavior": if inclusive { "inclusive" } else { "exclusive" },
        "tax_rate_details": { "tax_rate": TAX_RATE },
        "taxability_reason": "standard_rated",
        "taxable_amount": if inclusive { amount.saturating_sub(tax) } else { amount },
        "type": "tax_rate_details",
    })
}

/// The sums of the lines' taxes, exclusive and inclusive ones apart.
fn total_taxes(found: &Invoice) -> Vec<Value> {
    let sum = |inclusive: bool| {
        let taxed = found.lines.iter().filter(|line| line.tax.is_some() && line.tax_inclusive == inclusive);
        let (tax, amount) = taxed.clone().fold((0_i64, 0_i64), |(tax, amount), line| {
            (tax.saturating_add(line.tax.unwrap_or(0)), amount.saturating_add(line.amount))
        });
        taxed.clone().next().map(|_| tax_entry(tax, inclusive, amount))
    };
    [sum(false), sum(true)].into_iter().flatten().collect()
}

fn people(found: &Invoice) -> Value {
    let to = &found.billed_to;
    json!({
        "customer": found.customer,
        "customer_account": null,
        "customer_address": to.address,
        "customer_email": to.email,
        "customer_name": to.name,
        "customer_phone": to.phone,
        "customer_shipping": null,
        "customer_tax_exempt": to.tax_exempt.as_deref().unwrap_or("none"),
        "customer_tax_ids": [],
    })
}

fn collection(found: &Invoice) -> Value {
    let tax_status = match found.status {
        _ if !found.automatic_tax => None,
        _ => Some("complete"),
    };
    json!({
        "attempt_count": found.attempt_count,
        "attempted": found.attempted,
        "auto_advance": found.auto_advance && matches!(found.status, InvoiceStatus::Draft | InvoiceStatus::Open),
        "automatic_tax": {
            "disabled_reason": null, "enabled": found.automatic_tax,
            "liability": found.automatic_tax.then(|| json!({ "type": "self" })),
            "provider": found.automatic_tax.then_some("stripe"),
            "status": tax_status,
        },
        "automatically_finalizes_at": found.finalizes_at.filter(|_| found.status == InvoiceStatus::Draft),
        "collection_method": found.collection_method,
        "default_payment_method": found.default_payment_method,
        "default_source": null,
        "due_date": found.due_date,
        "next_payment_attempt": found.next_attempt,
        "payment_settings": {
            "default_mandate": null, "payment_method_options": null, "payment_method_types": null,
        },
        "status_transitions": {
            "finalized_at": found.finalized_at,
            "marked_uncollectible_at": found.uncollectible_at,
            "paid_at": found.paid_at,
            "voided_at": found.voided_at,
        },
        "webhooks_delivered_at": found.finalized_at.map(|_| found.created),
    })
}

fn settings(found: &Invoice) -> Value {
    json!({
        "application": null,
        "custom_fields": found.custom_fields,
        "default_tax_rates": [],
        "discounts": [],
        "from_invoice": null,
        "issuer": { "type": "self" },
        "last_finalization_error": null,
        "latest_revision": null,
        "on_behalf_of": null,
        "receipt_number": null,
        "rendering": null,
        "statement_descriptor": null,
    })
}

pub(crate) fn line(invoice: &Invoice, line: &Line) -> Value {
    let taxes = line.tax.map(|tax| tax_entry(tax, line.tax_inclusive, line.amount));
    let inclusive = line.tax.filter(|_| line.tax_inclusive).unwrap_or(0);
    json!({
        "id": line.id,
        "object": "line_item",
        "amount": line.amount,
        "currency": line.currency,
        "description": line.description,
        "discount_amounts": [],
        "discountable": line.discountable,
        "discounts": [],
        "invoice": Some(&invoice.id).filter(|id| !id.is_empty()),
        "livemode": false,
        "metadata": line.metadata,
        "parent": line_parent(line),
        "period": { "start": line.period.start, "end": line.period.end },
        "pretax_credit_amounts": [],
        "pricing": line.pricing.as_ref().map(pricing),
        "quantity": line.quantity,
        "quantity_decimal": line.quantity.map(|quantity| quantity.to_string()),
        "subscription": line.subscription,
        "subtotal": line.amount.saturating_sub(inclusive),
        "taxes": Vec::from_iter(taxes),
    })
}

fn line_parent(line: &Line) -> Value {
    let credited = json!({ "credited_items": null });
    match &line.source {
        Source::SubscriptionItem(item) => json!({
            "type": "subscription_item_details",
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null, "proration": line.proration, "proration_details": credited,
                "subscription": line.subscription, "subscription_item": item,
            },
        }),
        Source::InvoiceItem(item) => match &line.subscription_item {
            Some(of) => json!({
                "type": "subscription_item_details",
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": item, "proration": line.proration, "proration_details": credited,
                    "subscription": line.subscription, "subscription_item": of,
                },
            }),
            None => json!({
                "type": "invoice_item_details",
                "invoice_item_details": {
                    "invoice_item": item, "proration": line.proration, "proration_details": credited,
                    "subscription": line.subscription,
                },
                "subscription_item_details": null,
            }),
        },
    }
}

fn pricing(pricing: &Pricing) -> Value {
    json!({
        "type": "price_details",
        "price_details": { "price": pricing.price, "product": pricing.product },
        "unit_amount_decimal": pricing.unit_amount,
    })
}

/// The payments of an invoice, as `payments` shows them when it is expanded.
pub(crate) fn payments(state: &State, invoice: &str) -> Value {
    let made = state.invoice_payments.iter().rev().filter(|payment| payment.invoice == invoice);
    let data: Vec<Value> = made.map(payment).collect();
    json!({
        "object": "list", "data": data, "has_more": false,
        "url": format!("/v1/invoice_payments?invoice={invoice}"),
    })
}

/// How a client may confirm the invoice's payment, as `confirmation_secret` shows it when it is expanded.
pub(crate) fn confirmation_secret(state: &State, invoice: &Invoice) -> Option<Value> {
    let intent = state.payment_intents.get(invoice.payment_intent.as_deref()?)?;
    Some(json!({ "client_secret": intent.client_secret, "type": "payment_intent" }))
}

pub(crate) fn payment(payment: &InvoicePayment) -> Value {
    let (status, paid) = match (payment.paid_at, payment.canceled_at) {
        (Some(_), _) => ("paid", Some(payment.amount_requested)),
        (None, Some(_)) => ("canceled", None),
        (None, None) => ("open", None),
    };
    json!({
        "id": payment.id,
        "object": "invoice_payment",
        "amount_paid": paid,
        "amount_requested": payment.amount_requested,
        "created": payment.created,
        "currency": payment.currency,
        "invoice": payment.invoice,
        "is_default": true,
        "livemode": false,
        "payment": { "type": "payment_intent", "payment_intent": payment.payment_intent },
        "status": status,
        "status_transitions": { "canceled_at": payment.canceled_at, "paid_at": payment.paid_at },
    })
}

pub(crate) fn invoice_item(state: &State, item: &InvoiceItem) -> Value {
    let parent = item.subscription.as_ref().map(|subscription| {
        json!({
            "type": "subscription_details",
            "subscription_details": {
                "subscription": subscription, "subscription_item": item.subscription_item,
            },
        })
    });
    json!({
        "id": item.id,
        "object": "invoiceitem",
        "amount": item.amount,
        "currency": item.currency,
        "customer": item.customer,
        "customer_account": null,
        "date": item.created,
        "description": item.description,
        "discountable": item.discountable,
        "discounts": [],
        "invoice": item.invoice,
        "livemode": false,
        "metadata": item.metadata,
        "net_amount": item.amount,
        "parent": parent,
        "period": { "start": item.period.start, "end": item.period.end },
        "pricing": item.pricing.as_ref().map(pricing),
        "proration": item.proration,
        "proration_details": item.proration.then(|| json!({ "discount_amounts": [] })),
        "quantity": item.quantity,
        "quantity_decimal": item.quantity.to_string(),
        "tax_rates": [],
        "test_clock": catalog::test_clock_of(state, &item.customer),
    })
}
