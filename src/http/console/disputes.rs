//! Disputes, with the day until which evidence is due, and warnings of fraud.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};

use crate::console::evidence::dispute_evidence;
use crate::console::registers::DisputeRow;
use crate::console::story::is_closed_dispute;
use crate::console::words::money;
use crate::http::console::account;
use crate::http::console::form::{Fields, topup_path};
use crate::http::console::fraud;
use crate::http::console::layout::{Place, at};
use crate::http::console::page::Page;
use crate::http::console::parts::{at_stripe, badge, more, short_id, table, time, time_or_dash};
use crate::http::console::session::SignedIn;
use crate::http::kit::paging::page;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

const ROWS: i64 = 100;
/// Warnings are shown with the first page.
const WARNINGS: i64 = 50;

/// All disputes, newest first.
pub(super) async fn list(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let (before_ms, id) = Fields::of_query(&request)?.before()?;
    let app = state.app.clone();
    let is_first = before_ms == i64::MAX;
    let read = async move {
        let disputes = app.db.disputes((before_ms, &id), ROWS + 1).await?;
        let warnings = if is_first { app.db.fraud_signals((i64::MAX, ""), WARNINGS).await? } else { Vec::new() };
        Ok::<_, ApiError>((disputes, warnings))
    };
    let (found, warnings) = signed.run(read).await?;
    let (disputes, next) = page(found, ROWS, |dispute| (dispute.created_at, dispute.provider_reversal_id.clone()));
    let (closed, mut open): (Vec<_>, Vec<_>) =
        disputes.into_iter().partition(|dispute| is_closed_dispute(&dispute.status));
    // What is due first comes first.
    open.sort_by_key(|dispute| dispute.evidence_due_at.unwrap_or(i64::MAX));
    let content = html! {
        h1 { "Disputes" }
        section aria-labelledby="open-title" {
            h2 #open-title { "Open" }
            @if open.is_empty() { p.empty { "None." } } @else { (rows(&signed, "Open disputes", &open)) }
            p.hint {
                "Evidence is sent in Stripe's dashboard; what is known of a purchase is in its evidence file. A "
                "payment cannot be refunded while it is disputed."
            }
        }
        (fraud::section(&signed, &warnings))
        section aria-labelledby="closed-title" {
            h2 #closed-title { "Closed" }
            @if closed.is_empty() { p.empty { "None." } } @else { (rows(&signed, "Closed disputes", &closed)) }
        }
        (more("/console/disputes", &[], next.as_deref()))
    };
    Ok(at(&signed, Place::Disputes).show("Disputes", &content))
}

fn rows(signed: &SignedIn, label: &str, disputes: &[DisputeRow]) -> Markup {
    let now_ms = signed.state.app.clock.now_ms();
    let rows: Vec<Markup> = disputes
        .iter()
        .map(|dispute| {
            let class = match dispute.status.as_str() {
                "won" | "warning_closed" | "prevented" => "good",
                "lost" => "quiet",
                _ => "bad",
            };
            let is_late = dispute.evidence_due_at.is_some_and(|due_ms| due_ms < now_ms) && class == "bad";
            html! {
                td { (time_or_dash(dispute.evidence_due_at)) @if is_late { " " (badge("bad", "too late")) } }
                td { (badge(class, &dispute.status.replace('_', " "))) }
                td.number { (money(dispute.amount, &dispute.currency)) }
                td { (dispute.reason.as_deref().unwrap_or("–").replace('_', " ")) }
                td { (account::link(&dispute.account_id)) }
                td { a href=(topup_path(&dispute.topup_id)) title=(dispute.topup_id) { (short_id(&dispute.topup_id)) } }
                td { (time(dispute.created_at)) }
                td { a href=(evidence_path(&dispute.provider_reversal_id)) download { "Evidence" } }
                td {
                    code title=(dispute.provider_reversal_id) {
                        (short_id(&dispute.provider_reversal_id))
                    } (at_stripe(signed, &format!("payments/{}", dispute.provider_payment_id)))
                }
            }
        })
        .collect();
    table(
        label,
        &["Evidence due", "Status", "Amount", "Reason", "Account", "Top-up", "Opened", "File", "Dispute"],
        &rows,
    )
}

/// Where the evidence for a dispute is.
pub(super) fn evidence_path(dispute: &str) -> String {
    format!("/console/disputes/{dispute}/evidence")
}

/// The evidence for a dispute, as a file.
pub(super) async fn evidence(request: HttpRequest, path: Path<String>, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let (app, id) = (state.app.clone(), path.into_inner());
    let read = async move { dispute_evidence(&app.db, &id, app.pricing.decimals()).await };
    let evidence = signed.run(read).await?.ok_or_else(|| ApiError::not_found("there is no such dispute"))?;
    let disposition = format!("attachment; filename=\"{}\"", evidence.file_name());
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, disposition))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(evidence.text()))
}
