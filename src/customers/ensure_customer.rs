//! Finds an account's customer, or makes it.
//!
//! No transaction is open during a call to the provider. Several processes may make the customer of one account at the
//! same time: the row exists before the first call and decides the idempotency key, so the provider makes one, and
//! the first answer that is stored stays. A customer that was made and whose answer was lost for a day is left over at
//! the provider; it has no cards and costs nothing.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::app::App;
use crate::customers::customer_rows::{self, CustomerRow, Whose};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::ids::CustomerId;
use crate::providers::port::ProviderError;

/// The most calls for one customer.
const MAX_TRIES: u32 = 4;

/// Why an account has no customer.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// The provider did not make it. A retry makes at most one.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn whose(app: &App, account: &AccountId) -> Whose {
    Whose { account: account.clone(), provider: app.provider.name, livemode: app.checkout.livemode }
}

/// The account's customer, if it has one.
///
/// # Errors
/// When the database fails.
pub async fn known_customer(app: &App, account: &AccountId) -> Result<Option<CustomerId>, StoreError> {
    let row = app.db.customer_row(&whose(app, account)).await?;
    Ok(row.map(|row| row.customer(app.provider.name)).transpose()?.flatten())
}

/// The account's customer, which is made if there is none.
///
/// # Errors
/// See [`CustomerError`].
pub async fn ensure_customer(app: &App, account: &AccountId) -> Result<CustomerId, CustomerError> {
    if let Some(customer) = known_customer(app, account).await? {
        return Ok(customer);
    }
    let whose = whose(app, account);
    let mut last = None;
    for number in 0..MAX_TRIES {
        if number > 0 {
            tokio::time::sleep(pause(app, number)).await;
        }
        let row = app.db.write(Begin { whose: whose.clone(), now_ms: app.clock.now_ms() }).await?;
        if let Some(customer) = row.customer(whose.provider)? {
            return Ok(customer);
        }
        let key = key(account, &row);
        match app.provider.customers.create_customer(account, &key).await {
            Ok(customer) => return Ok(app.db.write(Store::new(app, &whose, &row, customer)).await?),
            Err(error) if is_final(&error) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(key, %error, "Stripe did not make a customer");
                if matches!(error, ProviderError::Failed(_)) {
                    let (whose, generation) = (whose.clone(), row.generation);
                    app.db.write(NextKey { whose, generation, now_ms: app.clock.now_ms() }).await?;
                }
                last = Some(error);
            }
        }
    }
    Err(last.unwrap_or(ProviderError::TimedOut).into())
}

/// Forgets a customer that the provider no longer has, so that the next one who needs it makes another. Returns whether
/// it was known.
///
/// # Errors
/// When the database fails.
pub async fn forget_customer(app: &App, customer: &CustomerId) -> Result<bool, StoreError> {
    let is_known = app.db.write(Gone { customer: customer.clone(), now_ms: app.clock.now_ms() }).await?;
    if is_known {
        tracing::warn!(%customer, "Stripe no longer has this customer; another one is made when it is needed");
    }
    Ok(is_known)
}

/// The idempotency key. Another installation on the same Stripe account has its own customers, also for an account of
/// the same name, so the time of the row is a part of it.
fn key(account: &AccountId, row: &CustomerRow) -> String {
    let digest = hex::encode(Sha256::digest(account.as_str()));
    let digest = digest.get(..32).unwrap_or_default();
    format!("customer-{digest}-{}-{}", row.created_at, row.generation)
}

const fn is_final(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Refused(_)
            | ProviderError::Unknown(_)
            | ProviderError::AmountTooSmall(_)
            | ProviderError::Unsupported(_)
    )
}

fn pause(app: &App, number: u32) -> Duration {
    app.checkout.first_pause.saturating_mul(1_u32.checked_shl(number).unwrap_or(u32::MAX))
}

/// Begins to make a customer. Returns the row, which another process may have completed meanwhile.
struct Begin {
    whose: Whose,
    now_ms: i64,
}

impl Write for Begin {
    type Output = CustomerRow;

    async fn run(&self, tx: &mut Tx) -> Result<CustomerRow, StoreError> {
        customer_rows::begin(tx, &self.whose, self.now_ms).await?;
        row(tx, &self.whose).await
    }
}

/// Stores the customer. Returns the one that is stored afterwards.
struct Store {
    whose: Whose,
    generation: i64,
    customer: CustomerId,
    now_ms: i64,
}

impl Store {
    fn new(app: &App, whose: &Whose, row: &CustomerRow, customer: CustomerId) -> Self {
        Self { whose: whose.clone(), generation: row.generation, customer, now_ms: app.clock.now_ms() }
    }
}

impl Write for Store {
    type Output = CustomerId;

    async fn run(&self, tx: &mut Tx) -> Result<CustomerId, StoreError> {
        customer_rows::store(tx, &self.whose, self.generation, &self.customer, self.now_ms).await?;
        let stored = row(tx, &self.whose).await?.customer(self.whose.provider)?;
        Ok(stored.unwrap_or_else(|| self.customer.clone()))
    }
}

async fn row(tx: &mut Tx, whose: &Whose) -> Result<CustomerRow, StoreError> {
    let row = customer_rows::find(tx, whose).await?;
    row.ok_or_else(|| StoreError::corrupt("no row of the customer of", &whose.account))
}

struct NextKey {
    whose: Whose,
    generation: i64,
    now_ms: i64,
}

impl Write for NextKey {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        customer_rows::next_key(tx, &self.whose, self.generation, self.now_ms).await
    }
}

struct Gone {
    customer: CustomerId,
    now_ms: i64,
}

impl Write for Gone {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        customer_rows::gone(tx, &self.customer, self.now_ms).await
    }
}
