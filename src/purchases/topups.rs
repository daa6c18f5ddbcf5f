//! Top-ups: their rows and the statements for them.

use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};
use crate::domain::account::AccountId;
use crate::domain::attempt::Attempt;
use crate::domain::checkout::{Agreement, TopupState};
use crate::domain::credit_unit::CreditUnit;
use crate::domain::currency::Currency;
use crate::domain::expiry::ExpiryDays;
use crate::domain::fees::FeePolicy;
use crate::domain::ids::{PaymentId, SessionId, TopupId};
use crate::domain::judge::AgreedTopup;
use crate::domain::pricing::Quote;
use crate::domain::provider::ProviderName;
use crate::domain::tax::{Charged, TaxBehavior};
use crate::providers::port::CheckoutRequest;
pub(crate) use crate::purchases::stored_values::{
    account, credit_unit, currency, expiry, payment_id, provider, session, state, tax, to_json,
};

/// A top-up to insert.
#[derive(Debug, Clone)]
pub struct NewTopup {
    /// The top-up's id.
    pub id: TopupId,
    /// The account that buys it.
    pub account: AccountId,
    /// The price.
    pub quote: Quote,
    /// The fee policy behind the fee line.
    pub fees: FeePolicy,
    /// The fee that the provider is expected to keep, in minor units.
    pub expected_fee_minor: i64,
    /// Whether real money moves.
    pub livemode: bool,
    /// The provider that opens the checkout.
    pub provider: ProviderName,
    /// The request to the provider.
    pub request: CheckoutRequest,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
}

impl NewTopup {
    /// When its checkout should end, in milliseconds since 1970.
    pub(crate) const fn expires_at_ms(&self) -> i64 {
        self.request.expires_at_seconds.saturating_mul(1_000)
    }
}

/// A top-up in its current state.
#[derive(Debug, Clone)]
pub struct Topup {
    /// The top-up's id.
    pub id: TopupId,
    /// The account that buys it.
    pub account: AccountId,
    /// The state.
    pub state: TopupState,
    /// The number of credits.
    pub credits: i64,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The unit that the credits were priced by.
    pub unit: CreditUnit,
    /// The line for the credits, in minor units.
    pub credits_amount_minor: i64,
    /// The fee line, in minor units.
    pub fee_amount_minor: i64,
    /// What the customer is charged, in minor units, before tax that comes on top.
    pub total_amount_minor: i64,
    /// How it is taxed; `None` if it is not.
    pub tax: Option<TaxBehavior>,
    /// The tax in the charge, in minor units; 0 before it is paid.
    pub tax_amount_minor: i64,
    /// The part of it that came on top of the total.
    pub added_tax_minor: i64,
    /// The credits given on top.
    pub bonus_credits: i64,
    /// How long the credits are good; `None` for ever.
    pub expiry: Option<ExpiryDays>,
    /// The request to the provider, as stored; see [`Topup::request`].
    request_json: String,
    /// What is known about the calls that open its checkout.
    pub attempt: Attempt,
    /// The provider that opens its checkout.
    pub provider: ProviderName,
    /// The checkout session, once known.
    pub session: Option<SessionId>,
    /// The URL of the hosted page, while known.
    pub session_url: Option<String>,
    /// When the checkout ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// When it was created, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it was paid, in milliseconds since 1970.
    pub paid_at_ms: Option<i64>,
    /// When the provider was last asked about it, in milliseconds since 1970; 0 if never.
    pub checked_at_ms: i64,
    /// The fee that the provider is expected to keep, in minor units.
    pub expected_fee_minor: i64,
    /// The payment, once known.
    pub payment: Option<PaymentId>,
    /// How many of the credits refunds and disputes have taken back.
    pub taken_credits: i64,
    /// How many times events have changed it.
    pub revision: i64,
    /// Why the last payment attempt was declined: the provider's code.
    pub decline_code: Option<String>,
    /// Why it failed.
    pub failure_code: Option<String>,
}

impl Topup {
    /// The tax in the charge, in minor units; `None` before it is paid, and if none was agreed.
    #[must_use]
    pub fn charged_tax_minor(&self) -> Option<i64> {
        self.tax.and(self.paid_at_ms).map(|_| self.tax_amount_minor)
    }

    /// What the customer was charged, in minor units, as far as it is known: before the payment, without tax that comes
    /// on top.
    #[must_use]
    pub const fn charged_minor(&self) -> i64 {
        Charged::with_added_tax(self.total_amount_minor, self.added_tax_minor).total_minor
    }

