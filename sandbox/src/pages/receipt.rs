//! The receipt of a charge.

use maud::{Markup, html};

use super::layout;
use crate::model::{
    State,
    billing::interval::date_text,
    currency,
    payment::{Charge, PaymentMethod},
};

/// What the page shows.
pub(crate) struct View {
    charge: Charge,
    method: Option<PaymentMethod>,
}

/// Reads a charge that took money.
pub(crate) fn state_of(state: &State, id: &str) -> Option<View> {
    let charge = state.charges.get(id).filter(|charge| charge.is_paid())?.clone();
    let method = state.payment_methods.get(&charge.payment_method).cloned();
    Some(View { charge, method })
}

/// Renders the page.
pub(crate) fn page(View { charge, method }: &View) -> Markup {
    let amount = |minor| currency::format(minor, &charge.currency);
    let card = method.as_ref().and_then(|method| method.card.as_ref());
    layout::page(
        "Receipt",
        &html! {
            main.checkout {
                section aria-labelledby="receipt" {
                    h1 #receipt { "Receipt" }
                    p.total #total { (amount(charge.amount)) }
                    p #status { "Paid on " (date_text(charge.created)) }
                    ul.items {
                        li {
                            span { (charge.description.as_deref().unwrap_or("Payment")) }
                            span.amount { (amount(charge.amount)) }
                        }
                        @if charge.amount_refunded > 0 {
                            li { span { "Refunded" } span.amount { "−" (amount(charge.amount_refunded)) } }
                        }
                    }
                    @if let Some(card) = card { p.soft { (card.brand) " •••• " (card.last4) } }
                }
            }
        },
    )
}
