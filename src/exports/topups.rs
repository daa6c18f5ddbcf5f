//! Top-ups and payments as tables, in the order of their times.

use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;
use crate::exports::cell::Cell;
use crate::exports::range::TimeRange;
use crate::exports::rows::{PAGE, Place, Rows};

statements! {
    /// The end of the range is not in these: of a range with two ends planners expect few rows, without statistics, and
    /// sort all of them for each page.
    TOPUPS = "SELECT id, account_id, state, credits, taken_credits, bonus_credits, credits_expire_days, currency, \
        credit_unit_credits, credit_unit_amount, credits_amount, fee_amount, total_amount, tax_behavior, \
        tax_amount, accepted_amount, \
        expected_fee, provider, provider_session_id, provider_payment_id, decline_code, failure_code, created_at, \
        expires_at, paid_at FROM topups WHERE (created_at, id) > (:time_ms, :id) ORDER BY created_at, id LIMIT :limit";
    TOPUPS_OF_ACCOUNT = "SELECT id, account_id, state, credits, taken_credits, bonus_credits, credits_expire_days, \
        currency, credit_unit_credits, credit_unit_amount, credits_amount, fee_amount, total_amount, tax_behavior, \
        tax_amount, accepted_amount, \
        expected_fee, provider, provider_session_id, provider_payment_id, decline_code, failure_code, created_at, \
        expires_at, paid_at FROM topups WHERE account_id = :account \
        AND (created_at, id) > (:time_ms, :id) ORDER BY created_at, id LIMIT :limit";
    /// `CROSS JOIN` keeps SQLite from starting with the top-ups.
    PAYMENTS = "SELECT p.provider_payment_id, p.provider, t.account_id, p.topup_id, p.state, p.provider_session_id, \
        p.provider_charge_id, p.provider_fee_id, COALESCE(p.charged_amount, (SELECT MAX(a.charged_amount) \
        FROM accepted_events a WHERE a.topup_id = t.id AND a.outcome = 'credited'), \
        t.total_amount + t.added_tax_amount) AS total_amount, t.currency, p.real_fee, p.real_fee_currency, p.created_at FROM payments p CROSS JOIN topups t \
        WHERE (p.created_at, p.provider_payment_id) > (:time_ms, :id) AND t.id = p.topup_id \
        ORDER BY p.created_at, p.provider_payment_id LIMIT :limit";
    PAYMENTS_OF_ACCOUNT = "SELECT p.provider_payment_id, p.provider, t.account_id, p.topup_id, p.state, \
        p.provider_session_id, p.provider_charge_id, p.provider_fee_id, COALESCE(p.charged_amount, \
        (SELECT MAX(a.charged_amount) FROM accepted_events a WHERE a.topup_id = t.id AND a.outcome = 'credited'), \
        t.total_amount + t.added_tax_amount) AS total_amount, t.currency, p.real_fee, p.real_fee_currency, p.created_at FROM topups t CROSS JOIN payments p WHERE t.account_id = :account \
        AND p.topup_id = t.id AND (p.created_at, p.provider_payment_id) > (:time_ms, :id) \
        ORDER BY p.created_at, p.provider_payment_id LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct TopupRow {
    id: String,
    account_id: String,
    state: String,
    credits: i64,
    taken_credits: i64,
    bonus_credits: i64,
    credits_expire_days: Option<i64>,
    currency: String,
    credit_unit_credits: i64,
    credit_unit_amount: i64,
    credits_amount: i64,
    fee_amount: i64,
    total_amount: i64,
    tax_behavior: Option<String>,
    tax_amount: i64,
    accepted_amount: Option<i64>,
    expected_fee: i64,
    provider: String,
    provider_session_id: Option<String>,
    provider_payment_id: Option<String>,
    decline_code: Option<String>,
    failure_code: Option<String>,
    created_at: i64,
    expires_at: i64,
    paid_at: Option<i64>,
}

/// Top-ups by the time at which they were opened.
pub(crate) struct Topups {
    range: TimeRange,
    account: Option<AccountId>,
    place: Place,
}

impl Topups {
    pub(crate) const fn new(range: TimeRange, account: Option<AccountId>) -> Self {
        Self { range, account, place: Place::start(range) }
    }
}

