//! Deliveries of Stripe's that had no effect: the list, one of them, replaying and closing it.

use actix_web::HttpRequest;
use actix_web::web::Payload;
use maud::{Markup, html};

use crate::console::actions;
use crate::http::console::form::{Fields, after, failure_path, topup_path};
use crate::http::console::layout::{Place, at, change_fields};
use crate::http::console::page::{Page, see_other};
use crate::http::console::parts::{self, at_stripe, badge, facts, field, more, table, time, time_or_dash};
use crate::http::console::session::SignedIn;
use crate::http::kit::paging::page;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::inbox::failed_events::{FailedEvent, FailureCursor, FailureFilter, FailureState};

const ROWS: i64 = 50;

fn state_badge(failure: &FailedEvent) -> Markup {
    match (failure.state(), failure.kind.as_str()) {
        (FailureState::Resolved, _) => badge("good", "put right"),
        (FailureState::Closed, _) => badge("quiet", "closed"),
        (FailureState::Open, "permanent") => badge("bad", "refused for good"),
        (FailureState::Open, _) => badge("wait", "can be replayed"),
    }
}

/// The failures in a state; the open ones at first.
pub(super) async fn list(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let word = fields.optional("state").unwrap_or("open");
    let chosen = FailureState::ALL.into_iter().find(|state| state.as_str() == word);
    let (first_failed_at, provider_event_id) = fields.before()?;
    let before = FailureCursor { first_failed_at, provider_event_id };
    let app = state.app.clone();
    let filter = FailureFilter { state: chosen, kind: None };
    let found = signed.run(async move { app.db.failed_events(filter, &before, ROWS + 1).await }).await?;
    let (failures, next) = page(found, ROWS, |failure| (failure.first_failed_at, failure.provider_event_id.clone()));
    let rows: Vec<Markup> = failures
        .iter()
        .map(|failure| {
            html! {
                td { a href=(failure_path(&failure.provider_event_id)) { (failure.provider_event_id) } }
                td { (failure.event_type) }
                td { (state_badge(failure)) }
                td { (failure.error) }
                td.number { (failure.attempts) }
                td { (time(failure.last_failed_at)) }
            }
        })
        .collect();
    let content = html! {
        h1 { "Failed deliveries" }
        p.lead { "Events from Stripe that had no effect. What can be replayed failed for a moment; what was refused \
            for good contradicts \
            what was agreed, and a person has to decide." }
        form.filters method="get" action="/console/failures" {
            div.field {
                label for="state" { "State" }
                select #state name="state" {
                    @for state in FailureState::ALL {
                        option value=(state.as_str()) selected[chosen == Some(state)] { (state.as_str()) }
                    }
                    option value="all" selected[chosen.is_none()] { "all" }
                }
            }
            button.plain type="submit" { "Show" }
        }
        @if rows.is_empty() { p.empty { "None." } }
        @else { (table("Failed deliveries", &["Event", "Type", "State", "Reason", "Attempts", "Last"], &rows)) }
        (more("/console/failures", &[("state", word)], next.as_deref()))
    };
    Ok(at(&signed, Place::Failures).show("Failed deliveries", &content))
}

/// One failure, with its payload.
pub(super) async fn read(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let id = fields.text("id").to_owned();
    let app = state.app.clone();
    let read = async move { Ok::<_, ApiError>((app.db.failed_event(&id).await?, app.db.topup_of_failure(&id).await?)) };
    let (found, topup) = signed.run(read).await?;
    let found = found.ok_or_else(|| ApiError::not_found("no delivery of that event failed"))?;
    let failure = &found.event;
    let event = &failure.provider_event_id;
    let content = html! {
        h1 { "Failed delivery" }
        p.subtitle { (parts::id(event)) (at_stripe(&signed, &format!("events/{event}"))) }
        section class={ "story " (if failure.state() == FailureState::Open { "bad" } else { "quiet" }) } {
            h2 { (failure.event_type) " " (state_badge(failure)) }
            p { (failure.error) }
        }
        (facts(&[
            ("Top-up", html! { @match &topup { Some(id) => a href=(topup_path(id)) { (id) }, None => "not known" } }),
            ("Attempts", html! { (failure.attempts) }),
            ("First failed", time(failure.first_failed_at)),
            ("Last failed", time(failure.last_failed_at)),
            ("Put right", time_or_dash(failure.resolved_at)),
            ("Closed", html! { @match failure.closed_at {
                Some(ms) => {
                    (time(ms)) " by " (failure.closed_by.as_deref().unwrap_or("?")) ": "
                        (failure.close_reason.as_deref().unwrap_or(""))
                }
                None => "–",
            } }),
        ]))
        @if failure.state() != FailureState::Resolved { (actions_of(&signed, failure, found.payload.is_some())) }
        @if let Some(payload) = &found.payload {
            details { summary { "What Stripe sent" } pre.payload tabindex="0" { (pretty(payload)) } }
        } @else {
            p.hint { "What Stripe sent is not kept (any more). Resend the event from Stripe's dashboard." }
        }
    };
    let framed = at(&signed, Place::Failures).after_change(&fields).await?;
    Ok(framed.show("Failed delivery", &content))
}

fn pretty(payload: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(payload).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| payload.to_owned())
}

fn actions_of(signed: &SignedIn, failure: &FailedEvent, has_payload: bool) -> Markup {
    html! {
        section aria-labelledby="actions-title" {
            h2 #actions-title { "Actions" }
            div.actions {
                @if has_payload {
                    form method="post" action="/console/failure/replay" {
                        (change_fields(signed))
                        input type="hidden" name="id" value=(failure.provider_event_id);
                        button type="submit" { "Replay" }
                    }
                }
                @if failure.state() == FailureState::Open && signed.is_admin() {
                    form.inline method="post" action="/console/failure/close" {
                        (change_fields(signed))
                        input type="hidden" name="id" value=(failure.provider_event_id);
                        (field("Why it needs no more attention", "reason", &html! {
                            input #reason name="reason" required maxlength="500" autocomplete="off";
                        }, None))
                        button.plain type="submit" { "Close" }
                    }
                }
            }
            p.hint { "A replay processes the event as if Stripe delivered it now. No event credits twice." }
        }
    }
}

/// Processes a failed delivery again.
pub(super) async fn replay(request: HttpRequest, payload: Payload, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = signed.form(&request, payload).await?;
    let (change, event) = (fields.change()?, fields.text("id").to_owned());
    let back = fields.optional("back").filter(|path| path.starts_with("/console/topups/")).map(str::to_owned);
    let to = see_other(&after(&back.unwrap_or_else(|| failure_path(&event)), &change));
    let (app, actor) = (state.app.clone(), signed.actor());
    signed.run(async move { Box::pin(actions::replay(&app, &actor, change, &event)).await }).await?;
    Ok(to)
}

/// Closes a failed delivery.
pub(super) async fn close(request: HttpRequest, payload: Payload, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let fields = signed.form(&request, payload).await?;
    let (change, event, reason) = (fields.change()?, fields.text("id").to_owned(), fields.reason()?);
    let to = see_other(&after(&failure_path(&event), &change));
    let (app, actor) = (state.app.clone(), signed.actor());
    signed.run(async move { actions::close(&app, &actor, change, &event, &reason).await }).await?;
    Ok(to)
}
