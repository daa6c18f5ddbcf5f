//! Pieces that several pages have: times, ids, badges, tables, lists in pages, and empty states.

use maud::{Markup, html};
use serde_json::Value;

use super::{time, view::View};
use crate::model::calendar::rfc3339;

/// How many rows a page of a list has.
const SHOWN: usize = 20;

/// A moment, relative to the sandbox's clock; the exact time is its title.
pub(super) fn when(view: &View<'_>, seconds: i64) -> Markup {
    let text = time::ago(view.now().saturating_sub(seconds));
    html! { time datetime=(rfc3339(seconds)) title=(time::utc(seconds)) data-at=(seconds) { (text) } }
}

/// A moment, exact and relative.
pub(super) fn exactly(view: &View<'_>, seconds: i64) -> Markup {
    html! { (time::utc(seconds)) span.soft { " (" (when(view, seconds)) ")" } }
}

/// A word in a coloured frame.
pub(super) fn badge((class, word): (&str, &str)) -> Markup {
    html! { span class={ "badge " (class) } { (word) } }
}

/// The middle of a long id is left out.
pub(super) fn short_id(id: &str) -> String {
    let length = id.chars().count();
    if length <= 22 {
        return id.to_owned();
    }
    let (begin, end): (String, String) =
        (id.chars().take(12).collect(), id.chars().skip(length.saturating_sub(6)).collect());
    format!("{begin}…{end}")
}

/// An id that leads to the page of its object.
pub(super) fn link(view: &View<'_>, id: &str) -> Markup {
    html! {
        @match view.link(id) {
            Some(path) => a href=(path) title=(id) { code { (short_id(id)) } },
            None => code title=(id) { (short_id(id)) },
        }
    }
}

/// A row of a table. Its id lets the page refresh without losing anything in it.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) cells: Vec<Markup>,
}

/// A table; on a phone each row is a card, and the roles make it a table still.
pub(super) fn table(label: &str, head: &[&str], rows: &[Row]) -> Markup {
    html! {
        div.sheet {
            table role="table" aria-label=(label) {
                thead role="rowgroup" {
                    tr role="row" {
                        @for name in head { th role="columnheader" scope="col" { (name) } }
                    }
                }
                tbody role="rowgroup" {
                    @for row in rows {
                        tr role="row" id={ "row-" (row.id) } data-row="" {
                            @for (place, cell) in row.cells.iter().enumerate() {
                                td role="cell" data-label=(head.get(place).unwrap_or(&"")) { div { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A list whose rows may unfold.
pub(super) fn rows(label: &str, rows: &[Row]) -> Markup {
    html! {
        ul.rows aria-label=(label) {
            @for row in rows {
                li id={ "row-" (row.id) } data-row="" { @for cell in &row.cells { (cell) } }
            }
        }
    }
}

/// Names and values.
pub(super) fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } }
    }
}

/// An object's JSON, folded.
pub(super) fn json(summary: &str, value: &Value) -> Markup {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    html! {
        details {
            summary { (summary) }
            pre.payload tabindex="0" role="group" aria-label=(summary) { (text) }
        }
    }
}

/// What stands where a list is empty: why, and what to do next.
pub(super) fn empty(why: &str, next: &Markup) -> Markup {
    html! { div.empty { p { strong { (why) } } p { (next) } } }
}

/// The links above a list that choose which rows it has.
pub(super) fn tabs(view: &View<'_>, name: &str, choices: &[(&str, &str)]) -> Markup {
    let chosen = view.asked.get(name).unwrap_or_default();
    html! {
        ul.tabs {
            @for (value, word) in choices {
                li {
                    a href=(view.asked.with(&[(name, value), ("before", "")]))
                        aria-current=[(*value == chosen).then_some("true")] { (word) }
                }
            }
        }
    }
}

/// A page of a list, newest first.
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    older: Option<String>,
    is_newest: bool,
}

/// The rows after the one that the browser names in `before`, or the newest.
pub(super) fn page<T>(view: &View<'_>, all: impl Iterator<Item = T> + Clone, key: impl Fn(&T) -> String) -> Page<T> {
    let before = view.asked.get("before").filter(|before| all.clone().any(|row| key(&row) == **before));
    let mut rows: Vec<T> = match before {
        Some(before) => all.skip_while(|row| key(row) != before).skip(1).take(SHOWN + 1).collect(),
        None => all.take(SHOWN + 1).collect(),
    };
    let has_older = rows.len() > SHOWN;
    rows.truncate(SHOWN);
    let older = rows.last().filter(|_| has_older).map(&key);
    Page { rows, older, is_newest: before.is_none() }
}

/// The links to the other pages of a list.
pub(super) fn pager<T>(view: &View<'_>, page: &Page<T>) -> Markup {
    html! {
        @if page.older.is_some() || !page.is_newest {
            nav.more aria-label="Pages" {
                @if !page.is_newest { a href=(view.asked.with(&[("before", "")])) { "Newest" } }
                @if let Some(older) = &page.older {
                    a href=(view.asked.with(&[("before", older)])) rel="next" { "Older" }
                }
            }
        }
    }
}
