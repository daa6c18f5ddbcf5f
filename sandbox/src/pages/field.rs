//! A text field of the hosted page, with its error.

use maud::{Markup, html};

pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) kind: &'a str,
    pub(super) autocomplete: &'a str,
    pub(super) hint: &'a str,
    pub(super) value: &'a str,
    pub(super) problem: Option<&'a str>,
}

pub(super) fn field(field: &Field<'_>) -> Markup {
    let digits = matches!(field.name, "card_number" | "exp" | "cvc");
    let problem_id = format!("{}-error", field.name);
    html! {
        div.field {
            label for=(field.name) { (field.label) }
            input id=(field.name) name=(field.name) type=(field.kind) value=(field.value)
                placeholder=[Some(field.hint).filter(|hint| !hint.is_empty())]
                autocomplete=(field.autocomplete) inputmode=[digits.then_some("numeric")]
                aria-invalid=[field.problem.map(|_| "true")]
                aria-describedby=[field.problem.map(|_| problem_id.as_str())];
            @if let Some(problem) = field.problem { p.error id=(problem_id) { (problem) } }
        }
    }
}
