//! The provider's fee for each payment: the balance transaction that shows it, when to ask for it, and the fee once
//! known.
//!
//! Invariant: a payment with a known charge and an unknown fee has a time at which the provider is asked, until the
//! most tries are used up; then the reconciliation has to find the fee. So neither a restart nor a crash loses a fee. A
//! fee moves no credits.

use crate::db::{Db, Tx, Write, args};
use crate::db::{StoreError, statements};
use crate::domain::fees::RealFee;
use crate::domain::ids::{ChargeId, FeeId, PaymentId};

/// A fee to ask the provider for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DueFee {
    /// The payment.
    pub provider_payment_id: String,
    /// The provider's name.
    pub provider: String,
    /// The balance transaction that shows the fee.
    pub provider_fee_id: String,
    /// When it is due, in milliseconds since 1970.
    pub fee_due_at: i64,
    /// How many times the provider was asked.
    pub fee_tries: i64,
}

statements! {
    EXPECT = "UPDATE payments SET provider_charge_id = COALESCE(:charge, provider_charge_id), provider_fee_id = \
        :fee_id, fee_due_at = :now_ms, \
        fee_tries = 0 WHERE provider_payment_id = :payment AND provider = :provider AND real_fee IS NULL";
    DUE = "SELECT provider_payment_id, provider, provider_fee_id, fee_due_at, fee_tries FROM payments \
        WHERE fee_due_at IS NOT NULL AND fee_due_at <= :now_ms AND provider_fee_id IS NOT NULL \
        ORDER BY fee_due_at LIMIT :limit";
    /// Only one process asks: the first that moves the time.
    CLAIM = "UPDATE payments SET fee_due_at = :until_ms, fee_tries = fee_tries + 1 \
        WHERE provider_payment_id = :payment AND provider = :provider AND fee_due_at = :fee_due_at AND real_fee IS \
        NULL";
    POSTPONE = "UPDATE payments SET fee_due_at = :until_ms WHERE provider_payment_id = :payment AND provider = \
        :provider AND real_fee IS NULL";
    STORE = "UPDATE payments SET provider_charge_id = COALESCE(:charge, provider_charge_id), provider_fee_id = \
        :fee_id, real_fee = :amount_minor, \
        real_fee_currency = :currency, updated_at = :now_ms, fee_due_at = NULL WHERE provider_payment_id = :payment \
        AND provider = :provider";
}

/// Stores which balance transaction will show a payment's fee. The payment's row must exist.
///
/// # Errors
/// When the database fails.
pub(crate) async fn expect(
    tx: &mut Tx,
    payment: &PaymentId,
    charge: &ChargeId,
    fee_id: &FeeId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        payment = payment.as_str(),
        provider = payment.provider().as_str(),
        charge = charge.as_str(),
        fee_id = fee_id.as_str(),
        now_ms
    ];
    tx.execute(&EXPECT, &values).await.map(drop)
}

/// Claims a fee until `until_ms`, to ask for it. Returns `false` if another process claimed it.
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &mut Tx, fee: &DueFee, until_ms: i64) -> Result<bool, StoreError> {
    let values = args![
        payment = fee.provider_payment_id.as_str(),
        provider = fee.provider.as_str(),
        fee_due_at = fee.fee_due_at,
        until_ms
    ];
    Ok(tx.execute(&CLAIM, &values).await? == 1)
}

/// Sets when the provider is asked again; `None` leaves the fee to the reconciliation.
///
/// # Errors
/// When the database fails.
pub async fn postpone(tx: &mut Tx, payment: &PaymentId, until_ms: Option<i64>) -> Result<(), StoreError> {
    tx.execute(&POSTPONE, &args![payment = payment.as_str(), provider = payment.provider().as_str(), until_ms])
        .await
        .map(drop)
}

/// Stores the fee of a payment.
///
/// # Errors
/// When the database fails.
pub async fn store(
    tx: &mut Tx,
    payment: &PaymentId,
    charge: Option<&str>,
    fee: &RealFee,
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        payment = payment.as_str(),
        provider = payment.provider().as_str(),
        charge,
        fee_id = fee.fee_id.as_str(),
        amount_minor = fee.amount_minor,
        currency = fee.currency.as_str(),
        now_ms
    ];
    tx.execute(&STORE, &values).await.map(drop)
}

/// Stores the fee of a payment, in a transaction of its own.
pub(crate) struct StoreFee {
    pub(crate) payment: PaymentId,
    /// The charge, if the provider named it.
    pub(crate) charge: Option<String>,
    pub(crate) fee: RealFee,
    pub(crate) now_ms: i64,
}

impl Write for StoreFee {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        store(tx, &self.payment, self.charge.as_deref(), &self.fee, self.now_ms).await
    }
}

impl Db {
    /// The fees that are due at `now_ms`, longest due first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_fees(&self, now_ms: i64, limit: i64) -> Result<Vec<DueFee>, StoreError> {
        self.read_all(&DUE, &args![now_ms, limit]).await
    }
}
