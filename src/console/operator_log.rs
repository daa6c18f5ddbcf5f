//! The operator log: what people did in the console. Append-only.
//!
//! Invariants: a change is written down (`asked`) before it is made, and its outcome afterwards (`done`, `refused`),
//! under the same id. So a change without an entry is impossible, and an entry without an outcome says that the process
//! ended in between, or that the outcome is not known yet. The credits of a key's day are added up here and decided in
//! the transaction that writes `asked`, while the key's row is locked.

use crate::app::App;
use crate::console::person::{Role, Session};
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::ids::ChangeId;
use crate::domain::timestamp::DAY_MS;

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is about to be made.
    Asked,
    /// It was made.
    Done,
    /// It was not made.
    Refused,
}

impl Phase {
    /// The name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// An entry to write.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The change.
    pub id: ChangeId,
    /// How far it is.
    pub phase: Phase,
    /// The API key of whoever made it.
    pub key_id: String,
    /// The operator, as named in the records.
    pub made_by: String,
    /// What was done, in one word.
    pub action: &'static str,
    /// The id of what it was done to.
    pub subject: String,
    /// The account that it concerns.
    pub account: Option<String>,
    /// What counts against the day's credits.
    pub credits: i64,
    /// More, in words.
    pub detail: String,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A stored entry.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LoggedEntry {
    /// The change.
    pub change_id: String,
    /// `asked`, `done` or `refused`.
    pub phase: String,
    /// The operator.
    pub made_by: String,
    /// What was done, in one word.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    /// The account that it concerns.
    pub account_id: Option<String>,
    /// What counts against the day's credits.
    pub credits: i64,
    /// More, in words.
    pub detail: String,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
}

statements! {
    INSERT = "INSERT INTO operator_log (change_id, phase, key_id, made_by, action, subject, account_id, credits, \
        detail, created_at) VALUES (:id, :phase, :key, :made_by, :action, :subject, :account, :credits, :detail, \
        :now_ms)";
    /// Entries of a key wait for each other, and a revoked key makes none.
    LOCK_KEY = "UPDATE api_keys SET name = name WHERE id = :key AND revoked_at IS NULL";
    LOCK_ANY_KEY = "UPDATE api_keys SET name = name WHERE id = :key";
    FIND = "SELECT change_id, phase, made_by, action, subject, account_id, credits, detail, created_at \
        FROM operator_log WHERE change_id = :id AND phase = :phase";
    DAY_SUM = "SELECT CAST(COALESCE(SUM(credits), 0) AS BIGINT) AS credits FROM operator_log \
        WHERE key_id = :key AND created_at >= :day_ms AND created_at < :next_day_ms";
    LIST = "SELECT change_id, phase, made_by, action, subject, account_id, credits, detail, created_at \
        FROM operator_log WHERE (created_at, change_id, phase) < (:before_ms, :before_id, :before_phase) \
        ORDER BY created_at DESC, change_id DESC, phase DESC LIMIT :limit";
    OF_CHANGE = "SELECT change_id, phase, made_by, action, subject, account_id, credits, detail, created_at \
        FROM operator_log WHERE change_id = :id ORDER BY created_at DESC, phase DESC LIMIT 3";
    OF_ACCOUNT = "SELECT change_id, phase, made_by, action, subject, account_id, credits, detail, created_at \
        FROM operator_log WHERE account_id = :account ORDER BY created_at DESC, change_id DESC LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct Sum {
    credits: i64,
}

/// Writes an entry.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
    let values = args![
        id = entry.id.as_str(),
        phase = entry.phase.as_str(),
        key = entry.key_id.as_str(),
        made_by = entry.made_by.as_str(),
        action = entry.action,
        subject = entry.subject.as_str(),
        account = entry.account.as_deref(),
        credits = entry.credits,
        detail = entry.detail.as_str(),
        now_ms = entry.now_ms
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// A change that someone wants to make.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its id, which the form was given: sending the form twice makes one change.
    pub id: ChangeId,
    /// What is to be done, in one word.
    pub action: &'static str,
    /// The id of what it is done to.
    pub subject: String,
    /// The account that it concerns.
    pub account: Option<String>,
    /// How many credits it moves at most.
    pub credits: i64,
    /// More, in words.
    pub detail: String,
}

/// Whether a change may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It is written down; it may be made.
    New,
    /// It was written down before, with the same content: it may be made again, which changes nothing more.
    Again,
    /// Its id was used for another change.
    OtherChange,
    /// The key's day has too few credits left.
    OverLimit {
        /// How many are left.
        left: i64,
    },
    /// The key was revoked meanwhile.
    Revoked,
}

/// Writes a change down before it is made. `support_max_credits` limits the day of a key with the scope `support`.
///
/// # Errors
/// When the database fails.
pub async fn begin(
    app: &App,
    session: &Session,
    change: &Change,
    support_max_credits: i64,
) -> Result<Begun, StoreError> {
    let limit = (session.role == Role::Support).then_some(support_max_credits);
    app.db.write(Begin { entry: entry(app, session, change, Phase::Asked), limit }).await
}

/// Writes down how a change ended.
///
/// # Errors
/// When the database fails.
pub async fn end(
    app: &App,
    session: &Session,
    change: &Change,
    phase: Phase,
    detail: String,
) -> Result<(), StoreError> {
    // What was not done does not count.
    let credits = if phase == Phase::Refused { change.credits.saturating_neg() } else { 0 };
    let entry = Entry { credits, detail, ..entry(app, session, change, phase) };
    tracing::info!(change = %entry.id, action = entry.action, subject = entry.subject, by = entry.made_by,
        phase = phase.as_str(), "a change in the console");
    app.db.write(End { entry }).await
}

