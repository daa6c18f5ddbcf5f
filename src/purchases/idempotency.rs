//! The callers' idempotency keys: the request that used a key, and its answer.

use crate::db::{Db, Tx, Write, args};
use crate::db::{StoreError, statements};
use crate::domain::ids::TopupId;

/// A caller's key and the hash that distinguishes its request from others.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The key's scope: the same key for two accounts means two top-ups.
    pub scope: String,
    /// The key, without quotation marks.
    pub key: String,
    /// A hash of the request.
    pub request_hash: String,
}

/// A stored answer, to be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: i64,
    /// The problem's code, if the answer was one.
    pub code: Option<String>,
}

/// The state of a key when a request uses it.
#[derive(Debug, Clone)]
pub enum KeyState {
    /// The key is new; this request holds it now.
    Fresh,
    /// An earlier request with the key ended without an answer. This request holds the key now and continues that
    /// top-up.
    Resumed(TopupId),
    /// The same request has been answered.
    Answered(TopupId, StoredAnswer),
    /// The same request is still running, for that top-up.
    Running(TopupId),
    /// The key was used with a different request.
    OtherRequest,
}

statements! {
    FORGET = "DELETE FROM idempotency_keys WHERE caller = :scope AND key = :key AND created_at < :before_ms AND \
        lease_until <= :now_ms";
    OLD = "SELECT caller, key FROM idempotency_keys WHERE created_at < :before_ms AND lease_until <= :now_ms \
        ORDER BY created_at LIMIT :most";
    CLAIM = "INSERT INTO idempotency_keys (caller, key, request_hash, topup_id, lease_until, created_at) \
        VALUES (:scope, :name, :request_hash, :topup, :lease_until_ms, :now_ms) ON CONFLICT (caller, key) DO NOTHING";
    FIND = "SELECT request_hash, topup_id, status, code FROM idempotency_keys WHERE caller = :scope AND key = :name";
    ANSWERED = "SELECT request_hash, topup_id, status, code FROM idempotency_keys \
        WHERE caller = :scope AND key = :key AND request_hash = :request_hash AND status IS NOT NULL AND created_at \
        >= :since_ms";
    KNOWN = "SELECT request_hash, topup_id, status, code FROM idempotency_keys \
        WHERE caller = :scope AND key = :key AND created_at >= :since_ms";
    /// A lease that ends far later than any valid lease was written with a wrong clock.
    TAKE_OVER = "UPDATE idempotency_keys SET lease_until = :lease_until_ms \
        WHERE caller = :scope AND key = :name AND status IS NULL AND (lease_until <= :now_ms OR lease_until > \
        :wrong_from_ms)";
    ANSWER = "UPDATE idempotency_keys SET status = :status, code = :code, lease_until = 0 \
        WHERE caller = :scope AND key = :key AND status IS NULL";
    RELEASE = "UPDATE idempotency_keys SET lease_until = 0 WHERE caller = :scope AND key = :key AND status IS NULL";
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
struct OldKey {
    caller: String,
    key: String,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    request_hash: String,
    topup_id: String,
    status: Option<i64>,
    code: Option<String>,
}

/// Deletes this key if it was first used before `before_ms` and is not held.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, key: &IdempotencyKey, before_ms: i64, now_ms: i64) -> Result<(), StoreError> {
    let values = args![scope = key.scope.as_str(), key = key.key.as_str(), before_ms, now_ms];
    tx.execute(&FORGET, &values).await.map(drop)
}

