//! The limit that a problem names.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::spend_limit::SpendLimit;
use crate::domain::timestamp::rfc3339;

/// A limit of spending that leaves too few credits.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReachedLimit {
    /// The part of the account that it is for; null for the whole account.
    #[schema(example = "team-a")]
    pub subject: Option<String>,
    /// `day`, `month` or `total`.
    #[schema(example = "month")]
    pub period: &'static str,
    /// The most credits that may be spent in the period.
    #[schema(example = 10_000)]
    pub credits: i64,
    /// The credits spent in the period.
    #[schema(example = 9_990)]
    pub used_credits: i64,
    /// The credits that open holds reserve.
    #[schema(example = 0)]
    pub held_credits: i64,
    /// When the next period begins; null for `total`.
    #[schema(example = "2026-12-01T00:00:00Z")]
    pub resets_at: Option<String>,
}

impl From<&SpendLimit> for ReachedLimit {
    fn from(limit: &SpendLimit) -> Self {
        Self {
            subject: Some(limit.subject.clone()).filter(|subject| !subject.is_empty()),
            period: limit.period.as_str(),
            credits: limit.credits,
            used_credits: limit.used,
            held_credits: limit.held,
            resets_at: limit.resets_at_ms().and_then(rfc3339),
        }
    }
}
