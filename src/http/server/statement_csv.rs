//! A statement as CSV (RFC 4180): every entry, read page by page while the client receives.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, VARY};
use actix_web::web::Bytes;
use futures_util::{Stream, stream};

use crate::books::ledger::LedgerEntry;
use crate::books::statement::Stretch;
use crate::domain::account::AccountId;
use crate::domain::ledger::description;
use crate::exports::cell::csv_text;
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;

/// How many entries are read at once.
const PAGE: i64 = 500;
const HEADER: &str = "sequence,id,createdAt,kind,description,credits,balanceAfter,source,reason\r\n";

/// The answer with all entries of a stretch. If the database fails after it has begun, it breaks off, and the client
/// notices that it is not whole.
pub fn csv(state: &State, account: AccountId, stretch: Stretch) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"statement.csv\""))
        .insert_header((VARY, "accept"))
        .streaming(pages(state.clone(), account, stretch))
}

/// The header, and one piece for each page of entries.
fn pages(state: State, account: AccountId, stretch: Stretch) -> impl Stream<Item = Result<Bytes, ApiError>> {
    stream::try_unfold(
        (state, account, stretch, HEADER.to_owned()),
        |(state, account, mut stretch, begun)| async move {
            if begun.is_empty() && stretch.first > stretch.last {
                return Ok(None);
            }
            let mut text = begun;
            if stretch.first <= stretch.last {
                let (app, of) = (state.app.clone(), account.clone());
                let read = async move { app.db.entries_of_stretch(&of, stretch, PAGE).await };
                let entries = state.run(read).await??;
                let last = entries.last().map(|entry| entry.sequence);
                for entry in &entries {
                    write_line(&mut text, entry)?;
                }
                // Sequence numbers have no gaps, so a page without entries ends what the books can tell.
                stretch.first = last.unwrap_or(stretch.last).saturating_add(1);
            }
            Ok::<_, ApiError>(Some((Bytes::from(text), (state, account, stretch, String::new()))))
        },
    )
}

fn write_line(text: &mut String, entry: &LedgerEntry) -> Result<(), ApiError> {
    let reason = entry.reason.as_deref();
    let cells = [
        entry.sequence.to_string(),
        csv_text(&entry.id),
        rfc3339(entry.created_at)?,
        csv_text(&entry.kind),
        csv_text(description(&entry.kind, reason)),
        entry.credits.to_string(),
        entry.balance_after.to_string(),
        csv_text(&entry.source),
        csv_text(reason.unwrap_or_default()),
    ];
    // Writing to a text does not fail.
    write!(text, "{}\r\n", cells.join(",")).map_err(|error| ApiError::internal(&error))
}
