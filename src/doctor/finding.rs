//! One line of the examination.

use serde::Serialize;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// As it must be.
    Ok,
    /// Money arrives, but something should be looked at; or it could not be examined.
    Warning,
    /// Money may not arrive, or may be lost.
    Failed,
}

impl FindingState {
    /// The sign for people.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Ok => '✓',
            Self::Warning => '!',
            Self::Failed => '✗',
        }
    }
}

/// One finding. Its JSON form is stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was examined: a stable name, the same in each state. Only settings have several findings of one name.
    pub id: &'static str,
    /// How it is.
    pub state: FindingState,
    /// What was examined, for people.
    pub title: String,
    /// What was found.
    pub detail: String,
    /// What to do; `None` if it is as it must be.
    pub way_out: Option<String>,
}

/// What a finding is about: its name for machines, and the one for people.
pub(super) type About = (&'static str, &'static str);

impl Finding {
    pub(super) fn ok((id, title): About, detail: impl Into<String>) -> Self {
        Self { id, state: FindingState::Ok, title: title.to_owned(), detail: detail.into(), way_out: None }
    }

    pub(super) fn warning((id, title): About, detail: impl Into<String>, way_out: impl Into<String>) -> Self {
        let (title, way_out) = (title.to_owned(), Some(way_out.into()));
        Self { id, state: FindingState::Warning, title, detail: detail.into(), way_out }
    }

    pub(super) fn failed((id, title): About, detail: impl Into<String>, way_out: impl Into<String>) -> Self {
        let (title, way_out) = (title.to_owned(), Some(way_out.into()));
        Self { id, state: FindingState::Failed, title, detail: detail.into(), way_out }
    }
}
