//! Lists: newest first, paged by ids (docs: "Pagination").

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    State,
    error::ApiError,
    table::{Row, Table},
};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: i64 = 100;

/// The requested page of a list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Page {
    limit: Option<i64>,
    starting_after: Option<String>,
    ending_before: Option<String>,
}

/// Bounds on a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Range {
    At(i64),
    Between { gt: Option<i64>, gte: Option<i64>, lt: Option<i64>, lte: Option<i64> },
}

impl Range {
    pub(crate) fn contains(&self, time: i64) -> bool {
        match self {
            Self::At(at) => time == *at,
            Self::Between { gt, gte, lt, lte } => {
                gt.is_none_or(|bound| time > bound)
                    && gte.is_none_or(|bound| time >= bound)
                    && lt.is_none_or(|bound| time < bound)
                    && lte.is_none_or(|bound| time <= bound)
            }
        }
    }
}

/// The lag of lists: an object is listed only once it is this many seconds old.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lag {
    /// The newest creation time that is listed.
    newest: Option<i64>,
}

impl Lag {
    pub(crate) fn of(state: &State) -> Self {
        Self { newest: (state.list_lag > 0).then(|| state.now.saturating_sub(state.list_lag)) }
    }

    fn shows(self, row: &impl Row) -> bool {
        self.newest.is_none_or(|newest| row.created().is_none_or(|created| created <= newest))
    }
}

/// One page of the rows that pass `wanted`. `object` is the name of the rows in errors.
pub(crate) fn page<T: Row>(
    table: &Table<T>,
    page: &Page,
    (object, url): (&str, &str),
    wanted: impl Fn(&T) -> bool,
    render: impl Fn(&T) -> Value,
) -> Result<Value, ApiError> {
    late_page((table, Lag::default()), page, (object, url), wanted, render)
}

/// Like [`page`], for a list that may lag.
pub(crate) fn late_page<T: Row>(
    (table, lag): (&Table<T>, Lag),
    page: &Page,
    (object, url): (&str, &str),
    wanted: impl Fn(&T) -> bool,
    render: impl Fn(&T) -> Value,
) -> Result<Value, ApiError> {
    let wanted = |row: &T| lag.shows(row) && wanted(row);
    if page.limit.is_some_and(|limit| limit > MAX_LIMIT) {
        return Err(ApiError::invalid("This value must be less than or equal to 100 (it currently is above).")
            .code("parameter_invalid_integer")
            .param("limit"));
    }
    if page.starting_after.is_some() && page.ending_before.is_some() {
        return Err(ApiError::invalid("You cannot use `starting_after` and `ending_before` at the same time."));
    }
    for (param, cursor) in [("starting_after", &page.starting_after), ("ending_before", &page.ending_before)] {
        if let Some(id) = cursor
            && table.get(id).is_none()
        {
            return Err(ApiError::missing_reference(object, id, param));
        }
    }
    let limit = page.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DEFAULT_LIMIT);
    let more = limit.saturating_add(1);
    let mut rows: Vec<&T> = match (&page.starting_after, &page.ending_before) {
        (Some(cursor), _) => table
            .iter()
            .rev()
            .skip_while(|row| row.id() != cursor)
            .skip(1)
            .filter(|row| wanted(row))
            .take(more)
            .collect(),
        (None, Some(cursor)) => {
            table.iter().skip_while(|row| row.id() != cursor).skip(1).filter(|row| wanted(row)).take(more).collect()
        }
        (None, None) => table.iter().rev().filter(|row| wanted(row)).take(more).collect(),
    };
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    if page.ending_before.is_some() {
        rows.reverse();
    }
    let data: Vec<Value> = rows.into_iter().map(render).collect();
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": url }))
}
