//! The rows of accounts that use auto top-up: what their owner agreed to, and where it stands.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::auto_topup::{AutoTopupState, Caps, ConsentVersion, PauseReason};
use crate::domain::currency::Currency;
use crate::domain::ids::{PaymentMethodId, TopupId};
use crate::domain::provider::ProviderName;
use crate::purchases::topups;

statements! {
    FIND = "SELECT state, reason, threshold, credits, currency, max_per_day, max_per_month, payment_method_id, provider, \
        return_url, consent_version, consent_by, consent_ip, consent_agent, consented_at, declines, retry_at, topup_id, \
        recovery_topup_id, changes FROM auto_topups WHERE account_id = :account";
    /// A charge that is under way goes on, and so does a page on which the customer may still pay.
    STORE = "INSERT INTO auto_topups (account_id, state, reason, threshold, credits, currency, max_per_day, max_per_month, \
        payment_method_id, provider, return_url, consent_version, consent_by, consent_ip, consent_agent, consented_at, \
        declines, retry_at, topup_id, recovery_topup_id, changes, created_at, updated_at) VALUES (:account, 'active', \
        NULL, :threshold, :credits, :currency, :max_per_day, :max_per_month, :payment_method, :provider, :return_url, \
        :consent_version, :consent_by, :consent_ip, :consent_agent, :now_ms, 0, NULL, NULL, NULL, 1, :now_ms, :now_ms) \
        ON CONFLICT (account_id) DO UPDATE SET state = 'active', reason = NULL, threshold = excluded.threshold, \
        credits = excluded.credits, currency = excluded.currency, max_per_day = excluded.max_per_day, max_per_month = excluded.max_per_month, \
        payment_method_id = excluded.payment_method_id, provider = excluded.provider, \
        return_url = excluded.return_url, consent_version = excluded.consent_version, \
        consent_by = excluded.consent_by, consent_ip = excluded.consent_ip, consent_agent = excluded.consent_agent, \
        consented_at = excluded.consented_at, declines = 0, retry_at = NULL, \
        changes = auto_topups.changes + 1, updated_at = excluded.updated_at";
    TURN_OFF = "UPDATE auto_topups SET state = 'off', reason = NULL, declines = 0, retry_at = NULL, \
        changes = changes + 1, updated_at = :now_ms \
        WHERE account_id = :account AND state <> 'off'";
    BEGIN = "UPDATE auto_topups SET topup_id = :topup, updated_at = :now_ms WHERE account_id = :account";
    END = "UPDATE auto_topups SET topup_id = NULL, updated_at = :now_ms WHERE account_id = :account";
    /// A page that may still be paid is forgotten only for another one: no card is charged meanwhile.
    PAUSE = "UPDATE auto_topups SET state = 'paused', reason = :reason, retry_at = :retry_at, declines = :declines, \
        recovery_topup_id = CASE WHEN CAST(:reason AS TEXT) = 'authentication_required' THEN NULL \
        ELSE recovery_topup_id END, changes = changes + 1, updated_at = :now_ms \
        WHERE account_id = :account AND state <> 'off' RETURNING changes";
    RESUME = "UPDATE auto_topups SET state = 'active', reason = NULL, retry_at = NULL, declines = 0, \
        payment_method_id = CASE WHEN payment_method_id IS NULL THEN NULL \
        ELSE COALESCE(:payment_method, payment_method_id) END, changes = changes + 1, updated_at = :now_ms \
        WHERE account_id = :account AND state <> 'off'";
    /// Of two pages that are opened at once, one is handed out.
    STORE_RECOVERY = "UPDATE auto_topups SET recovery_topup_id = :topup, updated_at = :now_ms \
        WHERE account_id = :account AND state = 'paused' AND reason = 'authentication_required' \
        AND COALESCE(recovery_topup_id, '') = :before";
    FORGET_RECOVERY = "UPDATE auto_topups SET recovery_topup_id = NULL, updated_at = :now_ms \
        WHERE account_id = :account AND recovery_topup_id || '' = :topup";
    /// Recoveries that were paid; few wait for one at a time. Not a join, for which a planner may read all top-ups.
    RECOVERED = "SELECT account_id, recovery_topup_id FROM auto_topups WHERE recovery_topup_id IS NOT NULL \
        AND (SELECT state FROM topups WHERE id = auto_topups.recovery_topup_id) = 'paid' LIMIT 50";
    /// Since the consent was given: a warning that a payment was fraud.
    WARNED = "SELECT f.kind FROM topups t JOIN fraud_signals f ON f.topup_id = t.id WHERE t.account_id = :account \
        AND t.created_at > :since_ms AND f.created_at > :consented_at AND f.kind = 'early_warning' LIMIT 1";
    /// Since the consent was given: a payer's dispute of any payment, or the refund of an automatic one.
    REVERSED = "SELECT r.kind FROM topups t JOIN payments p ON p.topup_id = t.id JOIN reversals r \
        ON r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider \
        WHERE t.account_id = :account AND t.created_at > :since_ms AND r.created_at > :consented_at \
        AND (r.kind = 'dispute' OR EXISTS (SELECT 1 FROM auto_topup_attempts a WHERE a.topup_id = t.id)) LIMIT 1";
}

