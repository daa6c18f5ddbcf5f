//! The forms of the page of controls: where they post, and the parts that they share.

use maud::{Markup, html};

/// Where the forms post: what comes after it is the path of the JSON control.
pub(crate) const FORMS: &str = "/_sandbox/form";

/// A form with one button and what goes with it. `about` tells the buttons of one kind apart for a screen reader.
pub(super) fn button(path: &str, label: &str, about: &str, hidden: &[(&str, &str)]) -> Markup {
    html! {
        form method="post" action={ (FORMS) "/" (path) } {
            @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
            button.plain type="submit" aria-label={ (label) ": " (about) } { (label) }
        }
    }
}

pub(super) fn check(name: &str, label: &str, checked: bool) -> Markup {
    html! {
        label.check { input type="checkbox" name=(name) value="true" checked[checked]; " " (label) }
    }
}