    /// When its credits end, in milliseconds since 1970; `None` before it is paid, and if they never do.
    #[must_use]
    pub fn credits_expire_at_ms(&self) -> Option<i64> {
        self.expiry.zip(self.paid_at_ms).map(|(days, paid_at_ms)| days.end_ms(paid_at_ms))
    }

    /// The request to send when opening the checkout is retried.
    ///
    /// # Errors
    /// When another version stored it in a different format.
    pub fn request(&self) -> Result<CheckoutRequest, StoreError> {
        serde_json::from_str(&self.request_json).map_err(|error| StoreError::corrupt("request", error))
    }
}

statements! {
    INSERT = "INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, \
        credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee, \
        bonus_credits, credits_expire_days, tax_behavior, livemode, provider, provider_request, provider_attempt, key_used_at, \
        unknown_since, expires_at, created_at, updated_at) VALUES \
        (:id, :account, 'creating', :credits, :currency, :unit_credits, :unit_amount_minor, :credits_amount_minor, \
        :fee_amount_minor, :total_amount_minor, :fee_mode, :fee_rate, :fee_fixed, :fee_label, :expected_fee_minor, \
        :bonus_credits, :expire_days, :tax, :livemode, :provider, :request, 1, :now_ms, :now_ms, :expires_at_ms, :now_ms, :now_ms)";
    FIND = "SELECT id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, \
        credits_amount, fee_amount, total_amount, tax_behavior, tax_amount, added_tax_amount, expected_fee, bonus_credits, credits_expire_days, provider, \
        provider_request, provider_attempt, \
        COALESCE(key_used_at, created_at) AS key_used_at, \
        CASE WHEN key_used_at IS NULL THEN updated_at ELSE unknown_since END AS unknown_since, key_failures, \
        provider_session_id, session_url, expires_at, created_at, \
        paid_at, checked_at, provider_payment_id, taken_credits, revision, decline_code, failure_code \
        FROM topups WHERE id = :id";
    FIND_BY_SESSION = "SELECT id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, \
        credits_amount, fee_amount, total_amount, tax_behavior, tax_amount, added_tax_amount, expected_fee, bonus_credits, credits_expire_days, provider, \
        provider_request, provider_attempt, \
        COALESCE(key_used_at, created_at) AS key_used_at, \
        CASE WHEN key_used_at IS NULL THEN updated_at ELSE unknown_since END AS unknown_since, key_failures, \
        provider_session_id, session_url, expires_at, created_at, \
        paid_at, checked_at, provider_payment_id, taken_credits, revision, decline_code, failure_code \
        FROM topups WHERE provider_session_id = :session AND provider = :provider";
    FIND_AGREEMENT = "SELECT id, account_id, state, credits, bonus_credits, credits_expire_days, currency, total_amount, tax_behavior, livemode, provider, \
        provider_session_id, \
        provider_payment_id, accepted_amount \
        FROM topups WHERE id = :id";
    /// The first statement of every transaction about an existing top-up: it takes the row lock.
    LOCK_AGREEMENT = "UPDATE topups SET revision = revision WHERE id = :id RETURNING id, account_id, state, credits, \
        bonus_credits, credits_expire_days, currency, total_amount, tax_behavior, livemode, provider, provider_session_id, \
        provider_payment_id, accepted_amount";
    /// The state changes only if no event arrived before the provider's answer. A top-up that was refused earlier has
    /// no session yet; it is now open.
    OPENED = "UPDATE topups SET provider_session_id = :session, session_url = :url, expires_at = :expires_at_ms, \
        updated_at = :now_ms, \
        failure_code = CASE WHEN provider_session_id IS NULL THEN NULL ELSE failure_code END, \
        state = CASE WHEN provider_session_id IS NULL AND state IN ('creating', 'failed') THEN 'open' ELSE state END \
        WHERE id = :id AND provider = :provider AND (provider_session_id IS NULL OR provider_session_id = :session)";
    REFUSED = "UPDATE topups SET state = 'failed', failure_code = :code, updated_at = :now_ms \
        WHERE id = :id AND state = 'creating'";
    CLAIM_CHECK = "UPDATE topups SET checked_at = :now_ms WHERE id = :id AND (checked_at <= :not_since_ms OR \
        checked_at > :wrong_from_ms)";
}

