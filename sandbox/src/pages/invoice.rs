//! The hosted page of an invoice: what it is for, and how it is paid.

use maud::{Markup, html};

use super::{
    card_form::card_form,
    checkout::{Form, Problems},
    layout,
};
use crate::model::{
    State,
    billing::{
        change,
        interval::date_text,
        invoice::{Invoice, InvoiceStatus},
    },
    currency,
};

/// What the page shows.
pub(crate) struct View {
    invoice: Invoice,
    saved_card: Option<String>,
}

impl View {
    /// The total that is still to be paid.
    pub(crate) fn remaining(&self) -> String {
        currency::format(self.invoice.amount_remaining(), &self.invoice.currency)
    }

    pub(crate) fn is_payable(&self) -> bool {
        self.invoice.is_payable() && self.invoice.amount_remaining() > 0
    }
}

/// Reads an invoice that is final.
pub(crate) fn state_of(state: &State, id: &str) -> Option<View> {
    let invoice = state.invoices.get(id).filter(|found| found.status != InvoiceStatus::Draft)?.clone();
    let of = invoice.subscription.as_deref().and_then(|id| state.subscriptions.get(id));
    let own = of.and_then(|of| of.default_payment_method.as_deref());
    let method = change::method_of(state, invoice.customer.as_deref().unwrap_or_default(), own);
    let card = method.and_then(|id| state.payment_methods.get(&id)?.card.clone());
    Some(View { invoice, saved_card: card.map(|card| format!("{} •••• {}", card.brand, card.last4)) })
}

/// Renders the page.
pub(crate) fn page(view: &View, form: &Form, problems: &Problems) -> Markup {
    let invoice = &view.invoice;
    let number = invoice.number.as_deref().unwrap_or(&invoice.id);
    let action = format!("/i/{}", invoice.id);
    layout::page(
        &format!("Invoice {number}"),
        &html! {
            main.checkout {
                section aria-labelledby="invoice" {
                    h1 #invoice { "Invoice " (number) }
                    p.total #total { (currency::format(invoice.total(), &invoice.currency)) }
                    p #status { (words(invoice)) }
                    ul.items {
                        @for line in &invoice.lines {
                            li {
                                span {
                                    (line.description.as_deref().unwrap_or("Item"))
                                    small { (date_text(line.period.start)) " – " (date_text(line.period.end)) }
                                }
                                span.amount { (amount(line.amount, &line.currency)) }
                            }
                        }
                        @if invoice.tax() != 0 {
                            li { span { "Tax" } span.amount { (amount(invoice.tax(), &invoice.currency)) } }
                        }
                    }
                }
                @if view.is_payable() {
                    section.card aria-label="Payment" {
                        h1 { "Pay " (view.remaining()) }
                        @if let Some(card) = &view.saved_card {
                            form method="post" action={ (action) "/saved" } {
                                button #pay-saved type="submit" { "Pay with " (card) }
                            }
                            p.soft { "Or with another card:" }
                        }
                        (card_form(&action, &format!("Pay {}", view.remaining()), form, problems))
                    }
                }
            }
        },
    )
}

/// An amount that may be a credit.
fn amount(amount: i64, currency: &str) -> String {
    if amount < 0 {
        return format!("−{}", currency::format(amount.saturating_neg(), currency));
    }
    currency::format(amount, currency)
}

fn words(invoice: &Invoice) -> String {
    match (invoice.status, invoice.paid_at) {
        (InvoiceStatus::Paid, Some(at)) => format!("Paid on {}", date_text(at)),
        (InvoiceStatus::Void, _) => "Void: nothing is owed".to_owned(),
        (InvoiceStatus::Uncollectible, _) => "Uncollectible".to_owned(),
        _ => match invoice.due_date {
            Some(at) => format!("Due on {}", date_text(at)),
            None => "Payment is due".to_owned(),
        },
    }
}
