//! The settings of PostgreSQL sessions, and how they are applied: when a session opens, or with each transaction if
//! there is a pooler in between.
//!
//! Invariant: through a pooler, nothing is set, prepared or locked for longer than a transaction, because its sessions
//! are shared with other clients.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};

use crate::db::StoreError;

/// First the limits. Without them, after a crashed process or a broken network an account's row would stay locked until
/// the server notices, which can take hours. A lock that is not granted soon is waited for without a connection
/// (`db/lanes.rs`).
///
/// Then the planner. Statistics may be missing, or date from when the tables were empty; still no statement may scan a
/// growing table, and each has an index for what it looks up. JIT compilation would only cost time.
const SETTINGS: [(&str, &str); 5] = [
    ("statement_timeout", "15s"),
    ("lock_timeout", "250ms"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
];
/// Ordinary statements are planned each time, for the current table sizes, and use nested-loop joins: none returns many
/// rows.
const PLANNED_EACH_TIME: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_custom_plan"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
];
/// A bulk statement is planned once, because planning takes longer than running it. Its text leaves the planner no
/// choice about the tables (`purchases/payment/credit/lists.sql`); the group's rows, which have no index, are joined by
/// hashing.
const PLANNED_ONCE: [(&str, &str); 2] = [("plan_cache_mode", "force_generic_plan"), ("enable_nestloop", "off")];
/// Set with the other settings to see whether they arrive. PostgreSQL accepts any name with a dot in it.
const MARK: (&str, &str) = ("topup.session", "own");

/// Begins a transaction through a pooler, with the same settings for this transaction.
const BEGIN_POOLED: &str = "BEGIN; SET LOCAL statement_timeout = '15s'; SET LOCAL lock_timeout = '250ms'; \
    SET LOCAL idle_in_transaction_session_timeout = '15s'; SET LOCAL enable_seqscan = off; SET LOCAL jit = off; \
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off";
/// The same for bulk statements.
const BEGIN_POOLED_BULK: &str = "BEGIN; SET LOCAL statement_timeout = '15s'; SET LOCAL lock_timeout = '250ms'; \
    SET LOCAL idle_in_transaction_session_timeout = '15s'; SET LOCAL enable_seqscan = off; SET LOCAL jit = off; \
    SET LOCAL enable_nestloop = off";

/// What a session is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Any statement.
    All,
    /// A single bulk statement.
    Bulk,
}

/// The settings of a direct session.
pub fn settings(purpose: Purpose) -> impl Iterator<Item = (&'static str, &'static str)> {
    let more: &[_] = match purpose {
        Purpose::All => &PLANNED_EACH_TIME,
        Purpose::Bulk => &PLANNED_ONCE,
    };
    SETTINGS.into_iter().chain(more.iter().copied())
}

/// How PostgreSQL is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Directly: each connection is one session.
    Direct,
    /// Through a pooler: each transaction may get another session.
    Pooled,
}

impl Route {
    /// Whether a prepared statement still exists when it is used next.
    pub(crate) const fn keeps_statements(self) -> bool {
        matches!(self, Self::Direct)
    }

    /// The statement that begins a transaction.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            Self::Direct => "BEGIN",
            Self::Pooled => BEGIN_POOLED,
        }
    }

    /// The statement that begins a bulk statement's transaction. `None` on a direct session, where the statement
    /// commits by itself.
    pub(crate) const fn begin_bulk(self) -> Option<&'static str> {
        match self {
            Self::Direct => None,
            Self::Pooled => Some(BEGIN_POOLED_BULK),
        }
    }

    /// Finds the route: from the address, or by checking whether a session accepts our settings.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(crate) async fn find(says_pooler: bool, options: &PgConnectOptions) -> Result<Self, StoreError> {
        if says_pooler {
            // Connect once to get the server's error message, which a pool would hide.
            options.connect().await?.close().await?;
            return Ok(Self::Pooled);
        }
        let found = match with_settings(options, Purpose::All).options([MARK]).connect().await {
            Ok(mut connection) => {
                let mark = "SELECT COALESCE(current_setting('topup.session', true), '')";
                let mark: String = sqlx::Executor::fetch_one(&mut connection, sqlx::raw_sql(mark)).await?.try_get(0)?;
                connection.close().await?;
                if mark == MARK.1 { Self::Direct } else { Self::Pooled }
            }
            Err(error) if refuses_settings(&error) => Self::Pooled,
            Err(error) => return Err(error.into()),
        };
        if found == Self::Pooled {
            tracing::info!("PostgreSQL is reached through a pooler: settings and statements last for one transaction");
        }
        Ok(found)
    }

    /// The connection options for this route.
    pub(crate) fn options(self, options: &PgConnectOptions, purpose: Purpose) -> PgConnectOptions {
        match self {
            Self::Direct => with_settings(options, purpose),
            Self::Pooled => options.clone(),
        }
    }
}

/// Adds our settings, except those that the address sets with `options`.
fn with_settings(options: &PgConnectOptions, purpose: Purpose) -> PgConnectOptions {
    let given = options.get_options().unwrap_or_default().to_owned();
    options.clone().options(settings(purpose).filter(|(name, _)| !given.contains(name)))
}

/// Whether the server refuses settings when a session opens, in `PgBouncer`'s wording.
fn refuses_settings(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("unsupported startup parameter"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn through_a_pooler_each_transaction_has_the_settings_of_a_session() {
        for (begin, purpose) in [(BEGIN_POOLED, Purpose::All), (BEGIN_POOLED_BULK, Purpose::Bulk)] {
            // Without prepared statements there is no plan to cache.
            for (name, value) in settings(purpose).filter(|(name, _)| *name != "plan_cache_mode") {
                let quoted = format!("SET LOCAL {name} = '{value}'");
                assert!(begin.contains(&quoted) || begin.contains(&format!("SET LOCAL {name} = {value}")), "{name}");
            }
            assert_eq!(begin.matches("SET ").count(), begin.matches("SET LOCAL ").count());
            assert_eq!(begin.matches("SET LOCAL ").count() + 1, settings(purpose).count());
        }
    }
}