#[derive(sqlx::FromRow)]
struct TopupRow {
    provider: String,
    id: String,
    account_id: String,
    state: String,
    credits: i64,
    currency: String,
    credit_unit_credits: i64,
    credit_unit_amount: i64,
    credits_amount: i64,
    fee_amount: i64,
    total_amount: i64,
    tax_behavior: Option<String>,
    tax_amount: i64,
    added_tax_amount: i64,
    expected_fee: i64,
    bonus_credits: i64,
    credits_expire_days: Option<i64>,
    provider_request: String,
    provider_attempt: i64,
    key_used_at: i64,
    unknown_since: Option<i64>,
    key_failures: i64,
    provider_session_id: Option<String>,
    session_url: Option<String>,
    expires_at: i64,
    created_at: i64,
    paid_at: Option<i64>,
    checked_at: i64,
    provider_payment_id: Option<String>,
    taken_credits: i64,
    revision: i64,
    decline_code: Option<String>,
    failure_code: Option<String>,
}

#[derive(sqlx::FromRow)]
struct AgreementRow {
    provider: String,
    id: String,
    account_id: String,
    state: String,
    credits: i64,
    bonus_credits: i64,
    credits_expire_days: Option<i64>,
    currency: String,
    total_amount: i64,
    tax_behavior: Option<String>,
    livemode: i64,
    provider_session_id: Option<String>,
    provider_payment_id: Option<String>,
    accepted_amount: Option<i64>,
}

impl TryFrom<TopupRow> for Topup {
    type Error = StoreError;

    fn try_from(row: TopupRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: TopupId::parse(&row.id).map_err(|_| StoreError::corrupt("top-up id", &row.id))?,
            account: account(row.account_id)?,
            state: state(&row.state)?,
            credits: row.credits,
            currency: currency(&row.currency)?,
            unit: credit_unit(row.credit_unit_credits, row.credit_unit_amount)?,
            credits_amount_minor: row.credits_amount,
            fee_amount_minor: row.fee_amount,
            total_amount_minor: row.total_amount,
            tax: tax(row.tax_behavior.as_deref())?,
            tax_amount_minor: row.tax_amount,
            added_tax_minor: row.added_tax_amount,
            bonus_credits: row.bonus_credits,
            expiry: expiry(row.credits_expire_days)?,
            request_json: row.provider_request,
            attempt: Attempt {
                key: row.provider_attempt,
                key_used_at_ms: row.key_used_at,
                unknown_since_ms: row.unknown_since,
                key_failures: row.key_failures,
            },
            provider: provider(&row.provider)?,
            session: session(provider(&row.provider)?, row.provider_session_id)?,
            session_url: row.session_url,
            expires_at_ms: row.expires_at,
            created_at_ms: row.created_at,
            paid_at_ms: row.paid_at,
            checked_at_ms: row.checked_at,
            expected_fee_minor: row.expected_fee,
            payment: row.provider_payment_id.map(|text| payment_id(&row.provider, &text)).transpose()?,
            taken_credits: row.taken_credits,
            revision: row.revision,
            decline_code: row.decline_code,
            failure_code: row.failure_code,
        })
    }
}

/// Inserts a top-up, before the provider is called.
///
/// # Errors
/// When a constraint is violated or the database fails.
pub async fn insert(tx: &mut Tx, new: &NewTopup) -> Result<(), StoreError> {
    let request = to_json(&new.request)?;
    let rate = new.fees.rate.to_string();
    let values = args![
        id = new.id.as_str(),
        account = new.account.as_str(),
        credits = new.quote.credits.get(),
        currency = new.quote.currency.as_str(),
        unit_credits = new.quote.unit.credits(),
        unit_amount_minor = new.quote.unit.amount_minor(),
        credits_amount_minor = new.quote.credits_amount_minor,
        fee_amount_minor = new.quote.fee_amount_minor,
        total_amount_minor = new.quote.total_amount_minor,
        fee_mode = new.fees.mode.as_str(),
        fee_rate = rate.as_str(),
        fee_fixed = new.fees.fixed_minor,
        fee_label = new.fees.label.as_str(),
        expected_fee_minor = new.expected_fee_minor,
        bonus_credits = new.quote.bonus_credits,
        expire_days = new.quote.expiry.map(ExpiryDays::get),
        tax = new.quote.tax.map(TaxBehavior::as_str),
        livemode = new.livemode,
        provider = new.provider.as_str(),
        request = request.as_str(),
        expires_at_ms = new.expires_at_ms(),
        now_ms = new.now_ms
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// Finds a top-up inside a transaction.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id: &TopupId) -> Result<Option<Topup>, StoreError> {
    tx.fetch_optional::<TopupRow>(&FIND, &args![id = id.as_str()]).await?.map(Topup::try_from).transpose()
}

/// The agreement and the state of a top-up.
///
/// # Errors
/// When the database fails.
pub async fn find_agreement(tx: &mut Tx, id: &TopupId) -> Result<Option<AgreedTopup>, StoreError> {
    tx.fetch_optional::<AgreementRow>(&FIND_AGREEMENT, &args![id = id.as_str()])
        .await?
        .map(AgreedTopup::try_from)
        .transpose()
}

/// Like [`find_agreement`], but locks the top-up's row until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock_agreement(tx: &mut Tx, id: &TopupId) -> Result<Option<AgreedTopup>, StoreError> {
    tx.fetch_optional::<AgreementRow>(&LOCK_AGREEMENT, &args![id = id.as_str()])
        .await?
        .map(AgreedTopup::try_from)
        .transpose()
}

