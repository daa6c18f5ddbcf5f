//! A payment in a cell of another object's table.

use maud::{Markup, html};

use super::{parts::link, paying, view::View};

/// The payment of a charge: its amount with a link, and the buyer.
pub(super) fn cell(view: &View<'_>, charge: &str) -> Markup {
    html! {
        @match paying::of_charge(view, charge) {
            Some(paying) => {
                a href={ "/payments/" (paying.id()) } title=(paying.id()) { (paying.total()) } " " (paying.who())
            },
            None => (link(view, charge)),
        }
    }
}
