//! Pages of lists: where one begins, and the cursor of the next.

use crate::http::kit::problem::ApiError;

/// Where a page begins: at the newest row, or after the last row of the previous page.
///
/// # Errors
/// 400 when the cursor is not one that we issued.
pub fn before(cursor: Option<&str>) -> Result<(i64, String), ApiError> {
    let Some(cursor) = cursor else { return Ok((i64::MAX, String::new())) };
    let parsed = cursor.split_once('_').and_then(|(time, id)| Some((time.parse().ok()?, id.to_owned())));
    // PostgreSQL accepts no text with a zero byte.
    let parsed = parsed.filter(|(_, id): &(i64, String)| !id.contains('\0'));
    parsed.ok_or_else(|| ApiError::field("cursor", "invalid_cursor", "must be the nextCursor of an earlier page"))
}

/// Cuts a page to its length, given one row more. Returns the cursor of the next page, if there is one.
pub fn page<T>(mut rows: Vec<T>, limit: i64, place: impl Fn(&T) -> (i64, String)) -> (Vec<T>, Option<String>) {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let next = rows.last().filter(|_| has_more).map(|row| {
        let (time, id) = place(row);
        format!("{time}_{id}")
    });
    (rows, next)
}