impl Rows for Topups {
    const NAMES: &'static [&'static str] = &[
        "id",
        "accountId",
        "state",
        "credits",
        "takenCredits",
        "bonusCredits",
        "creditsExpireDays",
        "currency",
        "creditUnitCredits",
        "creditUnitAmount",
        "creditsAmount",
        "feeAmount",
        "totalAmount",
        "taxBehavior",
        "taxAmount",
        "acceptedAmount",
        "expectedFee",
        "provider",
        "sessionId",
        "paymentId",
        "declineCode",
        "failureCode",
        "createdAt",
        "expiresAt",
        "paidAt",
    ];

    async fn next(&mut self, db: &Db) -> Result<Vec<Vec<Cell>>, StoreError> {
        let (time_ms, id) = (self.place.time_ms, self.place.id.as_str());
        let rows: Vec<TopupRow> = match &self.account {
            None => db.read_all(&TOPUPS, &args![time_ms, id, limit = PAGE]).await?,
            Some(account) => {
                let values = args![account = account.as_str(), time_ms, id, limit = PAGE];
                db.read_all(&TOPUPS_OF_ACCOUNT, &values).await?
            }
        };
        if let Some(last) = rows.last() {
            self.place = Place { time_ms: last.created_at, id: last.id.clone() };
        }
        Ok(rows.into_iter().take_while(|row| row.created_at < self.range.to_ms).map(topup).collect())
    }
}

fn topup(row: TopupRow) -> Vec<Cell> {
    vec![
        row.id.into(),
        row.account_id.into(),
        row.state.into(),
        row.credits.into(),
        row.taken_credits.into(),
        row.bonus_credits.into(),
        row.credits_expire_days.into(),
        row.currency.into(),
        row.credit_unit_credits.into(),
        row.credit_unit_amount.into(),
        row.credits_amount.into(),
        row.fee_amount.into(),
        row.total_amount.into(),
        row.tax_behavior.into(),
        row.tax_amount.into(),
        row.accepted_amount.into(),
        row.expected_fee.into(),
        row.provider.into(),
        row.provider_session_id.into(),
        row.provider_payment_id.into(),
        row.decline_code.into(),
        row.failure_code.into(),
        Cell::time(row.created_at),
        Cell::time(row.expires_at),
        Cell::maybe_time(row.paid_at),
    ]
}

#[derive(sqlx::FromRow)]
struct PaymentRow {
    provider_payment_id: String,
    provider: String,
    account_id: String,
    topup_id: String,
    state: String,
    provider_session_id: Option<String>,
    provider_charge_id: Option<String>,
    provider_fee_id: Option<String>,
    total_amount: i64,
    currency: String,
    real_fee: Option<i64>,
    real_fee_currency: Option<String>,
    created_at: i64,
}

/// Payments by the time at which they were first recorded.
pub(crate) struct Payments {
    range: TimeRange,
    account: Option<AccountId>,
    place: Place,
}

impl Payments {
    pub(crate) const fn new(range: TimeRange, account: Option<AccountId>) -> Self {
        Self { range, account, place: Place::start(range) }
    }
}

impl Rows for Payments {
    const NAMES: &'static [&'static str] = &[
        "paymentId",
        "provider",
        "accountId",
        "topupId",
        "role",
        "sessionId",
        "chargeId",
        "feeId",
        "totalAmount",
        "currency",
        "realFee",
        "realFeeCurrency",
        "createdAt",
    ];

    async fn next(&mut self, db: &Db) -> Result<Vec<Vec<Cell>>, StoreError> {
        let (time_ms, id) = (self.place.time_ms, self.place.id.as_str());
        let rows: Vec<PaymentRow> = match &self.account {
            None => db.read_all(&PAYMENTS, &args![time_ms, id, limit = PAGE]).await?,
            Some(account) => {
                let values = args![account = account.as_str(), time_ms, id, limit = PAGE];
                db.read_all(&PAYMENTS_OF_ACCOUNT, &values).await?
            }
        };
        if let Some(last) = rows.last() {
            self.place = Place { time_ms: last.created_at, id: last.provider_payment_id.clone() };
        }
        Ok(rows.into_iter().take_while(|row| row.created_at < self.range.to_ms).map(payment).collect())
    }
}

fn payment(row: PaymentRow) -> Vec<Cell> {
    vec![
        row.provider_payment_id.into(),
        row.provider.into(),
        row.account_id.into(),
        row.topup_id.into(),
        row.state.into(),
        row.provider_session_id.into(),
        row.provider_charge_id.into(),
        row.provider_fee_id.into(),
        row.total_amount.into(),
        row.currency.into(),
        row.real_fee.into(),
        row.real_fee_currency.into(),
        Cell::time(row.created_at),
    ]
}
