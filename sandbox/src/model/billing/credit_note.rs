//! Credit notes: they take back part of an invoice, before or after it is paid.
//!
//! Invariants: no invoice is credited by more than it comes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    catalog, change, collect,
    invoice::{self, InvoiceStatus},
};
use crate::model::{Context, State, error::ApiError, table::Row};

/// A line of a credit note.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CreditLine {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) quantity: Option<i64>,
    pub(crate) unit_amount: Option<i64>,
    pub(crate) description: Option<String>,
    pub(crate) invoice_line: Option<String>,
}

/// A credit note.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CreditNote {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) invoice: String,
    pub(crate) customer: String,
    pub(crate) currency: String,
    pub(crate) number: String,
    pub(crate) lines: Vec<CreditLine>,
    pub(crate) memo: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The invoice was open: it lowered what is due.
    pub(crate) before_payment: bool,
    pub(crate) credited: i64,
    pub(crate) refund: Option<(String, i64)>,
    pub(crate) off_stripe: i64,
    pub(crate) voided_at: Option<i64>,
}

impl Row for CreditNote {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl CreditNote {
    pub(crate) fn total(&self) -> i64 {
        self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount))
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a CreditNote, ApiError> {
    state.credit_notes.get(id).ok_or_else(|| ApiError::not_found("credit note", id, "id"))
}

/// Issues a credit note, which lowers what is due of an open invoice.
pub(crate) fn issue(state: &mut State, context: &mut Context<'_>, note: CreditNote) -> Result<String, ApiError> {
    let found = invoice::find(state, &note.invoice)?;
    let (total, id) = (note.total(), note.id.clone());
    let left = if note.before_payment {
        found.amount_remaining()
    } else {
        found.total().saturating_sub(found.credited_before_payment).saturating_sub(found.credited_after_payment)
    };
    if total <= 0 || total > left {
        let message = format!(
            "The sum of credit amount, refund amount and out of band amount ({total}) must be at \
                               least 1 and no more than what is left of the invoice ({left})."
        );
        return Err(ApiError::invalid(message).param("amount"));
    }
    let (before, invoice, customer, credited) =
        (note.before_payment, note.invoice.clone(), note.customer.clone(), note.credited);
    let rendered = to_json(&note);
    state.credit_notes.insert(note);
    state.emit(context, "credit_note.created", rendered);
    change::invoice(state, context, &invoice, &["invoice.updated"], |found| {
        if before {
            found.credited_before_payment = found.credited_before_payment.saturating_add(total);
        } else {
            found.credited_after_payment = found.credited_after_payment.saturating_add(total);
        }
    });
    if credited > 0 && !before {
        let balance = catalog::balance(state, &customer).saturating_sub(credited);
        catalog::set_balance(state, context, &customer, balance);
    }
    let is_settled = state
        .invoices
        .get(&invoice)
        .is_some_and(|found| found.status == InvoiceStatus::Open && found.amount_remaining() == 0);
    if is_settled {
        super::issue::withdraw(state, context, &invoice);
        collect::mark_paid(state, context, &invoice, false);
    }
    Ok(id)
}

/// Takes back a credit note on an invoice that is still open.
pub(crate) fn void(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let note = find(state, id)?.clone();
    let is_open = invoice::find(state, &note.invoice).is_ok_and(|found| found.status == InvoiceStatus::Open);
    if note.voided_at.is_some() || !is_open {
        let message = "You can only void a credit note that is issued, on an invoice that is open.";
        return Err(ApiError::invalid(message));
    }
    let (now, total) = (context.now(), note.total());
    change::invoice(state, context, &note.invoice, &["invoice.updated"], |found| {
        found.credited_before_payment = found.credited_before_payment.saturating_sub(total);
    });
    if let Some(note) = state.credit_notes.get_mut(id) {
        note.voided_at = Some(now);
    }
    let rendered = to_json(find(state, id)?);
    state.emit(context, "credit_note.voided", rendered);
    Ok(())
}

pub(crate) fn to_json(note: &CreditNote) -> Value {
    let lines: Vec<Value> = note.lines.iter().map(line_json).collect();
    let refunds: Vec<Value> = note
        .refund
        .iter()
        .map(|(refund, amount)| {
            json!({ "amount_refunded": amount, "payment_record_refund": null, "refund": refund, "type": "refund" })
        })
        .collect();
    let total = note.total();
    let (before, after) = if note.before_payment { (total, 0) } else { (0, total) };
    json!({
        "id": note.id,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": note.created,
        "currency": note.currency,
        "customer": note.customer,
        "customer_account": null,
        "customer_balance_transaction": null,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": note.created,
        "invoice": note.invoice,
        "lines": {
            "object": "list", "data": lines, "has_more": false,
            "url": format!("/v1/credit_notes/{}/lines", note.id),
        },
        "livemode": false,
        "memo": note.memo,
        "metadata": note.metadata,
        "number": note.number,
        "out_of_band_amount": Some(note.off_stripe).filter(|amount| *amount > 0),
        "pdf": null,
        "post_payment_amount": after,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [],
        "reason": note.reason,
        "refunds": refunds,
        "shipping_cost": null,
        "status": if note.voided_at.is_some() { "void" } else { "issued" },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
        "total_taxes": [],
        "type": if note.before_payment { "pre_payment" } else { "post_payment" },
        "voided_at": note.voided_at,
    })
}

pub(crate) fn line_json(line: &CreditLine) -> Value {
    json!({
        "id": line.id,
        "object": "credit_note_line_item",
        "amount": line.amount,
        "description": line.description,
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": line.invoice_line,
        "livemode": false,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": line.quantity,
        "tax_rates": [],
        "taxes": [],
        "type": if line.invoice_line.is_some() { "invoice_line_item" } else { "custom_line_item" },
        "unit_amount": line.unit_amount,
        "unit_amount_decimal": line.unit_amount.map(|amount| amount.to_string()),
    })
}
