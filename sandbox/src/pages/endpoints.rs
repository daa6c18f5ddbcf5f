//! The webhook endpoints on the control page: their URLs, and whether they answer.

use maud::{Markup, html};

use super::control_forms::button;
use crate::{
    engine::Core,
    model::{calendar, endpoint::Endpoint},
    receivers::{Receiver, Trouble},
};

/// One endpoint.
pub(crate) struct EndpointRow {
    id: String,
    url: String,
    state: String,
    /// Its last delivery failed.
    is_failing: bool,
}

/// All endpoints, in creation order.
pub(crate) fn rows(core: &Core) -> Vec<EndpointRow> {
    let row = |endpoint: &Endpoint| {
        let receiver = core.receivers.of(&endpoint.id);
        let trouble = receiver.and_then(|receiver| receiver.trouble.as_ref());
        let is_on_standby = core.receivers.is_on_standby(&endpoint.id);
        EndpointRow {
            id: endpoint.id.clone(),
            url: endpoint.url.clone(),
            state: if endpoint.disabled {
                "Disabled.".to_owned()
            } else if is_on_standby {
                on_standby(trouble)
            } else {
                state(receiver)
            },
            is_failing: trouble.is_some() && !endpoint.disabled && !is_on_standby,
        }
    };
    core.state.endpoints.iter().map(row).collect()
}

fn on_standby(trouble: Option<&Trouble>) -> String {
    let error = trouble.map(|trouble| format!(" Last error: {}.", trouble.error)).unwrap_or_default();
    format!("On standby: webhooks that it misses are not sent again until it has taken one.{error}")
}

fn state(receiver: Option<&Receiver>) -> String {
    let Some(receiver) = receiver else {
        return "Nothing was sent there since this program was started.".to_owned();
    };
    match (&receiver.trouble, receiver.waiting_since_ms()) {
        (Some(trouble), _) if receiver.answers == Some(true) => {
            format!("Refuses webhooks since {}: {}.", time(trouble.since_ms), trouble.error)
        }
        (Some(trouble), _) => format!(
            "Does not answer since {}: {}. Webhooks are sent again with growing pauses; customers do not wait for it.",
            time(trouble.since_ms),
            trouble.error
        ),
        (None, Some(since_ms)) => format!("A webhook waits for its answer since {}.", time(since_ms)),
        (None, None) => "Answers.".to_owned(),
    }
}

/// A point in the sandbox's time, in UTC and to the second.
fn time(at_ms: i64) -> String {
    let text = calendar::rfc3339(at_ms.div_euclid(1_000));
    format!("{} UTC", text.trim_end_matches(".000Z").replace('T', " "))
}

/// The section of the page.
pub(crate) fn section(rows: &[EndpointRow]) -> Markup {
    html! {
        section #endpoints aria-labelledby="endpoints-title" {
            h2 #endpoints-title { "Webhook endpoints" }
            @if rows.is_empty() { p.soft { "None yet. Register one with " code { "POST /v1/webhook_endpoints" } "." } }
            @for row in rows {
                div.card.control {
                    p { code { (row.url) } " " span.soft { (row.id) } }
                    p.error[row.is_failing].soft[!row.is_failing] { (row.state) }
                    (button(&format!("endpoints/{}/remove", row.id), "Remove", &row.url, &[]))
                }
            }
        }
    }
}