/// How far back payments are searched for disputes, in milliseconds: a cardholder has about 120 days (BILLING 8).
const DISPUTABLE_MS: i64 = 200 * 86_400_000;

#[derive(sqlx::FromRow)]
struct Row {
    state: String,
    reason: Option<String>,
    threshold: i64,
    credits: i64,
    currency: String,
    max_per_day: i64,
    max_per_month: i64,
    payment_method_id: Option<String>,
    provider: String,
    return_url: String,
    consent_version: String,
    consent_by: String,
    consent_ip: Option<String>,
    consent_agent: Option<String>,
    consented_at: i64,
    declines: i64,
    retry_at: Option<i64>,
    topup_id: Option<String>,
    recovery_topup_id: Option<String>,
    changes: i64,
}

#[derive(sqlx::FromRow)]
struct ChangesRow {
    changes: i64,
}

#[derive(sqlx::FromRow)]
struct RecoveredRow {
    account_id: String,
    recovery_topup_id: String,
}

#[derive(sqlx::FromRow)]
struct KindRow {
    kind: String,
}

/// What a customer agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Which text.
    pub version: ConsentVersion,
    /// Who said so: the customer, or a server for the customer.
    pub by: String,
    /// The customer's address, if it is known.
    pub ip: Option<String>,
    /// The customer's program, if it is known.
    pub agent: Option<String>,
}

/// The rules of an account's auto top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Credits are bought when fewer than this are available.
    pub threshold_credits: i64,
    /// How many are bought at a time.
    pub credits: i64,
    /// The currency that they are paid in, and that of the caps.
    pub currency: Currency,
    /// How often, and for how much.
    pub caps: Caps,
    /// The card; `None` for the customer's default.
    pub card: Option<PaymentMethodId>,
    /// Where a customer who has to confirm a payment is sent afterwards.
    pub return_url: String,
}

/// An account's auto top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoTopup {
    /// Whether the card is charged.
    pub state: AutoTopupState,
    /// Why not.
    pub reason: Option<PauseReason>,
    /// The rules.
    pub rules: Rules,
    /// What the customer agreed to.
    pub consent: Consent,
    /// When, in milliseconds since 1970.
    pub consented_at_ms: i64,
    /// Declined charges in a row.
    pub declines: i64,
    /// When a pause ends by itself, in milliseconds since 1970.
    pub retry_at_ms: Option<i64>,
    /// The purchase that is being charged.
    pub topup: Option<TopupId>,
    /// The purchase with which the customer confirms the card.
    pub recovery: Option<TopupId>,
    /// How often the state changed.
    pub(crate) changes: i64,
}

