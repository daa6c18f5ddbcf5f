//! What was last told of an account's balance, and its own threshold.

use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::messages::attention;

statements! {
    FIND = "SELECT low_credits, is_low, is_depleted, changes FROM alerts WHERE account_id = :account";
    STORE = "INSERT INTO alerts (account_id, low_credits, is_low, is_depleted, changes, updated_at) \
        VALUES (:account, :low_credits, :is_low, :is_depleted, :changes, :now_ms) \
        ON CONFLICT (account_id) DO UPDATE SET is_low = excluded.is_low, is_depleted = excluded.is_depleted, \
        changes = excluded.changes, updated_at = excluded.updated_at";
    SET_THRESHOLD = "INSERT INTO alerts (account_id, low_credits, is_low, is_depleted, changes, updated_at) \
        VALUES (:account, :low_credits, 0, 0, 0, :now_ms) \
        ON CONFLICT (account_id) DO UPDATE SET low_credits = excluded.low_credits, updated_at = excluded.updated_at";
    IS_ON = "SELECT is_on FROM outbox WHERE id = 1";
}

/// The stored row; the default is that of an account without one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct AlertRow {
    /// The account's own threshold; 0: none.
    pub(crate) low_credits: Option<i64>,
    is_low: i64,
    is_depleted: i64,
    /// How often the rest changed.
    pub(crate) changes: i64,
}

impl AlertRow {
    pub(crate) const fn is_low(self) -> bool {
        self.is_low == 1
    }

    pub(crate) const fn is_depleted(self) -> bool {
        self.is_depleted == 1
    }

    /// The row of an account that is this by now.
    pub(crate) fn became(self, is_low: bool, is_depleted: bool) -> Self {
        let after = Self { is_low: is_low.into(), is_depleted: is_depleted.into(), ..self };
        if after == self { self } else { Self { changes: self.changes.saturating_add(1), ..after } }
    }
}

#[derive(sqlx::FromRow)]
struct OnRow {
    is_on: i64,
}

pub(crate) async fn find(tx: &mut Tx, account: &AccountId) -> Result<Option<AlertRow>, StoreError> {
    tx.fetch_optional(&FIND, &args![account = account.as_str()]).await
}

/// Whether messages are written.
pub(crate) async fn is_on(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(tx.fetch_optional::<OnRow>(&IS_ON, &[]).await?.is_some_and(|row| row.is_on == 1))
}

pub(crate) async fn store(tx: &mut Tx, account: &AccountId, row: &AlertRow, now_ms: i64) -> Result<(), StoreError> {
    let values = args![
        account = account.as_str(),
        low_credits = row.low_credits,
        is_low = row.is_low,
        is_depleted = row.is_depleted,
        changes = row.changes,
        now_ms
    ];
    tx.execute(&STORE, &values).await.map(drop)
}

/// The thresholds and the state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceAlert {
    /// Below how many available credits the account is low; `None`: never.
    pub low_credits: Option<i64>,
    /// Whether that is the account's own threshold.
    pub is_own: bool,
    /// Whether it was last told to be low.
    pub is_low: bool,
}

/// The threshold of an account.
///
/// # Errors
/// When the database fails.
pub async fn balance_alert(app: &App, account: &AccountId) -> Result<BalanceAlert, StoreError> {
    let row = app.db.alert_row(account).await?.unwrap_or_default();
    let low_credits = row.low_credits.or(app.outbox.low_balance_credits).filter(|credits| *credits > 0);
    Ok(BalanceAlert { low_credits, is_own: row.low_credits.is_some(), is_low: row.is_low() })
}

/// Sets an account's own threshold: 0 for none; `None` for that of the settings. The account is looked at afterwards.
///
/// # Errors
/// When the database fails.
pub async fn set_threshold(app: &App, account: &AccountId, low_credits: Option<i64>) -> Result<(), StoreError> {
    app.db.write(SetThreshold { account: account.clone(), low_credits, now_ms: app.clock.now_ms() }).await
}

struct SetThreshold {
    account: AccountId,
    low_credits: Option<i64>,
    now_ms: i64,
}

impl Write for SetThreshold {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let (account, now_ms) = (self.account.as_str(), self.now_ms);
        tx.execute(&SET_THRESHOLD, &args![account, low_credits = self.low_credits, now_ms]).await?;
        attention::note(tx, account, now_ms).await
    }
}

impl Db {
    async fn alert_row(&self, account: &AccountId) -> Result<Option<AlertRow>, StoreError> {
        self.read_optional(&FIND, &args![account = account.as_str()]).await
    }
}
