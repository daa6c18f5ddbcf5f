//! People who use the console, and what they may do.

use crate::access::api_keys::{ApiKey, Scope};
use crate::access::operator::Operator;

/// What a person may do in the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything but keys and settings, with a limit on credits.
    Support,
    /// Everything.
    Admin,
}

impl Role {
    /// The role of a key; `None` if it may not use the console. A key for one account may not, because the console is
    /// about all of them.
    #[must_use]
    pub fn of(key: &ApiKey) -> Option<Self> {
        if key.account.is_some() {
            return None;
        }
        if key.may(Scope::Admin) {
            return Some(Self::Admin);
        }
        key.may(Scope::Support).then_some(Self::Support)
    }

    /// The name of the scope.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }
}

/// A person who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The id of the API key.
    pub key_id: String,
    /// The name of the API key.
    pub key_name: String,
    /// What the person may do.
    pub role: Role,
    /// The operator, as named in the records.
    pub operator: Operator,
    /// When the session ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// The operator behind a key, as named in the records.
pub(crate) fn operator(key_id: &str, key_name: &str) -> Operator {
    Operator { name: format!("API key {key_id} ({key_name})"), account: None }
}
