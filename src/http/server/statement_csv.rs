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
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;

/// How many entries are read at once.
const PAGE: i64 = 500;
const HEADER: &str = "sequence,id,createdAt,kind,description,credits,balanceAfter,source,reason\r\n";
/// A spreadsheet takes a text that begins with one of these for a formula.
const BEGINS_FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

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
        cell(&entry.id),
        rfc3339(entry.created_at)?,
        cell(&entry.kind),
        cell(description(&entry.kind, reason)),
        entry.credits.to_string(),
        entry.balance_after.to_string(),
        cell(&entry.source),
        cell(reason.unwrap_or_default()),
    ];
    // Writing to a text does not fail.
    write!(text, "{}\r\n", cells.join(",")).map_err(|error| ApiError::internal(&error))
}

/// A text as a cell: never a formula, and quoted if it must be.
fn cell(text: &str) -> String {
    let prefix = if text.starts_with(BEGINS_FORMULA) { "'" } else { "" };
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{prefix}{}\"", text.replace('"', "\"\""));
    }
    format!("{prefix}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_ends_where_it_should() {
        for (text, expected) in [
            ("", ""),
            ("Goodwill", "Goodwill"),
            ("a, b", "\"a, b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
