//! The report of a month, as a file for accounting.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};

use crate::exports::month::{Month, report_month};
use crate::exports::range::settled_before_ms;
use crate::http::console::form::Fields;
use crate::http::console::page::Page;
use crate::http::console::session::SignedIn;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// Links to the reports of the last months.
pub(super) fn links(signed: &SignedIn) -> Markup {
    let current = Month::of(settled_before_ms(signed.state.app.clock.now_ms()));
    let months = std::iter::successors(current, |month| Some(month.previous())).take(4);
    html! {
        section aria-labelledby="months-title" {
            h2 #months-title { "Reports for accounting" }
            ul {
                @for month in months {
                    li { a href=(format!("/console/report?month={month}")) download { "Month " (month) " (JSON)" } }
                }
            }
        }
    }
}

/// The report of a month.
pub(super) async fn download(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let text = fields.optional("month").unwrap_or_default();
    let month = Month::parse(text)
        .ok_or_else(|| ApiError::field("month", "invalid_month", "must be a month such as 2026-11"))?;
    let (app, now_ms) = (state.app.clone(), state.app.clock.now_ms());
    if month.range().from_ms >= settled_before_ms(now_ms) {
        return Err(ApiError::field("month", "out_of_range", "has not begun").into());
    }
    let report = signed.run(async move { report_month(&app.db, month, now_ms).await }).await?;
    let disposition = format!("attachment; filename=\"topup-{month}.json\"");
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CONTENT_DISPOSITION, disposition))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(serde_json::to_string_pretty(&report).map_err(|error| ApiError::internal(&error))?))
}
