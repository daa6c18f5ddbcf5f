//! The rows of checkouts that begin a subscription, and what is known about the calls that open them.

use crate::access::caller_key::CallerKey;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::attempt::Attempt;
use crate::domain::ids::{SessionId, SubscriptionCheckoutId};
use crate::domain::plan::PlanId;
use crate::domain::provider::ProviderName;
use crate::providers::port::SubscriptionCheckoutRequest;

/// A stored checkout.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct CheckoutRow {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) provider_request: String,
    provider_attempt: i64,
    key_used_at: i64,
    unknown_since: Option<i64>,
    key_failures: i64,
    pub(crate) provider_session_id: Option<String>,
    pub(crate) session_url: Option<String>,
    pub(crate) expires_at: i64,
    pub(crate) request_hash: String,
    pub(crate) lease_until: i64,
    pub(crate) caller: String,
    pub(crate) idempotency_key: String,
}

statements! {
    INSERT = "INSERT INTO subscription_checkouts (id, account_id, plan_id, state, provider, provider_request, \
        provider_attempt, key_used_at, unknown_since, key_failures, expires_at, caller, idempotency_key, request_hash, \
        lease_until, created_at, updated_at) VALUES (:id, :account, :plan, 'creating', :provider, :request_json, 1, \
        :now_ms, :now_ms, 0, :expires_at_ms, :scope, :key, :request_hash, :lease_until_ms, :now_ms, :now_ms) \
        ON CONFLICT (caller, idempotency_key) DO NOTHING";
    BY_KEY = "SELECT id, state, provider_request, provider_attempt, key_used_at, unknown_since, key_failures, \
        provider_session_id, session_url, expires_at, request_hash, lease_until, caller, \
        idempotency_key FROM subscription_checkouts \
        WHERE caller = :scope AND idempotency_key = :key";
    LATEST = "SELECT id, state, provider_request, provider_attempt, key_used_at, unknown_since, key_failures, \
        provider_session_id, session_url, expires_at, request_hash, lease_until, caller, \
        idempotency_key FROM subscription_checkouts \
        WHERE account_id = :account AND request_hash || '' = :request_hash ORDER BY created_at DESC, id DESC LIMIT 1";
    COUNT = "SELECT COUNT(*) AS count FROM subscription_checkouts \
        WHERE account_id = :account AND request_hash || '' = :request_hash";
    TAKE_OVER = "UPDATE subscription_checkouts SET unknown_since = :now_ms, lease_until = :lease_until_ms, \
        updated_at = :now_ms WHERE id = :id AND lease_until = :former_lease_ms";
    NEXT_KEY = "UPDATE subscription_checkouts SET provider_attempt = :key, key_used_at = :key_used_at_ms, \
        unknown_since = :key_used_at_ms, key_failures = 0, provider_request = :request_json, \
        expires_at = :expires_at_ms, updated_at = :key_used_at_ms WHERE id = :id AND unknown_since = :mark_ms";
    OPENED = "UPDATE subscription_checkouts SET state = 'open', provider_session_id = :session, session_url = :url, \
        expires_at = :expires_at_ms, unknown_since = NULL, lease_until = 0, updated_at = :now_ms \
        WHERE id = :id AND state = 'creating'";
    /// A later try is another one, or takes up where this one stopped.
    NOT_OPENED = "UPDATE subscription_checkouts SET state = :state, unknown_since = :unknown_since_ms, \
        key_failures = :key_failures, lease_until = 0, updated_at = :now_ms WHERE id = :id AND unknown_since = :mark_ms";
    IS_KNOWN = "SELECT id FROM subscription_checkouts WHERE id = :id";
    END = "UPDATE subscription_checkouts SET state = CASE WHEN CAST(:is_completed AS BIGINT) = 1 THEN 'completed' \
        WHEN state = 'completed' THEN state ELSE 'expired' END, updated_at = :now_ms WHERE id = :id";
}

#[derive(sqlx::FromRow)]
struct Exists {}

impl CheckoutRow {
    /// The request that is sent.
    pub(crate) fn request(&self) -> Result<SubscriptionCheckoutRequest, StoreError> {
        serde_json::from_str(&self.provider_request).map_err(|error| StoreError::corrupt("a request", error))
    }

    /// What is known about the calls.
    pub(crate) const fn attempt(&self) -> Attempt {
        Attempt {
            key: self.provider_attempt,
            key_used_at_ms: self.key_used_at,
            unknown_since_ms: self.unknown_since,
            key_failures: self.key_failures,
        }
    }

    /// Whether its page is open, or being opened.
    pub(crate) fn is_under_way(&self, now_ms: i64) -> bool {
        matches!(self.state.as_str(), "creating" | "open") && self.expires_at > now_ms
    }

    /// Our id.
    pub(crate) fn checkout(&self) -> Result<SubscriptionCheckoutId, StoreError> {
        SubscriptionCheckoutId::parse(&self.id).map_err(|error| StoreError::corrupt("checkout", error))
    }
}

fn to_json(request: &SubscriptionCheckoutRequest) -> Result<String, StoreError> {
    serde_json::to_string(request).map_err(|error| StoreError::corrupt("a request", error))
}

#[derive(sqlx::FromRow)]
struct CountRow {
    count: i64,
}

impl Db {
    /// How many checkouts of a request the account has had.
    pub(crate) async fn subscription_checkouts(
        &self,
        account: &AccountId,
        request_hash: &str,
    ) -> Result<i64, StoreError> {
        let row: Option<CountRow> =
            self.read_optional(&COUNT, &args![account = account.as_str(), request_hash]).await?;
        Ok(row.map_or(0, |row| row.count))
    }

