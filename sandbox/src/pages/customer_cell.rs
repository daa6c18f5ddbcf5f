//! A customer in a cell of another object's table.

use maud::{Markup, html};

use super::{parts::link, view::View};

/// The name or e-mail address of a customer, with a link to the customer's page.
pub(super) fn cell(view: &View<'_>, id: &str) -> Markup {
    let profile = view.state().customers.get(id).map(|customer| &customer.profile);
    let named = profile.and_then(|profile| profile.name.as_deref().or(profile.email.as_deref()));
    html! {
        @match named {
            Some(named) => a href={ "/customers/" (id) } title=(id) { (named) },
            None => (link(view, id)),
        }
    }
}
