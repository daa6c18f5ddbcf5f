//! Comparisons of the books with Stripe's.

use actix_web::HttpRequest;
use actix_web::web::Payload;
use maud::{Markup, html};
use serde_json::Value;

use crate::app::with_causes;
use crate::console::actions;
use crate::http::console::form::{Fields, after, topup_path, with_id};
use crate::http::console::layout::{Place, at, change_fields};
use crate::http::console::page::{Page, see_other};
use crate::http::console::parts::{self, badge, facts, short_id, table, time, time_or_dash};
use crate::http::console::session::SignedIn;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::reconcile::Run;

const ROWS: i64 = 50;
/// How many days a comparison from here covers, if none is scheduled.
const SINCE_DAYS: i64 = 30;

/// The state of a run in a word.
pub(super) fn state_badge(run: &Run) -> Markup {
    match (run.state.as_str(), run.left_over) {
        ("finished", Some(0)) => badge("good", "nothing left"),
        ("finished", Some(left)) => badge("bad", &format!("{left} left")),
        ("running", _) => badge("wait", "running"),
        (other, _) => badge("bad", other),
    }
}

/// The latest runs.
pub(super) async fn list(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let app = state.app.clone();
    let runs = signed.run(async move { app.db.reconciliations(ROWS).await }).await?;
    let is_running = runs.iter().any(|run| run.state == "running");
    let rows: Vec<Markup> = runs
        .iter()
        .map(|run| {
            html! {
                td { a href=(with_id("/console/reconciliation", &run.id)) title=(run.id) { (time(run.started_at)) } }
                td { (state_badge(run)) }
                td { (run.cause) @if run.dry_run != 0 { ", dry run" } }
                td { (time(run.since)) }
                td { (time_or_dash(run.finished_at)) }
                td { (run.error.as_deref().unwrap_or("–")) }
            }
        })
        .collect();
    let content = html! {
        h1 { "Reconciliations" }
        p.lead { "Each compares the books with Stripe's and applies what is missing. What is left needs a person." }
        @if signed.is_admin() {
            form.actions method="post" action="/console/reconciliations" {
                (change_fields(&signed))
                @if is_running { p.hint { "A comparison is running." } } @else {
                    button type="submit" { "Compare now" }
                }
            }
        }
        @if rows.is_empty() { p.empty { "None yet." } }
        @else { (table("Reconciliations", &["Started", "State", "Cause", "Since", "Ended", "Problem"], &rows)) }
    };
    let framed = at(&signed, Place::Reconciliations).after_change(&fields).await?;
    Ok(framed.show("Reconciliations", &content))
}

/// One run and its report.
pub(super) async fn read(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let id = Fields::of_query(&request)?.text("id").to_owned();
    let app = state.app.clone();
    let run = signed.run(async move { app.db.reconciliation(&id).await }).await?;
    let run = run.ok_or_else(|| ApiError::not_found("there is no such reconciliation"))?;
    let report: Option<Value> = run.report.as_deref().and_then(|report| serde_json::from_str(report).ok());
    let content = html! {
        p.crumb { a href="/console/reconciliations" { "Reconciliations" } }
        h1 { "Reconciliation" }
        p.subtitle { (parts::id(&run.id)) " " (state_badge(&run)) }
        (facts(&[
            ("Started", time(run.started_at)),
            ("Ended", time_or_dash(run.finished_at)),
            ("Compared since", time(run.since)),
            ("Cause", html! { (run.cause) @if run.dry_run != 0 { ", dry run: nothing was applied" } }),
        ]))
        @if let Some(error) = &run.error { p.alert { (error) } }
        @match &report { Some(report) => (findings(report)), None => p.empty { "There is no report." } }
    };
    Ok(at(&signed, Place::Reconciliations).show("Reconciliation", &content))
}

/// `missingCredits` as people read it: `Missing credits`.
fn readable(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn findings(report: &Value) -> Markup {
    let kinds = report.as_object().into_iter().flatten().filter(|(_, value)| value.get("first").is_some());
    let kinds: Vec<(&String, &Value)> = kinds.collect();
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_i64).unwrap_or_default();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows: Vec<Markup> = kinds
        .iter()
        .map(|(name, found)| {
            let left = number(found, "left");
            html! {
                td { (readable(name)) }
                td.number { (number(found, "count")) }
                td.number { @if left > 0 { strong { (left) } } @else { "0" } }
            }
        })
        .collect();
    html! {
        section aria-labelledby="report-title" {
            h2 #report-title { "Report" }
            p { "Compared " (number(report, "sessions")) " checkouts, " (number(report, "refunds")) " refunds and "
                (number(report, "disputes")) " disputes with " (number(report, "requests")) " requests." }
            (table("Findings", &["Finding", "Found", "Left"], &rows))
            @for (name, found) in kinds {
                @if let Some(first) = found.get("first").and_then(Value::as_array).filter(|first| !first.is_empty()) {
                    h3 { (readable(name)) }
                    ul.plain-list {
                        @for finding in first {
                            li {
                                code { (text(finding, "id")) } " " (text(finding, "detail"))
                                @if let Some(topup) = finding.get("topupId").and_then(Value::as_str) {
                                    " " a href=(topup_path(topup)) { (short_id(topup)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Starts a comparison, which goes on when the answer is sent.
pub(super) async fn start(request: HttpRequest, payload: Payload, state: State) -> Page {
    let signed = SignedIn::admin(&request, &state).await?;
    let id = signed.form(&request, payload).await?.change()?;
    let (app, actor) = (state.app.clone(), signed.actor());
    let begun = signed.run(async move { actions::begin_reconciliation(&app, &actor, id).await }).await?;
    let path = after("/console/reconciliations", &begun.id);
    let (app, actor) = (state.app.clone(), signed.actor());
    let since_days = if app.reconciliation.every_hours > 0 { app.reconciliation.since_days } else { SINCE_DAYS };
    actix_web::rt::spawn(async move {
        let work = app.clone();
        let run = async move { Box::pin(actions::run_reconciliation(&work, &actor, &begun, since_days)).await };
        match app.tasks.run(run).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = with_causes(&error), "a comparison from the console failed"),
            Err(error) => tracing::error!(error = with_causes(&error), "a comparison from the console panicked"),
        }
    });
    Ok(see_other(&path))
}
