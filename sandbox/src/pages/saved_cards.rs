//! The saved cards on the hosted page: the box that saves a card, and a button for each that may be shown.

use maud::{Markup, html};

use crate::model::{payment::PaymentMethod, session::Session};

/// A saved card, as the page names it.
#[derive(Debug, Clone)]
pub(crate) struct SavedCard {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl SavedCard {
    pub(crate) fn of(method: &PaymentMethod) -> Option<Self> {
        let card = method.card.as_ref()?;
        let year = card.exp_year.rem_euclid(100);
        let name = format!("{} ending in {}, {:02}/{year:02}", card.brand, card.last4, card.exp_month);
        Some(Self { id: method.id.clone(), name })
    }
}

/// One form with a button per card.
pub(crate) fn section(session: &Session, cards: &[SavedCard], verb: &str) -> Markup {
    html! {
        @if !cards.is_empty() {
            h2 { "Saved cards" }
            @for card in cards {
                form method="post" action={ "/c/pay/" (session.id) "/saved" } {
                    input type="hidden" name="payment_method" value=(card.id);
                    button.plain.wide.saved-card type="submit" { (verb) " with " (card.name) }
                }
            }
            hr;
        }
    }
}

/// The box that saves the card, where the session offers it.
pub(crate) fn save_box(session: &Session, checked: bool) -> Markup {
    html! {
        @if session.offers_to_save() {
            label.choice {
                input #save type="checkbox" name="save" value="true" checked[checked];
                span { "Save this card for later purchases" }
            }
        }
    }
}
