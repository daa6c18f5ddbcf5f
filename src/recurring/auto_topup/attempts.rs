//! Attempts: each is one purchase that a card was charged for, or was to be.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::auto_topup::{Charged, Declines};
use crate::domain::currency::Currency;
use crate::domain::ids::{PaymentMethodId, TopupId};
use crate::domain::spend_limit::Windows;
use crate::providers::port::SavedCard;

/// How many attempts are shown.
const SHOWN: i64 = 10;

statements! {
    INSERT = "INSERT INTO auto_topup_attempts (topup_id, account_id, crossed_at, amount, currency, outcome, payment_method_id, \
        card_brand, card_last4, card_country, consent_version, consented_at, started_at) VALUES (:topup, :account, \
        :crossed_at, :amount, :currency, 'running', :payment_method, :brand, :last4, :country, :consent_version, :consented_at, \
        :now_ms)";
    /// Appending text keeps planners from using the index of running attempts.
    END = "UPDATE auto_topup_attempts SET outcome = :outcome, code = :code, ended_at = :now_ms \
        WHERE topup_id = :topup AND outcome || '' = 'running'";
    /// What was charged, or may have been. Amounts are those in one currency.
    CHARGED = "SELECT COUNT(CASE WHEN started_at >= :day_ms THEN 1 END) AS today, \
        CAST(COALESCE(SUM(CASE WHEN currency = :currency THEN amount END), 0) AS BIGINT) AS month FROM auto_topup_attempts \
        WHERE account_id = :account AND started_at >= :month_ms AND outcome IN ('running', 'paid')";
    CONSENT = "SELECT consented_at FROM auto_topup_attempts WHERE topup_id = :topup";
    /// Declined charges: of one card since a time, and of the account since an earlier one. A question to the customer is
    /// no refusal.
    DECLINES = "SELECT COUNT(CASE WHEN payment_method_id = :card AND started_at > :card_since_ms THEN 1 END) AS of_card, \
        COUNT(*) AS of_account FROM auto_topup_attempts \
        WHERE account_id = :account AND started_at > :since_ms AND outcome || '' = 'declined' \
        AND code NOT IN ('authentication_required', 'authentication_not_handled')";
    RECENT = "SELECT COUNT(*) AS count FROM (SELECT 1 FROM auto_topup_attempts WHERE started_at > :since_ms \
        ORDER BY started_at LIMIT :limit) AS recent";
    ANY_SINCE = "SELECT COUNT(*) AS count FROM (SELECT 1 FROM auto_topup_attempts WHERE started_at >= :since_ms \
        ORDER BY started_at LIMIT 1) AS recent";
    LATEST = "SELECT a.topup_id, a.outcome, a.code, a.card_brand, a.card_last4, a.started_at, a.ended_at, \
        a.crossed_at, t.credits, t.bonus_credits, t.total_amount, t.currency FROM auto_topup_attempts a \
        JOIN topups t ON t.id = a.topup_id WHERE a.account_id = :account ORDER BY a.started_at DESC LIMIT :limit";
    /// A declined charge. `failed` is there for a payment that was on its way before.
    DECLINED = "UPDATE topups SET state = 'failed', failure_code = :failure_code, decline_code = :code, \
        declined_at = COALESCE(:declined_at, declined_at), updated_at = :now_ms, \
        revision = revision + 1 WHERE id = :topup AND state || '' IN ('creating', 'processing', 'failed')";
}

/// What came of an attempt. The names are stored, and part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It is not known yet.
    Running,
    /// The card was charged.
    Paid,
    /// The bank declined.
    Declined,
    /// The provider refused the request.
    Refused,
}

impl AttemptOutcome {
    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paid => "paid",
            Self::Declined => "declined",
            Self::Refused => "refused",
        }
    }
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    /// The purchase.
    pub topup_id: String,
    /// `running`, `paid`, `declined` or `refused`.
    pub outcome: String,
    /// Why it was declined or refused.
    pub code: Option<String>,
    /// The card's brand.
    pub card_brand: String,
    /// The card's last four digits.
    pub card_last4: String,
    /// When it began, in milliseconds since 1970.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// When the credits ran low.
    pub crossed_at: i64,
    /// How many credits.
    pub credits: i64,
    /// The credits given on top.
    pub bonus_credits: i64,
    /// The charge, in minor units.
    pub total_amount: i64,
    /// Its currency.
    pub currency: String,
}

#[derive(sqlx::FromRow)]
struct ChargedRow {
    today: i64,
    month: i64,
}

#[derive(sqlx::FromRow)]
struct ConsentRow {
    consented_at: i64,
}

#[derive(sqlx::FromRow)]
struct DeclinesRow {
    of_card: i64,
    of_account: i64,
}

#[derive(sqlx::FromRow)]
struct CountRow {
    count: i64,
}

/// An attempt to be stored.
pub(crate) struct NewAttempt<'a> {
    pub(crate) topup: &'a TopupId,
    pub(crate) account: &'a AccountId,
    /// When the credits ran low.
    pub(crate) crossed_at_ms: i64,
    pub(crate) amount_minor: i64,
    pub(crate) currency: Currency,
    pub(crate) card: &'a SavedCard,
    /// The version of the text that the customer agreed to, and when.
    pub(crate) consent: (&'a str, i64),
    pub(crate) now_ms: i64,
}