    /// The account's latest checkout of a request.
    pub(crate) async fn latest_subscription_checkout(
        &self,
        account: &AccountId,
        request_hash: &str,
    ) -> Result<Option<CheckoutRow>, StoreError> {
        self.read_optional(&LATEST, &args![account = account.as_str(), request_hash]).await
    }
}

/// What came of beginning a checkout.
#[derive(Debug)]
pub(crate) enum Begun {
    /// There is a new row.
    New,
    /// There was a row with the key, which nobody works on.
    Resumed(CheckoutRow),
    /// There was a row with the key, which is open or has ended.
    Known(CheckoutRow),
    /// Another process works on it.
    StillRunning,
    /// The key was used with another request.
    OtherRequest,
}

/// Begins a checkout, or finds the one that has the key.
pub(crate) struct BeginCheckout {
    pub(crate) id: SubscriptionCheckoutId,
    pub(crate) account: AccountId,
    pub(crate) plan: PlanId,
    pub(crate) provider: ProviderName,
    pub(crate) request: SubscriptionCheckoutRequest,
    pub(crate) key: CallerKey,
    pub(crate) request_hash: String,
    pub(crate) lease_until_ms: i64,
    pub(crate) now_ms: i64,
}

impl Write for BeginCheckout {
    type Output = Begun;

    async fn run(&self, tx: &mut Tx) -> Result<Begun, StoreError> {
        let request_json = to_json(&self.request)?;
        let (scope, key) = (self.key.scope.as_str(), self.key.key.as_str());
        let values = args![
            id = self.id.as_str(),
            account = self.account.as_str(),
            plan = self.plan.as_str(),
            provider = self.provider.as_str(),
            request_json = request_json.as_str(),
            expires_at_ms = self.request.expires_at_seconds.saturating_mul(1_000),
            scope,
            key,
            request_hash = self.request_hash.as_str(),
            lease_until_ms = self.lease_until_ms,
            now_ms = self.now_ms
        ];
        if tx.execute(&INSERT, &values).await? == 1 {
            return Ok(Begun::New);
        }
        let row: Option<CheckoutRow> = tx.fetch_optional(&BY_KEY, &args![scope, key]).await?;
        let row = row.ok_or(StoreError::Overtaken)?;
        if row.request_hash != self.request_hash {
            return Ok(Begun::OtherRequest);
        }
        if row.state != "creating" {
            return Ok(Begun::Known(row));
        }
        let values = args![
            id = row.id.as_str(),
            now_ms = self.now_ms,
            lease_until_ms = self.lease_until_ms,
            former_lease_ms = row.lease_until
        ];
        if row.lease_until > self.now_ms || tx.execute(&TAKE_OVER, &values).await? != 1 {
            return Ok(Begun::StillRunning);
        }
        Ok(Begun::Resumed(row))
    }
}

/// Stores the key of the next call. `false` if another process has taken over.
pub(crate) struct StoreNextKey {
    pub(crate) checkout: SubscriptionCheckoutId,
    pub(crate) mark_ms: i64,
    pub(crate) next: Attempt,
    pub(crate) request: SubscriptionCheckoutRequest,
}

impl Write for StoreNextKey {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let request_json = to_json(&self.request)?;
        let values = args![
            id = self.checkout.as_str(),
            mark_ms = self.mark_ms,
            key = self.next.key,
            key_used_at_ms = self.next.key_used_at_ms,
            request_json = request_json.as_str(),
            expires_at_ms = self.request.expires_at_seconds.saturating_mul(1_000)
        ];
        Ok(tx.execute(&NEXT_KEY, &values).await? == 1)
    }
}

/// Stores the outcome of the calls.
pub(crate) struct StoreOutcome {
    pub(crate) checkout: SubscriptionCheckoutId,
    pub(crate) opened: Option<(SessionId, String, i64)>,
    /// Whether the provider refused for good.
    pub(crate) is_refused: bool,
    pub(crate) mark_ms: i64,
    pub(crate) attempt: Attempt,
    pub(crate) now_ms: i64,
}

impl Write for StoreOutcome {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let id = self.checkout.as_str();
        if let Some((session, url, expires_at_ms)) = &self.opened {
            let values = args![
                id,
                session = session.as_str(),
                url = url.as_str(),
                expires_at_ms = *expires_at_ms,
                now_ms = self.now_ms
            ];
            return tx.execute(&OPENED, &values).await.map(drop);
        }
        let state = if self.is_refused { "refused" } else { "creating" };
        let values = args![
            id,
            state,
            mark_ms = self.mark_ms,
            unknown_since_ms = self.attempt.unknown_since_ms,
            key_failures = self.attempt.key_failures,
            now_ms = self.now_ms
        ];
        tx.execute(&NOT_OPENED, &values).await.map(drop)
    }
}

impl Db {
    /// Whether a checkout is one of ours.
    pub(crate) async fn is_subscription_checkout(&self, id: &SubscriptionCheckoutId) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Exists>(&IS_KNOWN, &args![id = id.as_str()]).await?.is_some())
    }
}

/// Ends a checkout: a subscription came of it, or it ended without one. `false` if it is none of ours.
pub(crate) struct EndCheckout {
    pub(crate) checkout: SubscriptionCheckoutId,
    pub(crate) is_completed: bool,
    pub(crate) now_ms: i64,
}

impl Write for EndCheckout {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let values = args![id = self.checkout.as_str(), is_completed = self.is_completed, now_ms = self.now_ms];
        Ok(tx.execute(&END, &values).await? == 1)
    }
}