/// Claims a key for a top-up until `lease_until_ms`, or returns the key's state. The top-up may be inserted after the
/// claim, but before the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn claim(
    tx: &mut Tx,
    key: &IdempotencyKey,
    topup: &TopupId,
    lease_until_ms: i64,
    now_ms: i64,
) -> Result<KeyState, StoreError> {
    let (scope, name) = (key.scope.as_str(), key.key.as_str());
    let values =
        args![scope, name, request_hash = key.request_hash.as_str(), topup = topup.as_str(), lease_until_ms, now_ms];
    if tx.execute(&CLAIM, &values).await? == 1 {
        return Ok(KeyState::Fresh);
    }
    // The key was purged between the two statements.
    let row: KeyRow = tx.fetch_optional(&FIND, &args![scope, name]).await?.ok_or(StoreError::Overtaken)?;
    if row.request_hash != key.request_hash {
        return Ok(KeyState::OtherRequest);
    }
    let topup = topup_id(&row)?;
    if let Some(status) = row.status {
        return Ok(KeyState::Answered(topup, StoredAnswer { status, code: row.code }));
    }
    let wrong_from_ms = lease_until_ms.saturating_add(lease_until_ms.saturating_sub(now_ms));
    let values = args![scope, name, lease_until_ms, now_ms, wrong_from_ms];
    let taken = tx.execute(&TAKE_OVER, &values).await?;
    Ok(if taken == 1 { KeyState::Resumed(topup) } else { KeyState::Running(topup) })
}

fn topup_id(row: &KeyRow) -> Result<TopupId, StoreError> {
    TopupId::parse(&row.topup_id).map_err(|_| StoreError::corrupt("top-up id", &row.topup_id))
}

/// Deletes old keys, one by one.
struct ForgetOldKeys {
    old: Vec<OldKey>,
    before_ms: i64,
    now_ms: i64,
}

impl Write for ForgetOldKeys {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let (before_ms, now_ms) = (self.before_ms, self.now_ms);
        for key in &self.old {
            let values = args![scope = key.caller.as_str(), key = key.key.as_str(), before_ms, now_ms];
            tx.execute(&FORGET, &values).await?;
        }
        Ok(())
    }
}

impl Db {
    /// Deletes at most `most` keys that were first used before `before_ms` and are not held. Returns how many it found.
    /// Each transaction locks keys one by one in sorted order and nothing else, so purges cannot deadlock, and a
    /// checkout never waits for more than one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_idempotency_keys(&self, before_ms: i64, now_ms: i64, most: i64) -> Result<usize, StoreError> {
        let mut old: Vec<OldKey> = self.read_all(&OLD, &args![before_ms, now_ms, most]).await?;
        let found = old.len();
        if found == 0 {
            return Ok(0);
        }
        old.sort_unstable();
        self.write(ForgetOldKeys { old, before_ms, now_ms }).await?;
        Ok(found)
    }

    /// Whether this key was first used at or after `since_ms`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_known(&self, key: &IdempotencyKey, since_ms: i64) -> Result<bool, StoreError> {
        let values = args![scope = key.scope.as_str(), key = key.key.as_str(), since_ms];
        Ok(self.read_optional::<KeyRow>(&KNOWN, &values).await?.is_some())
    }

    /// The stored answer to the same request with this key, if there is one and the key was first used at or after
    /// `since_ms`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered(
        &self,
        key: &IdempotencyKey,
        since_ms: i64,
    ) -> Result<Option<(TopupId, StoredAnswer)>, StoreError> {
        let values = args![
            scope = key.scope.as_str(),
            key = key.key.as_str(),
            request_hash = key.request_hash.as_str(),
            since_ms
        ];
        let Some(row) = self.read_optional::<KeyRow>(&ANSWERED, &values).await? else { return Ok(None) };
        let topup = topup_id(&row)?;
        Ok(row.status.map(|status| (topup, StoredAnswer { status, code: row.code })))
    }
}

/// Stores the answer to replay from now on. The first answer stays: a request that was overtaken changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn answer(tx: &mut Tx, key: &IdempotencyKey, answer: &StoredAnswer) -> Result<(), StoreError> {
    let values = args![
        scope = key.scope.as_str(),
        key = key.key.as_str(),
        status = answer.status,
        code = answer.code.as_deref()
    ];
    tx.execute(&ANSWER, &values).await.map(drop)
}

/// Releases a key without an answer, so that the next request with it tries again.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, key: &IdempotencyKey) -> Result<(), StoreError> {
    tx.execute(&RELEASE, &args![scope = key.scope.as_str(), key = key.key.as_str()]).await.map(drop)
}
