//! What stands above the content of a page: what the last form did, and what disturbs the sandbox at this moment.

use maud::{Markup, html};

use super::{control_forms::button, time, view::View, words};
use crate::{delivery_mode::Hold, faults::Fault};

/// What a form did, by the key that the address carries.
const DONE: &[(&str, &str)] = &[
    ("expire", "The session has expired."),
    ("challenge", "The customer's bank has answered."),
    ("settle", "The delayed payment is decided."),
    ("refund", "The payment was refunded."),
    ("dispute", "The payment is disputed."),
    ("refunds", "The refund was changed."),
    ("disputes", "The dispute was changed."),
    ("movement", "The correction is booked."),
    ("resend", "The event is sent again."),
    ("deliver", "The event is delivered now."),
    ("drop", "The undelivered copies of the event are dropped."),
    ("remove", "The webhook endpoint is removed."),
    ("mode", "Webhooks are sent in this mode from now on."),
    ("mode-clear", "Webhooks are delivered normally again."),
    ("outage", "The outage has begun."),
    ("outage-clear", "The outage has ended."),
    ("faults", "The fault waits for its request."),
    ("faults-clear", "No fault waits any more."),
    ("release", "The held requests go on."),
    ("lists", "Lists have this lag from now on."),
    ("permissions", "The key has these permissions from now on."),
    ("account", "The account's settings are changed."),
    ("standing", "The account's standing is changed."),
    ("clock", "The clock was advanced; what was due has happened."),
    ("renew", "The card was replaced."),
    ("card-expire", "The card has expired."),
    ("charges", "The bank decides about charges like this from now on."),
    ("detach", "The card is not saved any more."),
];

/// The key of what a control did, for the address of the page that shows it.
pub(crate) fn key(path: &str) -> &'static str {
    let segments: Vec<&str> = path.split('/').collect();
    let word = match segments.as_slice() {
        ["deliveries", "mode", "clear"] => "mode-clear",
        ["outage", "clear"] => "outage-clear",
        ["faults", "clear"] => "faults-clear",
        ["payment_methods", _, "expire"] => "card-expire",
        ["refunds", _] => "refunds",
        ["disputes", _] => "disputes",
        [.., last] => last,
        [] => "",
    };
    DONE.iter().find(|(known, _)| *known == word).map_or("", |(known, _)| known)
}

/// All notices of a page.
pub(super) fn all(view: &View<'_>) -> Markup {
    let done = view.asked.get("done").and_then(|key| DONE.iter().find(|(known, _)| *known == key));
    html! {
        @if let Some(mistake) = view.mistake {
            p.alert #mistake role="alert" data-keep="" { strong { "Not done. " } (mistake) }
        }
        @if let Some((_, sentence)) = done {
            p.notice.good #notice role="status" data-keep="" {
                strong { "Done. " } (sentence)
                @if let Some(id) = view.asked.get("of")
                    && let Some(path) = view.link(id).filter(|path| *path != view.asked.path) {
                    " " a href=(path) { "See " code { (id) } }
                }
            }
        }
        (disturbances(view))
    }
}

/// What keeps requests or webhooks from their normal way, with the way out.
fn disturbances(view: &View<'_>) -> Markup {
    let core = view.core;
    let mode = mode(view);
    html! {
        @if let Some(outage) = &view.outage {
            div.notice.wait #outage-notice {
                p {
                    strong { "The API fails. " } "Requests to " code { (outage.path) } " are "
                    (words::outage(outage.kind))
                    @if let Some(times) = outage.times { ", " (times) " more times" }
                    @if let Some(until_ms) = outage.until_ms {
                        ", for " (time::span(until_ms.saturating_sub(view.now_ms).div_euclid(1_000).max(1))) " more"
                    }
                    "."
                }
                (button(view, "outage/clear", "End the outage", "the API answers again", &[]))
            }
        }
        @if !mode.is_empty() {
            div.notice.wait #mode-notice {
                p { strong { "Webhooks are disturbed. " } (mode.join(" ")) }
                (button(view, "deliveries/mode/clear", "Deliver normally", "webhooks", &[]))
            }
        }
        @if !core.faults.is_empty() {
            div.notice.wait #faults-notice {
                p {
                    strong { "Faults wait for their requests. " }
                    @for fault in &core.faults { (fault_sentence(fault)) " " }
                }
                (button(view, "faults/clear", "Clear the faults", "requests", &[]))
            }
        }
        @if core.held > 0 {
            div.notice.wait #held-notice {
                p { strong { (words::count(core.held, "request is held.", "requests are held.")) } }
                (button(view, "release", "Let them go on", "held requests", &[]))
            }
        }
    }
}

/// What the delivery mode changes.
fn mode(view: &View<'_>) -> Vec<String> {
    let mode = &view.core.mode;
    let mut sentences = Vec::new();
    match &mode.hold {
        Hold::All(true) => sentences.push("All are held back.".to_owned()),
        Hold::Types(types) if !types.is_empty() => sentences.push(format!("Held back: {}.", types.join(", "))),
        _ => {}
    }
    if mode.shuffle {
        sentences.push("Their order is shuffled.".to_owned());
    }
    if mode.duplicate {
        sentences.push("Each is sent twice.".to_owned());
    }
    if mode.drop_next > 0 {
        let kind = mode.drop_type.as_deref().map(|kind| format!(" of type {kind}")).unwrap_or_default();
        sentences.push(format!("The next {}{kind} will be dropped.", mode.drop_next));
    }
    if let Some(version) = &mode.api_version {
        sentences.push(format!("All have the shape of {version}."));
    }
    sentences
}

/// A fault in a sentence, as far as the form can make one.
fn fault_sentence(fault: &Fault) -> String {
    let method = fault.method.as_deref().unwrap_or("Any request");
    format!("{method} {}: {}, {}.", fault.path, fault.kind.in_words(), words::count(times(fault), "time", "times"))
}

fn times(fault: &Fault) -> usize {
    usize::try_from(fault.times).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{DONE, key};

    #[test]
    fn each_control_has_a_sentence() {
        for (path, expected) in [
            ("sessions/cs_1/expire", "expire"),
            ("payment_intents/pi_1/refund", "refund"),
            ("refunds/re_1", "refunds"),
            ("disputes/du_1/movement", "movement"),
            ("deliveries/mode", "mode"),
            ("deliveries/mode/clear", "mode-clear"),
            ("account/standing", "standing"),
            ("payment_methods/pm_1/expire", "card-expire"),
            ("unknown", ""),
        ] {
            assert_eq!(key(path), expected, "{path}");
        }
        assert!(DONE.iter().all(|(known, sentence)| !known.is_empty() && sentence.ends_with('.')));
    }
}
