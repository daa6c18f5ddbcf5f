//! Stored holds: credits reserved for a spend whose size is not known yet.

use crate::access::caller_key::CallerKey;
use crate::books::spend::spends::Purpose;
use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::HoldId;

/// The state of a hold. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// It reserves credits.
    Open,
    /// Its credits were spent, or a part of them.
    Captured,
    /// Its credits were freed.
    Released,
    /// Its time ended. It reserves nothing, and can still be captured from what is available.
    Expired,
}

impl HoldState {
    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    /// Parses the name used in the database.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Captured, Self::Released, Self::Expired].into_iter().find(|state| state.as_str() == text)
    }
}

/// A stored hold.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Hold {
    /// Its id.
    pub id: String,
    /// The account.
    pub account_id: String,
    /// The credits that it reserves while it is open.
    pub credits: i64,
    /// The credits asked for.
    pub asked_credits: i64,
    /// The name of its state.
    pub state: String,
    /// The credits that were captured.
    pub captured_credits: Option<i64>,
    /// The spend that captured it.
    pub spend_id: Option<String>,
    /// The kind of work; empty if none was named.
    pub operation: String,
    /// The part of the account; empty if none was named.
    pub subject: String,
    /// The caller's data, as a JSON object.
    pub metadata: Option<String>,
    /// When it ends by itself, in milliseconds since 1970.
    pub expires_at: i64,
    /// A hash of the request.
    pub request_hash: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

impl Hold {
    /// Its state at a time: an open hold whose time has ended is expired, whether or not that was written already.
    ///
    /// # Errors
    /// When the stored word is unknown.
    pub fn state_at(&self, now_ms: i64) -> Result<HoldState, StoreError> {
        let state = HoldState::parse(&self.state).ok_or_else(|| StoreError::corrupt("state of hold", &self.state))?;
        let has_ended = state == HoldState::Open && self.expires_at <= now_ms;
        Ok(if has_ended { HoldState::Expired } else { state })
    }
}

/// A hold to be stored.
pub(crate) struct NewHold<'h> {
    pub(crate) id: &'h HoldId,
    pub(crate) account: &'h AccountId,
    pub(crate) credits: i64,
    pub(crate) asked_credits: i64,
    pub(crate) purpose: &'h Purpose,
    pub(crate) expires_at_ms: i64,
    pub(crate) key: &'h CallerKey,
    pub(crate) request_hash: &'h str,
    pub(crate) now_ms: i64,
}

statements! {
    INSERT = "INSERT INTO holds (id, account_id, credits, asked_credits, state, operation, subject, metadata, expires_at, \
        caller, idempotency_key, request_hash, created_at, updated_at) VALUES (:id, :account, :credits, :asked_credits, \
        'open', :operation, :subject, :metadata, :expires_at, :scope, :key, :request_hash, :now_ms, :now_ms) \
        ON CONFLICT (caller, idempotency_key) DO NOTHING";
    FIND_BY_KEY = "SELECT id, account_id, credits, asked_credits, state, captured_credits, spend_id, operation, subject, \
        metadata, expires_at, request_hash, created_at FROM holds WHERE caller = :scope AND idempotency_key = :key";
    FIND = "SELECT id, account_id, credits, asked_credits, state, captured_credits, spend_id, operation, subject, \
        metadata, expires_at, request_hash, created_at FROM holds WHERE id = :hold";
    OPEN_OF_ACCOUNT = "SELECT id, account_id, credits, asked_credits, state, captured_credits, spend_id, operation, \
        subject, metadata, expires_at, request_hash, created_at FROM holds \
        WHERE account_id = :account AND state = 'open' AND (expires_at, id) > (:after_ms, :after_id) \
        ORDER BY expires_at, id LIMIT :limit";
    HELD_BEFORE = "SELECT CAST(COALESCE(SUM(credits), 0) AS BIGINT) AS credits FROM holds \
        WHERE account_id = :account AND state = 'open' AND created_at < :before_ms";
    MARK_CAPTURED = "UPDATE holds SET state = 'captured', captured_credits = :credits, spend_id = :spend, \
        updated_at = :now_ms WHERE id = :hold AND state <> 'captured'";
    /// Appending text keeps planners from using the index of open holds.
    MARK_RELEASED = "UPDATE holds SET state = 'released', updated_at = :now_ms WHERE id = :hold AND state || '' = 'open'";
    EXTEND = "UPDATE holds SET credits = :credits, asked_credits = :asked_credits, expires_at = :expires_at, \
        updated_at = :now_ms WHERE id = :hold AND state || '' = 'open'";
}

