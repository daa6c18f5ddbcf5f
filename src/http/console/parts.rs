//! Pieces that several pages have: times, ids, badges, tables, links to Stripe's dashboard.

use maud::{Markup, PreEscaped, html};

use crate::console::story::{Remedy, Story, Tone};
use crate::console::words;
use crate::domain::credit_unit::DisplayDecimals;
use crate::domain::timestamp::to_the_second;
use crate::http::console::form::{account_path, topup_path};
use crate::http::console::layout::change_fields;
use crate::http::console::session::SignedIn;
use crate::purchases::topup_history::ListedTopup;

/// A moment in UTC, also for machines.
pub(super) fn time(ms: i64) -> Markup {
    html! { time datetime=(to_the_second(ms)) { (words::at(ms)) } }
}

/// A moment, or a dash.
pub(super) fn time_or_dash(ms: Option<i64>) -> Markup {
    html! { @match ms { Some(ms) => (time(ms)), None => "–" } }
}

/// An id that can be copied.
pub(super) fn id(text: &str) -> Markup {
    html! { code.id data-copy=(text) { (text) } }
}

/// The middle of a long id is left out; the whole is its title.
pub(super) fn short_id(text: &str) -> String {
    if text.chars().count() <= 22 {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(12).collect();
    let length = text.chars().count();
    let end: String = text.chars().skip(length.saturating_sub(6)).collect();
    format!("{beginning}…{end}")
}

/// A word in a coloured frame.
pub(super) fn badge(class: &str, word: &str) -> Markup {
    html! { span class={ "badge " (class) } { (word) } }
}

/// The state of a top-up.
pub(super) fn topup_state(state: &str, taken: i64, credits: i64, surplus: i64) -> Markup {
    match state {
        "paid" if surplus > 0 => badge("bad", "paid twice"),
        "paid" if taken >= credits => badge("quiet", "paid, taken back"),
        "paid" if taken > 0 => badge("good", "paid, partly taken back"),
        "paid" => badge("good", "paid"),
        "processing" => badge("wait", "processing"),
        "open" | "creating" => badge("wait", state),
        other => badge("quiet", other),
    }
}

/// A number of credits with its sign, for ledgers.
pub(super) fn signed_credits(credits: i64, decimals: DisplayDecimals) -> Markup {
    let text = words::credits(credits, decimals);
    html! { span class=(if credits < 0 { "minus" } else { "plus" }) { @if credits > 0 { "+" } (text) } }
}

/// A table that scrolls by itself on a narrow screen, also by keyboard.
pub(super) fn table(label: &str, head: &[&str], rows: &[Markup]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label=(label) {
            table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody { @for row in rows { tr { (row) } } }
            }
        }
    }
}

/// A list of names and values.
pub(super) fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in pairs { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// A table of top-ups.
pub(super) fn topups(rows: &[ListedTopup], decimals: DisplayDecimals, with_account: bool) -> Markup {
    let mut head = vec!["Top-up", "State", "Credits", "Charged", "Created", "Paid"];
    if with_account {
        head.insert(1, "Account");
    }
    let rows: Vec<Markup> = rows
        .iter()
        .map(|row| {
            html! {
                td { a href=(topup_path(&row.id)) title=(row.id) { (short_id(&row.id)) } }
                @if with_account { td { a href=(account_path(&row.account_id)) { (row.account_id) } } }
                td { (topup_state(&row.state, row.taken_credits, row.credits, row.surplus_payments)) }
                td.number { (words::credits(row.credits, decimals)) }
                td.number { (words::money(row.total_amount, &row.currency)) }
                td { (time(row.created_at)) }
                td { (time_or_dash(row.paid_at)) }
            }
        })
        .collect();
    table("Top-ups", &head, &rows)
}

/// Leads to the next page of a list.
pub(super) fn more(path: &str, pairs: &[(&str, &str)], next: Option<&str>) -> Markup {
    let link = next.map(|next| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("{path}?{}", query.append_pair("before", next).finish())
    });
    html! { @if let Some(link) = link { p.more { a href=(link) rel="next" { "Older" } } } }
}

/// Where Stripe's dashboard shows an object: `payments/pi_…`.
pub(super) fn at_stripe(signed: &SignedIn, path: &str) -> Markup {
    html! {
        @if let Some(dashboard) = signed.settings.dashboard {
            " " a.outside href={ (dashboard) (path) } rel="noreferrer" target="_blank" {
                "Stripe" span.for-ears { " (opens a new tab)" }
            }
        }
    }
}

const fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Waiting => "wait",
        Tone::Ended => "quiet",
        Tone::Trouble => "bad",
    }
}

/// What happened to a top-up, with the buttons that put it right.
pub(super) fn story(signed: &SignedIn, topup: &str, story: &Story) -> Markup {
    html! {
        section class={ "story " (tone_class(story.tone)) } aria-labelledby="story-title" {
            h2 #story-title { (story.title) }
            @for sentence in &story.sentences { p { (sentence) } }
            @if !story.remedies.is_empty() {
                div.actions { @for remedy in &story.remedies { (cure(signed, topup, remedy)) } }
            }
        }
    }
}

fn cure(signed: &SignedIn, topup: &str, remedy: &Remedy) -> Markup {
    html! {
        @match remedy {
            Remedy::Replay { event } => {
                form method="post" action="/console/failure/replay" {
                    (change_fields(signed))
                    input type="hidden" name="id" value=(event);
                    input type="hidden" name="back" value=(topup_path(topup));
                    button type="submit" { "Replay it" span.for-ears { ": " (event) } }
                }
            }
            Remedy::Check => {
                form method="post" action={ (topup_path(topup)) "/check" } {
                    (change_fields(signed))
                    button type="submit" { "Ask Stripe and credit what is paid" }
                }
            }
            Remedy::RefundSurplus { payment } => {
                a.button href={ (topup_path(topup)) "/refund?payment=" (payment) } { "Refund the second payment" }
            }
        }
    }
}

/// A label with its field.
pub(super) fn field(label: &str, name: &str, input: &Markup, hint: Option<&str>) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            (input)
            @if let Some(hint) = hint { p.hint id={ (name) "-hint" } { (hint) } }
        }
    }
}

/// A space that does not break, before a unit.
pub(super) const NBSP: PreEscaped<&str> = PreEscaped("&#160;");