impl AutoTopup {
    /// Whether a charge may be made now.
    pub(crate) const fn may_charge(&self, now_ms: i64) -> bool {
        match self.state {
            AutoTopupState::Active => true,
            AutoTopupState::Paused => matches!(self.retry_at_ms, Some(retry_at_ms) if retry_at_ms <= now_ms),
            AutoTopupState::Off => false,
        }
    }

    /// Whether the customer still has to be sent to a page to confirm a payment.
    pub(crate) const fn needs_recovery(&self) -> bool {
        matches!(self.reason, Some(PauseReason::AuthenticationRequired)) && self.recovery.is_none()
    }
}

impl TryFrom<Row> for AutoTopup {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |what: &'static str| move |text: &String| StoreError::corrupt(what, text);
        let topup = |text: Option<String>| {
            text.map(|text| TopupId::parse(&text).map_err(|_| StoreError::corrupt("top-up id", &text))).transpose()
        };
        let provider = topups::provider(&row.provider)?;
        let reason =
            row.reason.map(|text| PauseReason::parse(&text).ok_or_else(|| corrupt("reason of a pause")(&text)));
        let version = ConsentVersion::parse(&row.consent_version);
        Ok(Self {
            state: AutoTopupState::parse(&row.state).ok_or_else(|| corrupt("state of auto top-up")(&row.state))?,
            reason: reason.transpose()?,
            rules: Rules {
                threshold_credits: row.threshold,
                credits: row.credits,
                currency: Currency::parse(&row.currency).map_err(|_| corrupt("currency")(&row.currency))?,
                caps: Caps { max_per_day: row.max_per_day, max_per_month_minor: row.max_per_month },
                card: row.payment_method_id.map(|card| card_id(provider, card)).transpose()?,
                return_url: row.return_url,
            },
            consent: Consent {
                version: version.map_err(|_| corrupt("version of a consent")(&row.consent_version))?,
                by: row.consent_by,
                ip: row.consent_ip,
                agent: row.consent_agent,
            },
            consented_at_ms: row.consented_at,
            declines: row.declines,
            retry_at_ms: row.retry_at,
            topup: topup(row.topup_id)?,
            recovery: topup(row.recovery_topup_id)?,
            changes: row.changes,
        })
    }
}

pub(crate) fn card_id(provider: ProviderName, text: String) -> Result<PaymentMethodId, StoreError> {
    PaymentMethodId::parse(provider, text).map_err(|error| StoreError::corrupt("card", error))
}

pub(crate) async fn find(tx: &mut Tx, account: &AccountId) -> Result<Option<AutoTopup>, StoreError> {
    let row: Option<Row> = tx.fetch_optional(&FIND, &args![account = account.as_str()]).await?;
    row.map(AutoTopup::try_from).transpose()
}

/// Stores rules and consent, and turns it on.
pub(crate) async fn store(
    tx: &mut Tx,
    account: &AccountId,
    provider: ProviderName,
    (rules, consent): (&Rules, &Consent),
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        account = account.as_str(),
        threshold = rules.threshold_credits,
        credits = rules.credits,
        currency = rules.currency.as_str(),
        max_per_day = rules.caps.max_per_day,
        max_per_month = rules.caps.max_per_month_minor,
        payment_method = rules.card.as_ref().map(PaymentMethodId::as_str),
        provider = provider.as_str(),
        return_url = rules.return_url.as_str(),
        consent_version = consent.version.as_str(),
        consent_by = consent.by.as_str(),
        consent_ip = consent.ip.as_deref(),
        consent_agent = consent.agent.as_deref(),
        now_ms
    ];
    tx.execute(&STORE, &values).await.map(drop)
}

pub(crate) async fn turn_off(tx: &mut Tx, account: &AccountId, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&TURN_OFF, &args![account = account.as_str(), now_ms]).await.map(drop)
}

/// Notes which purchase is being charged.
pub(crate) async fn begin(tx: &mut Tx, account: &AccountId, topup: &TopupId, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&BEGIN, &args![account = account.as_str(), topup = topup.as_str(), now_ms]).await.map(drop)
}

