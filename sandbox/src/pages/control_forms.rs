//! The forms of controls: their target, the page they lead back to, and shared parts. Each says what it will do.

use maud::{Markup, html};

use super::view::View;

/// The prefix of form targets. The rest is the path of the JSON control.
pub(crate) const FORMS: &str = "/_sandbox/form";

/// A form for a control. Its id is its path, so that a refreshing page recognises it.
pub(super) fn form(view: &View<'_>, path: &str, kind: &str, content: &Markup) -> Markup {
    let id = format!("form-{}-{kind}", path.replace('/', "-"));
    html! {
        form method="post" action={ (FORMS) "/" (path) } id=(id) {
            input type="hidden" name="back" value=(view.asked.with(&[]));
            (content)
        }
    }
}

/// A form with one button and its hidden fields. `about` distinguishes similar buttons for screen readers.
pub(super) fn button(view: &View<'_>, path: &str, label: &str, about: &str, hidden: &[(&str, &str)]) -> Markup {
    let kind: Vec<&str> = hidden.iter().map(|(_, value)| *value).collect();
    let content = html! {
        @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
        button.plain type="submit" { (label) span.for-ears { ": " (about) } }
    };
    form(view, path, &kind.join("-"), &content)
}

/// A plain button in a row of a list.
pub(super) fn row_button(view: &View<'_>, path: &str, label: &str, about: &str) -> Markup {
    html! {
        form method="post" action={ (FORMS) "/" (path) } {
            input type="hidden" name="back" value=(view.asked.with(&[]));
            button.plain type="submit" { (label) span.for-ears { ": " (about) } }
        }
    }
}

/// A button behind a click that says what cannot be undone. It needs no script.
pub(super) fn confirmed(
    view: &View<'_>,
    path: &str,
    (label, about): (&str, &str),
    warning: &str,
    hidden: &[(&str, &str)],
) -> Markup {
    let content = html! {
        @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
        p { (warning) }
        button.danger type="submit" { (label) span.for-ears { ": " (about) } }
    };
    html! {
        details.confirm {
            summary { (label) "…" span.for-ears { " " (about) } }
            (form(view, path, "confirmed", &content))
        }
    }
}

/// A card with a title, a sentence that says what the control does, and its form.
pub(super) fn control(id: &str, title: &str, does: &str, form: &Markup) -> Markup {
    html! {
        div.card.control id=(id) {
            h3 { (title) }
            p { (does) }
            (form)
        }
    }
}

/// A labelled input with an explanation.
pub(super) struct Input<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) hint: &'a str,
    pub(super) value: &'a str,
    pub(super) mode: Mode,
}

/// What an input takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Text,
    Number,
    Money,
}

pub(super) fn input(input: &Input<'_>) -> Markup {
    let (mode, pattern) = match input.mode {
        Mode::Text => (None, None),
        Mode::Number => (Some("numeric"), Some("[0-9]*")),
        Mode::Money => (Some("decimal"), Some("[0-9]+([.][0-9]+)?")),
    };
    let hint = format!("{}-hint", input.id);
    html! {
        div.field {
            label for=(input.id) { (input.label) }
            input id=(input.id) name=(input.name) value=(input.value) inputmode=[mode] pattern=[pattern]
                autocomplete="off" spellcheck="false"
                aria-describedby=[(!input.hint.is_empty()).then_some(&hint)];
            @if !input.hint.is_empty() { p.hint id=(hint) { (input.hint) } }
        }
    }
}

/// A select with a label: values and words.
pub(super) fn select(id: &str, name: &str, label: &str, chosen: &str, choices: &[(&str, &str)]) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                @for (value, word) in choices { option value=(value) selected[*value == chosen] { (word) } }
            }
        }
    }
}

/// A checkbox whose hint says what it does.
pub(super) fn check(name: &str, label: &str, hint: &str, checked: bool) -> Markup {
    html! {
        label.choice {
            input type="checkbox" name=(name) value="true" checked[checked];
            span { (label) @if !hint.is_empty() { small { (hint) } } }
        }
    }
}

/// One of several choices, each with what it does. The first is chosen.
pub(super) fn choices(legend: &str, name: &str, choices: &[(&str, &str, &str)]) -> Markup {
    html! {
        fieldset {
            legend { (legend) }
            @for (place, (value, label, hint)) in choices.iter().enumerate() {
                label.choice {
                    input type="radio" name=(name) value=(value) checked[place == 0];
                    span { (label) small { (hint) } }
                }
            }
        }
    }
}