/// Stores a hold. The caller has reserved its credits.
///
/// # Errors
/// When another request used the key meanwhile, or the database fails.
pub(crate) async fn insert(tx: &mut Tx, new: &NewHold<'_>) -> Result<Hold, StoreError> {
    let values = args![
        id = new.id.as_str(),
        account = new.account.as_str(),
        credits = new.credits,
        asked_credits = new.asked_credits,
        operation = new.purpose.operation.as_str(),
        subject = new.purpose.subject.as_str(),
        metadata = new.purpose.metadata.as_deref(),
        expires_at = new.expires_at_ms,
        scope = new.key.scope.as_str(),
        key = new.key.key.as_str(),
        request_hash = new.request_hash,
        now_ms = new.now_ms
    ];
    if tx.execute(&INSERT, &values).await? != 1 {
        return Err(StoreError::Overtaken);
    }
    find(tx, new.id).await?.ok_or_else(|| StoreError::corrupt("no hold after inserting", new.id))
}

/// Finds the hold that an earlier request with this key made.
pub(crate) async fn find_by_key(tx: &mut Tx, key: &CallerKey) -> Result<Option<Hold>, StoreError> {
    tx.fetch_optional(&FIND_BY_KEY, &args![scope = key.scope.as_str(), key = key.key.as_str()]).await
}

/// Finds a hold by its id.
pub(crate) async fn find(tx: &mut Tx, hold: &HoldId) -> Result<Option<Hold>, StoreError> {
    tx.fetch_optional(&FIND, &args![hold = hold.as_str()]).await
}

#[derive(sqlx::FromRow)]
struct HeldCredits {
    credits: i64,
}

/// The credits of the account's open holds that were made before a time.
pub(crate) async fn held_before(tx: &mut Tx, account: &AccountId, before_ms: i64) -> Result<i64, StoreError> {
    let row: Option<HeldCredits> =
        tx.fetch_optional(&HELD_BEFORE, &args![account = account.as_str(), before_ms]).await?;
    Ok(row.map_or(0, |row| row.credits))
}

/// Marks a hold as captured by a spend.
pub(crate) async fn mark_captured(
    tx: &mut Tx,
    hold: &HoldId,
    spend: &str,
    credits: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    one(tx.execute(&MARK_CAPTURED, &args![hold = hold.as_str(), spend, credits, now_ms]).await?)
}

/// Marks an open hold as released.
pub(crate) async fn mark_released(tx: &mut Tx, hold: &HoldId, now_ms: i64) -> Result<(), StoreError> {
    one(tx.execute(&MARK_RELEASED, &args![hold = hold.as_str(), now_ms]).await?)
}

/// Changes how much an open hold reserves, and until when.
pub(crate) async fn extend(
    tx: &mut Tx,
    hold: &Hold,
    credits: i64,
    expires_at: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let asked_credits = credits.max(hold.asked_credits);
    let values = args![hold = hold.id.as_str(), credits, asked_credits, expires_at, now_ms];
    one(tx.execute(&EXTEND, &values).await?)
}

/// Its account is locked and its state was read after that, so nothing else can have changed it.
const fn one(changed: u64) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

impl Db {
    /// The hold that an earlier request with this key made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_by_key(&self, key: &CallerKey) -> Result<Option<Hold>, StoreError> {
        self.read_optional(&FIND_BY_KEY, &args![scope = key.scope.as_str(), key = key.key.as_str()]).await
    }

    /// A hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold(&self, id: &HoldId) -> Result<Option<Hold>, StoreError> {
        self.read_optional(&FIND, &args![hold = id.as_str()]).await
    }

    /// The open holds of an account after `after` (end and id), those that end first before the others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_holds(
        &self,
        account: &AccountId,
        after: (i64, &str),
        limit: i64,
    ) -> Result<Vec<Hold>, StoreError> {
        let values = args![account = account.as_str(), after_ms = after.0, after_id = after.1, limit];
        self.read_all(&OPEN_OF_ACCOUNT, &values).await
    }
}