pub(crate) async fn insert(tx: &mut Tx, new: &NewAttempt<'_>) -> Result<(), StoreError> {
    let values = args![
        topup = new.topup.as_str(),
        account = new.account.as_str(),
        crossed_at = new.crossed_at_ms,
        amount = new.amount_minor,
        currency = new.currency.as_str(),
        payment_method = new.card.id.as_str(),
        brand = new.card.facts.brand.as_str(),
        last4 = new.card.facts.last4.as_str(),
        country = new.card.facts.country.as_deref(),
        consent_version = new.consent.0,
        consented_at = new.consent.1,
        now_ms = new.now_ms
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// Stores what came of an attempt. `false` if that was stored before.
pub(crate) async fn end(
    tx: &mut Tx,
    topup: &TopupId,
    outcome: AttemptOutcome,
    code: Option<&str>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let values = args![topup = topup.as_str(), outcome = outcome.as_str(), code, now_ms];
    Ok(tx.execute(&END, &values).await? == 1)
}

/// What the account was charged today, and in a currency this month.
pub(crate) async fn charged(
    tx: &mut Tx,
    account: &AccountId,
    currency: Currency,
    now_ms: i64,
) -> Result<Charged, StoreError> {
    let Windows { day_ms, month_ms } = Windows::at(now_ms);
    let values = args![account = account.as_str(), currency = currency.as_str(), day_ms, month_ms];
    let row: Option<ChargedRow> = tx.fetch_optional(&CHARGED, &values).await?;
    Ok(row.map(|row| Charged { today: row.today, month_minor: row.month }).unwrap_or_default())
}

/// When the consent was given that a charge was begun with.
pub(crate) async fn consent_of(tx: &mut Tx, topup: &TopupId) -> Result<Option<i64>, StoreError> {
    let row: Option<ConsentRow> = tx.fetch_optional(&CONSENT, &args![topup = topup.as_str()]).await?;
    Ok(row.map(|row| row.consented_at))
}

/// How often this card and this account were declined lately.
pub(crate) async fn declines(
    tx: &mut Tx,
    account: &AccountId,
    card: &PaymentMethodId,
    now_ms: i64,
) -> Result<Declines, StoreError> {
    let (card_since_ms, since_ms) = Declines::since_ms(now_ms);
    let values = args![account = account.as_str(), card = card.as_str(), card_since_ms, since_ms];
    let row: Option<DeclinesRow> = tx.fetch_optional(&DECLINES, &values).await?;
    Ok(row.map(|row| Declines { of_card: row.of_card, of_account: row.of_account }).unwrap_or_default())
}

/// How many attempts of all accounts began since a time, counted up to a limit.
pub(crate) async fn recent(tx: &mut Tx, since_ms: i64, limit: i64) -> Result<i64, StoreError> {
    let row: Option<CountRow> = tx.fetch_optional(&RECENT, &args![since_ms, limit]).await?;
    Ok(row.map(|row| row.count).unwrap_or_default())
}

/// Marks the purchase of a declined charge as failed. `false` if it is paid.
pub(crate) async fn mark_declined(
    tx: &mut Tx,
    topup: &TopupId,
    failure_code: &str,
    code: Option<&str>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let declined_at = code.map(|_| now_ms);
    Ok(tx.execute(&DECLINED, &args![topup = topup.as_str(), failure_code, code, declined_at, now_ms]).await? == 1)
}

impl Db {
    /// The last attempts of an account, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn auto_topup_attempts(&self, account: &AccountId) -> Result<Vec<Attempt>, StoreError> {
        self.read_all(&LATEST, &args![account = account.as_str(), limit = SHOWN]).await
    }

    /// When the consent was given that a charge was begun with.
    pub(crate) async fn auto_topup_consent(&self, topup: &TopupId) -> Result<Option<i64>, StoreError> {
        let row: Option<ConsentRow> = self.read_optional(&CONSENT, &args![topup = topup.as_str()]).await?;
        Ok(row.map(|row| row.consented_at))
    }

    /// Whether any account was charged since a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_auto_topups_since(&self, since_ms: i64) -> Result<bool, StoreError> {
        let row: Option<CountRow> = self.read_optional(&ANY_SINCE, &args![since_ms]).await?;
        Ok(row.is_some_and(|row| row.count > 0))
    }

    /// What an account was charged today, and in a currency this month.
    pub(crate) async fn auto_topup_charged(
        &self,
        account: &AccountId,
        currency: Currency,
        now_ms: i64,
    ) -> Result<Charged, StoreError> {
        let Windows { day_ms, month_ms } = Windows::at(now_ms);
        let values = args![account = account.as_str(), currency = currency.as_str(), day_ms, month_ms];
        let row: Option<ChargedRow> = self.read_optional(&CHARGED, &values).await?;
        Ok(row.map(|row| Charged { today: row.today, month_minor: row.month }).unwrap_or_default())
    }
}
