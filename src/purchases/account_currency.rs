//! The currency in which an account buys when a purchase names none.

use crate::access::operator::Operator;
use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::currency::Currency;
use crate::domain::price_list::NotSoldIn;
use crate::domain::pricing::Pricing;

statements! {
    SET = "INSERT INTO account_currencies (account_id, currency, changed_at) VALUES (:account, :currency, :now_ms) \
        ON CONFLICT (account_id) DO UPDATE SET currency = excluded.currency, changed_at = excluded.changed_at";
    CLEAR = "DELETE FROM account_currencies WHERE account_id = :account";
    FIND = "SELECT currency FROM account_currencies WHERE account_id = :account";
}

#[derive(sqlx::FromRow)]
struct CurrencyRow {
    currency: String,
}

/// Why there are no prices for a purchase.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// Credits are not sold in the currency.
    #[error(transparent)]
    NotSoldIn(#[from] NotSoldIn),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The prices of an account's purchase: in the currency that it names, or that of the account, or the main one.
///
/// # Errors
/// See [`PriceError`].
pub async fn prices_for<'a>(
    app: &'a App,
    account: &AccountId,
    named: Option<Currency>,
) -> Result<&'a Pricing, PriceError> {
    match named {
        Some(_) => Ok(app.pricing.of(named)?),
        None => Ok(account_prices(app, account).await?),
    }
}

/// The prices of a purchase that names no currency.
///
/// # Errors
/// When the database fails.
pub async fn account_prices<'a>(app: &'a App, account: &AccountId) -> Result<&'a Pricing, StoreError> {
    if app.pricing.sold_in().len() == 1 {
        return Ok(app.pricing.main());
    }
    let stored = app.db.account_currency(account).await?;
    // A currency that is no longer sold in does not keep an account from buying.
    Ok(stored.and_then(|currency| app.pricing.of(Some(currency)).ok()).unwrap_or(app.pricing.main()))
}

/// Why the currency of an account was not read or set.
#[derive(Debug, thiserror::Error)]
pub enum CurrencyError {
    /// The operator may not act for the account.
    #[error("these credentials are not for that account")]
    Forbidden,
    /// There are no prices in the currency.
    #[error(transparent)]
    Price(#[from] PriceError),
}

/// The currency of an account's purchases that name none.
///
/// # Errors
/// See [`CurrencyError`].
pub async fn read_account_currency(
    app: &App,
    account: &AccountId,
    operator: &Operator,
) -> Result<Currency, CurrencyError> {
    if !operator.may_act_for(account) {
        return Err(CurrencyError::Forbidden);
    }
    Ok(account_prices(app, account).await.map_err(PriceError::from)?.currency())
}

/// Sets the currency of an account's purchases that name none; `None` is the main one. Returns the one in force.
///
/// # Errors
/// See [`CurrencyError`].
pub async fn set_account_currency(
    app: &App,
    account: AccountId,
    currency: Option<Currency>,
    operator: &Operator,
) -> Result<Currency, CurrencyError> {
    if !operator.may_act_for(&account) {
        return Err(CurrencyError::Forbidden);
    }
    let in_force = app.pricing.of(currency).map_err(PriceError::from)?.currency();
    let write = SetCurrency { account, currency, now_ms: app.clock.now_ms() };
    app.db.write(write).await.map_err(PriceError::from)?;
    Ok(in_force)
}

struct SetCurrency {
    account: AccountId,
    currency: Option<Currency>,
    now_ms: i64,
}

impl Write for SetCurrency {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let account = self.account.as_str();
        let Some(currency) = self.currency else { return tx.execute(&CLEAR, &args![account]).await.map(drop) };
        let values = args![account, currency = currency.as_str(), now_ms = self.now_ms];
        tx.execute(&SET, &values).await.map(drop)
    }
}

impl Db {
    /// The currency that was set for an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_currency(&self, account: &AccountId) -> Result<Option<Currency>, StoreError> {
        let row: Option<CurrencyRow> = self.read_optional(&FIND, &args![account = account.as_str()]).await?;
        row.map(|row| Currency::parse(&row.currency).map_err(|_| StoreError::corrupt("currency", &row.currency)))
            .transpose()
    }
}
