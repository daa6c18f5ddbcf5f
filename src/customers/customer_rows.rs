//! The rows of customers.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::CustomerId;
use crate::domain::provider::ProviderName;

statements! {
    FIND = "SELECT provider_customer_id, generation, created_at FROM customers \
        WHERE account_id = :account AND provider = :provider AND livemode = :livemode";
    BEGIN = "INSERT INTO customers (account_id, provider, livemode, provider_customer_id, generation, created_at, \
        updated_at) VALUES (:account, :provider, :livemode, NULL, 1, :now_ms, :now_ms) ON CONFLICT DO NOTHING";
    /// The first one that is stored stays.
    STORE = "UPDATE customers SET provider_customer_id = :customer, updated_at = :now_ms \
        WHERE account_id = :account AND provider = :provider AND livemode = :livemode \
        AND generation = :generation AND provider_customer_id IS NULL";
    NEXT_KEY = "UPDATE customers SET generation = generation + 1, updated_at = :now_ms \
        WHERE account_id = :account AND provider = :provider AND livemode = :livemode \
        AND generation = :generation AND provider_customer_id IS NULL";
    GONE = "UPDATE customers SET provider_customer_id = NULL, generation = generation + 1, updated_at = :now_ms \
        WHERE provider_customer_id = :customer AND provider = :provider";
    OWNER = "SELECT account_id FROM customers WHERE provider_customer_id = :customer AND provider = :provider";
}

/// Whose customer: an account, and where.
#[derive(Debug, Clone)]
pub(crate) struct Whose {
    pub(crate) account: AccountId,
    pub(crate) provider: ProviderName,
    pub(crate) livemode: bool,
}

#[derive(sqlx::FromRow)]
pub(crate) struct CustomerRow {
    pub(crate) provider_customer_id: Option<String>,
    pub(crate) generation: i64,
    pub(crate) created_at: i64,
}

#[derive(sqlx::FromRow)]
struct OwnerRow {
    account_id: String,
}

impl CustomerRow {
    /// The customer, if it is made.
    pub(crate) fn customer(&self, provider: ProviderName) -> Result<Option<CustomerId>, StoreError> {
        let id = self.provider_customer_id.as_ref().map(|id| CustomerId::parse(provider, id.as_str()));
        id.transpose().map_err(|error| StoreError::corrupt("customer", error))
    }
}

/// Begins to make a customer, unless there is a row.
pub(crate) async fn begin(tx: &mut Tx, whose: &Whose, now_ms: i64) -> Result<(), StoreError> {
    let Whose { account, provider, livemode } = whose;
    let values = args![account = account.as_str(), provider = provider.as_str(), livemode = *livemode, now_ms];
    tx.execute(&BEGIN, &values).await.map(drop)
}

/// The row of an account.
pub(crate) async fn find(tx: &mut Tx, whose: &Whose) -> Result<Option<CustomerRow>, StoreError> {
    let Whose { account, provider, livemode } = whose;
    let values = args![account = account.as_str(), provider = provider.as_str(), livemode = *livemode];
    tx.fetch_optional(&FIND, &values).await
}

/// Stores a customer that was made, unless another one is stored already.
pub(crate) async fn store(
    tx: &mut Tx,
    whose: &Whose,
    generation: i64,
    customer: &CustomerId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Whose { account, provider, livemode } = whose;
    let values = args![
        account = account.as_str(),
        provider = provider.as_str(),
        livemode = *livemode,
        generation,
        customer = customer.as_str(),
        now_ms
    ];
    tx.execute(&STORE, &values).await.map(drop)
}

/// Gives the next try another key, because the provider would repeat a failure under this one.
pub(crate) async fn next_key(tx: &mut Tx, whose: &Whose, generation: i64, now_ms: i64) -> Result<(), StoreError> {
    let Whose { account, provider, livemode } = whose;
    let values =
        args![account = account.as_str(), provider = provider.as_str(), livemode = *livemode, generation, now_ms];
    tx.execute(&NEXT_KEY, &values).await.map(drop)
}

/// Forgets a customer that the provider no longer has. `false` if it was no account's.
pub(crate) async fn gone(tx: &mut Tx, customer: &CustomerId, now_ms: i64) -> Result<bool, StoreError> {
    let values = args![customer = customer.as_str(), provider = customer.provider().as_str(), now_ms];
    Ok(tx.execute(&GONE, &values).await? == 1)
}

impl Db {
    /// The row of an account's customer.
    pub(crate) async fn customer_row(&self, whose: &Whose) -> Result<Option<CustomerRow>, StoreError> {
        let Whose { account, provider, livemode } = whose;
        let values = args![account = account.as_str(), provider = provider.as_str(), livemode = *livemode];
        self.read_optional(&FIND, &values).await
    }

    /// The account of a customer, if it is one of ours.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_of_customer(&self, customer: &CustomerId) -> Result<Option<AccountId>, StoreError> {
        let values = args![customer = customer.as_str(), provider = customer.provider().as_str()];
        let row: Option<OwnerRow> = self.read_optional(&OWNER, &values).await?;
        row.map(|row| AccountId::parse(row.account_id).map_err(|error| StoreError::corrupt("account", error)))
            .transpose()
    }
}
