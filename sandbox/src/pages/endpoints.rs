//! The webhook endpoints on the page of controls: their URLs, and whether they answer.

use maud::{Markup, html};

use super::{control_forms::confirmed, parts, time, view::View};
use crate::{
    model::endpoint::Endpoint,
    receivers::{Receiver, Trouble},
};

/// How an endpoint is, in a sentence, with the class of its colour.
pub(super) fn state(view: &View<'_>, endpoint: &Endpoint) -> (&'static str, String) {
    let receivers = &view.core.receivers;
    let receiver = receivers.of(&endpoint.id);
    let trouble = receiver.and_then(|receiver| receiver.trouble.as_ref());
    if endpoint.disabled {
        return ("soft", "Disabled.".to_owned());
    }
    if receivers.is_on_standby(&endpoint.id) {
        return ("soft", on_standby(trouble));
    }
    (if trouble.is_some() { "error" } else { "soft" }, sentence(receiver))
}

fn on_standby(trouble: Option<&Trouble>) -> String {
    let error = trouble.map(|trouble| format!(" Last error: {}.", trouble.error)).unwrap_or_default();
    format!("On standby: webhooks that it misses are not sent again until it has taken one.{error}")
}

fn sentence(receiver: Option<&Receiver>) -> String {
    let Some(receiver) = receiver else {
        return "Nothing was sent there since this program was started.".to_owned();
    };
    let utc = |at_ms: i64| time::utc(at_ms.div_euclid(1_000));
    match (&receiver.trouble, receiver.waiting_since_ms()) {
        (Some(trouble), _) if receiver.answers == Some(true) => {
            format!("Refuses webhooks since {}: {}.", utc(trouble.since_ms), trouble.error)
        }
        (Some(trouble), _) => format!(
            "Does not answer since {}: {}. Webhooks are sent again with growing pauses; customers do not wait for it.",
            utc(trouble.since_ms),
            trouble.error
        ),
        (None, Some(since_ms)) => format!("A webhook waits for its answer since {}.", utc(since_ms)),
        (None, None) => "Answers.".to_owned(),
    }
}

/// The section of the page.
pub(super) fn section(view: &View<'_>) -> Markup {
    let endpoints: Vec<&Endpoint> = view.state().endpoints.iter().collect();
    html! {
        section #endpoints aria-labelledby="endpoints-title" {
            h2 #endpoints-title { "Webhook endpoints" }
            @if endpoints.is_empty() {
                (parts::empty("No endpoint is registered, so no webhook is sent.", &html! {
                    "Register one with " code { "POST /v1/webhook_endpoints" } ": its " code { "url" } " and "
                    code { "enabled_events" } ". Its signing secret is in the answer."
                }))
            } @else {
                div.cards {
                    @for endpoint in endpoints { (card(view, endpoint)) }
                }
            }
        }
    }
}

fn card(view: &View<'_>, endpoint: &Endpoint) -> Markup {
    let (class, sentence) = state(view, endpoint);
    let events = endpoint.enabled_events.iter().any(|kind| kind == "*");
    html! {
        div.card id=(endpoint.id) {
            h3 { code { (endpoint.url) } }
            p class=(class) { (sentence) }
            p.hint {
                (endpoint.id) ", "
                @if events { "all events" } @else { (endpoint.enabled_events.join(", ")) }
                @if let Some(version) = &endpoint.api_version { ", version " (version) }
                @if endpoint.thin { ", thin payloads" }
            }
            (confirmed(view, &format!("endpoints/{}/remove", endpoint.id), ("Remove", &endpoint.url),
                "Nothing is sent there any more, and its undelivered events are lost. Its secret is not shown again.",
                &[]))
        }
    }
}
