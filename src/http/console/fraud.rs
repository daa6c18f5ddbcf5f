//! Early fraud warnings and reviews: on the page of disputes, and in a top-up's timeline.

use maud::{Markup, html};

use crate::console::words::money;
use crate::http::console::account;
use crate::http::console::form::topup_path;
use crate::http::console::parts::{at_stripe, badge, short_id, table, time};
use crate::http::console::session::SignedIn;
use crate::purchases::fraud::fraud_signals::StoredSignal;

/// What a signal is, in words.
pub(super) fn name(signal: &StoredSignal) -> &'static str {
    if signal.kind == "review" { "Review" } else { "Early fraud warning" }
}

/// The state as a badge.
fn state(signal: &StoredSignal) -> Markup {
    match (signal.is_open != 0, signal.kind.as_str(), signal.ended.as_deref()) {
        (true, _, _) => badge("bad", "open"),
        (false, _, Some("approved")) => badge("good", "approved"),
        (false, "review", Some(ended)) => badge("quiet", &ended.replace('_', " ")),
        (false, _, _) => badge("quiet", "refunded or disputed"),
    }
}

/// The section with warnings and reviews, newest first. Nothing if there are none.
pub(super) fn section(signed: &SignedIn, signals: &[StoredSignal]) -> Markup {
    html! {
        @if !signals.is_empty() {
            section aria-labelledby="fraud-title" {
                h2 #fraud-title { "Warnings of fraud" }
                (rows(signed, signals))
                p.hint {
                    "Most payments with an early fraud warning are disputed later. A refund costs less than a dispute. "
                    "An account that was blocked stays blocked until somebody unblocks it on its page."
                }
            }
        }
    }
}

fn rows(signed: &SignedIn, signals: &[StoredSignal]) -> Markup {
    let rows: Vec<Markup> = signals
        .iter()
        .map(|signal| {
            let refund = format!("{}/refund", topup_path(&signal.topup_id));
            html! {
                td { (time(signal.occurred_at)) }
                td { (name(signal)) }
                td { (state(signal)) @if signal.blocked_account != 0 { " " (badge("quiet", "account blocked")) } }
                td { (signal.reason.as_deref().unwrap_or("–").replace('_', " ")) }
                td.number { (money(signal.total_amount, &signal.currency)) }
                td { (account::link(&signal.account_id)) }
                td { a href=(topup_path(&signal.topup_id)) title=(signal.topup_id) { (short_id(&signal.topup_id)) } }
                td {
                    @if signal.is_open != 0 { a.button.plain href=(refund) { "Refund" } }
                    (at_stripe(signed, &format!("payments/{}", signal.provider_payment_id)))
                }
            }
        })
        .collect();
    table("Warnings of fraud", &["When", "What", "State", "Reason", "Amount", "Account", "Top-up", "Do"], &rows)
}
