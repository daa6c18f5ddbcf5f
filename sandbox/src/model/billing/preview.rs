//! Invoices as they would be: the announcement of a renewal, and previews of a change. Nothing is stored.

use serde_json::Value;

use super::{
    catalog,
    interval::Period,
    invoice::{BillingReason, Invoice, InvoiceItem},
    invoice_json,
    issue::{self, Draft},
    lines::{self, Of},
    subscription::Subscription,
};
use crate::model::{Context, State};

/// The next renewal of a subscription, as `invoice.upcoming` shows it: without an id.
pub(crate) fn upcoming(state: &State, context: &mut Context<'_>, found: &Subscription) -> Value {
    let waiting = lines::waiting(state, &found.customer, Some(&found.id), &found.currency);
    let invoice = Invoice { id: String::new(), ..next_invoice(state, context, found, &waiting) };
    invoice_json::invoice(state, &invoice, context.base_url)
}

/// The invoice of the next renewal, with these invoice items.
pub(crate) fn next_invoice(
    state: &State,
    context: &mut Context<'_>,
    found: &Subscription,
    waiting: &[InvoiceItem],
) -> Invoice {
    let end = found.period_end();
    let mut next = found.clone();
    for item in &mut next.items {
        let interval = catalog::price(state, &item.price).and_then(|price| price.interval);
        if let Some(interval) = interval.filter(|_| item.period.end <= end) {
            item.period = Period { start: end, end: interval.period_at(found.anchor, end).end };
        }
    }
    let mut made: Vec<_> = waiting.iter().map(|item| lines::of_invoice_item(context, item)).collect();
    if found.ends_at().is_none_or(|ends| ends > end) {
        made.extend(lines::of_items(state, context, &next, Of::Service));
    }
    preview_of(state, context, found, made, (BillingReason::Upcoming, end))
}

/// An invoice of these lines that is not stored.
pub(crate) fn preview_of(
    state: &State,
    context: &mut Context<'_>,
    found: &Subscription,
    made: Vec<super::invoice::Line>,
    (reason, at): (BillingReason, i64),
) -> Invoice {
    let draft = Draft {
        customer: found.customer.clone(),
        subscription: Some(found.id.clone()).filter(|id| !id.is_empty()),
        reason,
        currency: found.currency.clone(),
        lines: made,
        period: Period { start: found.period().start, end: at },
        automatic_tax: found.automatic_tax,
        id: Some(context.ids.next("upcoming_in_1", 23)),
    };
    let mut invoice = issue::build(state, context, draft);
    invoice.created = at;
    invoice.next_attempt = Some(at.saturating_add(issue::DRAFT_SECONDS));
    let due = invoice.total().saturating_add(invoice.starting_balance);
    invoice.ending_balance = Some(due.min(0));
    invoice
}