impl TryFrom<AgreementRow> for AgreedTopup {
    type Error = StoreError;

    fn try_from(row: AgreementRow) -> Result<Self, StoreError> {
        let agreement = Agreement {
            topup: TopupId::parse(&row.id).map_err(|_| StoreError::corrupt("top-up id", &row.id))?,
            account: account(row.account_id)?,
            credits: row.credits,
            bonus_credits: row.bonus_credits,
            expiry: expiry(row.credits_expire_days)?,
            currency: currency(&row.currency)?,
            total_amount_minor: row.total_amount,
            tax: tax(row.tax_behavior.as_deref())?,
            livemode: row.livemode != 0,
            provider: provider(&row.provider)?,
            session: session(provider(&row.provider)?, row.provider_session_id)?,
            accepted_amount_minor: row.accepted_amount,
        };
        let payment = row.provider_payment_id.map(|text| payment_id(&row.provider, &text)).transpose()?;
        Ok(Self { agreement, state: state(&row.state)?, payment })
    }
}

/// Stores the opened checkout session. Returns `false` if the top-up has another session already.
///
/// # Errors
/// When the database fails.
pub async fn opened(
    tx: &mut Tx,
    id: &TopupId,
    session: &SessionId,
    url: Option<&str>,
    expires_at_ms: i64,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let values = args![
        id = id.as_str(),
        provider = session.provider().as_str(),
        session = session.as_str(),
        url,
        expires_at_ms,
        now_ms
    ];
    Ok(tx.execute(&OPENED, &values).await? == 1)
}

/// Stores that the provider refused the checkout permanently.
///
/// # Errors
/// When the database fails.
pub async fn refused(tx: &mut Tx, id: &TopupId, code: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&REFUSED, &args![id = id.as_str(), code, now_ms]).await.map(drop)
}

/// Claims the right to ask the provider about a top-up. Returns `false` if it was claimed after `not_since_ms`.
///
/// # Errors
/// When the database fails.
pub async fn claim_check(tx: &mut Tx, id: &TopupId, now_ms: i64, not_since_ms: i64) -> Result<bool, StoreError> {
    // A time further ahead than clocks normally differ was written with a wrong clock.
    let wrong_from_ms = now_ms.saturating_add(now_ms.saturating_sub(not_since_ms));
    let values = args![id = id.as_str(), now_ms, not_since_ms, wrong_from_ms];
    Ok(tx.execute(&CLAIM_CHECK, &values).await? == 1)
}

impl Db {
    /// Finds a top-up by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topup(&self, id: &TopupId) -> Result<Option<Topup>, StoreError> {
        self.read_optional::<TopupRow>(&FIND, &args![id = id.as_str()]).await?.map(Topup::try_from).transpose()
    }

    /// The agreement and the state of a top-up, to be judged outside a transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agreement(&self, id: &TopupId) -> Result<Option<AgreedTopup>, StoreError> {
        let row = self.read_optional::<AgreementRow>(&FIND_AGREEMENT, &args![id = id.as_str()]).await?;
        row.map(AgreedTopup::try_from).transpose()
    }

    /// Finds a top-up by its checkout session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topup_by_session(&self, session: &SessionId) -> Result<Option<Topup>, StoreError> {
        let row = self
            .read_optional::<TopupRow>(
                &FIND_BY_SESSION,
                &args![session = session.as_str(), provider = session.provider().as_str()],
            )
            .await?;
        row.map(Topup::try_from).transpose()
    }
}
