//! The forms of the control page: their target, and shared parts.

use maud::{Markup, html};

/// The prefix of form targets. The rest is the path of the JSON control.
pub(crate) const FORMS: &str = "/_sandbox/form";

/// A form with one button and its hidden fields. `about` distinguishes similar buttons for screen readers.
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