fn entry(app: &App, session: &Session, change: &Change, phase: Phase) -> Entry {
    Entry {
        id: change.id.clone(),
        phase,
        key_id: session.key_id.clone(),
        made_by: session.operator.name.clone(),
        action: change.action,
        subject: change.subject.clone(),
        account: change.account.clone(),
        credits: change.credits,
        detail: change.detail.clone(),
        now_ms: app.clock.now_ms(),
    }
}

async fn find(tx: &mut Tx, id: &ChangeId, phase: Phase) -> Result<Option<LoggedEntry>, StoreError> {
    tx.fetch_optional(&FIND, &args![id = id.as_str(), phase = phase.as_str()]).await
}

struct Begin {
    entry: Entry,
    limit: Option<i64>,
}

impl Write for Begin {
    type Output = Begun;

    async fn run(&self, tx: &mut Tx) -> Result<Begun, StoreError> {
        let Self { entry, limit } = self;
        if tx.execute(&LOCK_KEY, &args![key = entry.key_id.as_str()]).await? == 0 {
            return Ok(Begun::Revoked);
        }
        if let Some(earlier) = find(tx, &entry.id, Phase::Asked).await? {
            let is_same = earlier.made_by == entry.made_by
                && earlier.action == entry.action
                && earlier.subject == entry.subject
                && earlier.detail == entry.detail;
            let was_refused = find(tx, &entry.id, Phase::Refused).await?.is_some();
            return Ok(if is_same && !was_refused { Begun::Again } else { Begun::OtherChange });
        }
        if let Some(limit) = limit.filter(|_| entry.credits > 0) {
            let left = limit.saturating_sub(day_sum(tx, &entry.key_id, entry.now_ms).await?).max(0);
            if entry.credits > left {
                return Ok(Begun::OverLimit { left });
            }
        }
        insert(tx, entry).await?;
        Ok(Begun::New)
    }
}

async fn day_sum(tx: &mut Tx, key: &str, now_ms: i64) -> Result<i64, StoreError> {
    let (day_ms, next_day_ms) = day(now_ms);
    let sum = tx.fetch_optional::<Sum>(&DAY_SUM, &args![key, day_ms, next_day_ms]).await?;
    Ok(sum.map_or(0, |sum| sum.credits))
}

/// When the day of a moment begins, and the next one.
const fn day(now_ms: i64) -> (i64, i64) {
    let day_ms = now_ms.div_euclid(DAY_MS).saturating_mul(DAY_MS);
    (day_ms, day_ms.saturating_add(DAY_MS))
}

struct End {
    entry: Entry,
}

impl Write for End {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let Self { entry } = self;
        // Two posts of one form may end at once, and differently.
        tx.execute(&LOCK_ANY_KEY, &args![key = entry.key_id.as_str()]).await?;
        let is_known = find(tx, &entry.id, entry.phase).await?.is_some();
        // What one post has done, another cannot undo by failing.
        if is_known || (entry.phase == Phase::Refused && find(tx, &entry.id, Phase::Done).await?.is_some()) {
            return Ok(());
        }
        let credits = if entry.phase == Phase::Refused {
            let asked = find(tx, &entry.id, Phase::Asked).await?;
            // The credits count on the day on which they were asked for; another day has nothing to give back.
            let is_today = asked.is_some_and(|asked| day(asked.created_at) == day(entry.now_ms));
            if is_today { entry.credits } else { 0 }
        } else {
            // What a refusal gave back counts again.
            find(tx, &entry.id, Phase::Refused).await?.map_or(0, |refused| refused.credits.saturating_neg())
        };
        insert(tx, &Entry { credits, ..entry.clone() }).await
    }
}

/// How many credits the key of a session may still move today; `None` for any number.
///
/// # Errors
/// When the database fails.
pub async fn left_today(app: &App, session: &Session, support_max_credits: i64) -> Result<Option<i64>, StoreError> {
    if session.role == Role::Admin {
        return Ok(None);
    }
    let (day_ms, next_day_ms) = day(app.clock.now_ms());
    let values = args![key = session.key_id.as_str(), day_ms, next_day_ms];
    let moved = app.db.read_optional::<Sum>(&DAY_SUM, &values).await?.map_or(0, |sum| sum.credits);
    Ok(Some(support_max_credits.saturating_sub(moved).max(0)))
}

impl Db {
    /// The entries before a place (time, change and phase), newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operator_log(&self, before: (i64, &str, &str), limit: i64) -> Result<Vec<LoggedEntry>, StoreError> {
        let values = args![before_ms = before.0, before_id = before.1, before_phase = before.2, limit];
        self.read_all(&LIST, &values).await
    }

    /// The entries of a change, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn logged_change(&self, id: &ChangeId) -> Result<Vec<LoggedEntry>, StoreError> {
        self.read_all(&OF_CHANGE, &args![id = id.as_str()]).await
    }

    /// The latest entries about an account, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operator_log_of(&self, account: &str, limit: i64) -> Result<Vec<LoggedEntry>, StoreError> {
        self.read_all(&OF_ACCOUNT, &args![account, limit]).await
    }
}