/// Notes that none is.
pub(crate) async fn end(tx: &mut Tx, account: &AccountId, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&END, &args![account = account.as_str(), now_ms]).await.map(drop)
}

/// A pause: why, until when, and after how many declined charges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause {
    pub(crate) reason: PauseReason,
    pub(crate) retry_at_ms: Option<i64>,
    pub(crate) declines: i64,
}

/// Pauses. Returns how often the state changed so far; `None` if the customer turned it off meanwhile.
pub(crate) async fn pause(
    tx: &mut Tx,
    account: &AccountId,
    pause: &Pause,
    now_ms: i64,
) -> Result<Option<i64>, StoreError> {
    let values = args![
        account = account.as_str(),
        reason = pause.reason.as_str(),
        retry_at = pause.retry_at_ms,
        declines = pause.declines,
        now_ms
    ];
    Ok(tx.fetch_optional::<ChangesRow>(&PAUSE, &values).await?.map(|row| row.changes))
}

/// Goes on, with another card if one is named and the customer had named one.
pub(crate) async fn resume(
    tx: &mut Tx,
    account: &AccountId,
    card: Option<&PaymentMethodId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![account = account.as_str(), payment_method = card.map(PaymentMethodId::as_str), now_ms];
    tx.execute(&RESUME, &values).await.map(drop)
}

/// Stores the purchase with which the customer confirms the card, instead of the one before. `false` if another is stored.
pub(crate) async fn store_recovery(
    tx: &mut Tx,
    account: &AccountId,
    topup: &TopupId,
    before: Option<&TopupId>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let before = before.map(TopupId::as_str).unwrap_or_default();
    let values = args![account = account.as_str(), topup = topup.as_str(), before, now_ms];
    Ok(tx.execute(&STORE_RECOVERY, &values).await? == 1)
}

/// Forgets that purchase: it has ended, or nothing waits for it any more.
pub(crate) async fn forget_recovery(
    tx: &mut Tx,
    account: &AccountId,
    topup: &TopupId,
    now_ms: i64,
) -> Result<(), StoreError> {
    tx.execute(&FORGET_RECOVERY, &args![account = account.as_str(), topup = topup.as_str(), now_ms]).await.map(drop)
}

/// Why no charge may be made although the customer agreed once: a warning of fraud, a dispute or a refund since then.
pub(crate) async fn reversed(
    tx: &mut Tx,
    account: &AccountId,
    consented_at_ms: i64,
    now_ms: i64,
) -> Result<Option<PauseReason>, StoreError> {
    let since_ms = now_ms.saturating_sub(DISPUTABLE_MS);
    let values = args![account = account.as_str(), since_ms, consented_at = consented_at_ms];
    if tx.fetch_optional::<KindRow>(&WARNED, &values).await?.is_some() {
        return Ok(Some(PauseReason::Disputed));
    }
    let row: Option<KindRow> = tx.fetch_optional(&REVERSED, &values).await?;
    Ok(row.map(|row| if row.kind == "dispute" { PauseReason::Disputed } else { PauseReason::Refunded }))
}

impl Db {
    /// An account's auto top-up; `None` if it never had one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn auto_topup(&self, account: &AccountId) -> Result<Option<AutoTopup>, StoreError> {
        let row: Option<Row> = self.read_optional(&FIND, &args![account = account.as_str()]).await?;
        row.map(AutoTopup::try_from).transpose()
    }

    /// Accounts whose customer has confirmed a payment, with that purchase.
    pub(crate) async fn recovered(&self) -> Result<Vec<(AccountId, TopupId)>, StoreError> {
        let rows: Vec<RecoveredRow> = self.read_all(&RECOVERED, &[]).await?;
        let read = |row: RecoveredRow| {
            let topup = TopupId::parse(&row.recovery_topup_id);
            Ok((topups::account(row.account_id)?, topup.map_err(|error| StoreError::corrupt("top-up id", error))?))
        };
        rows.into_iter().map(read).collect()
    }
}
