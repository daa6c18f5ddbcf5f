//! What Stripe kept of each payment: by which movement it will say so, when it is asked again, and what it said.
//!
//! What always holds: a payment of which a charge was heard and whose fee is not known has a time at which Stripe is asked,
//! until it was asked too often; then the comparison with Stripe's books is left to learn it. So neither a restart nor a
//! crash forgets a fee. A fee moves no credits.

use crate::db::{Db, Tx, Write, args};
use crate::db::{StoreError, statements};
use crate::domain::fees::RealFee;
use crate::domain::ids::{ChargeId, FeeId, PaymentId};

/// A fee that Stripe is to be asked about.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DueFee {
    /// The payment.
    pub provider_payment_id: String,
    /// Its provider.
    pub provider: String,
    /// The movement on the Stripe account's balance that says it.
    pub provider_fee_id: String,
    /// When it was to be asked, in milliseconds since 1970.
    pub fee_due_at: i64,
    /// How often it was asked.
    pub fee_tries: i64,
}

statements! {
    EXPECT = "UPDATE payments SET provider_charge_id = COALESCE(:charge, provider_charge_id), provider_fee_id = :movement, fee_due_at = :now_ms, \
        fee_tries = 0 WHERE provider_payment_id = :payment AND provider = :provider AND real_fee IS NULL";
    DUE = "SELECT provider_payment_id, provider, provider_fee_id, fee_due_at, fee_tries FROM payments \
        WHERE fee_due_at IS NOT NULL AND fee_due_at <= :now_ms AND provider_fee_id IS NOT NULL \
        ORDER BY fee_due_at LIMIT :limit";
    /// One process asks: the first that moves the time.
    CLAIM = "UPDATE payments SET fee_due_at = :until_ms, fee_tries = fee_tries + 1 \
        WHERE provider_payment_id = :payment AND provider = :provider AND fee_due_at = :fee_due_at AND real_fee IS NULL";
    POSTPONE = "UPDATE payments SET fee_due_at = :until_ms WHERE provider_payment_id = :payment AND provider = :provider AND real_fee IS NULL";
    STORE = "UPDATE payments SET provider_charge_id = COALESCE(:charge, provider_charge_id), provider_fee_id = :fee_id, real_fee = :amount_minor, \
        real_fee_currency = :currency, updated_at = :now_ms, fee_due_at = NULL WHERE provider_payment_id = :payment AND provider = :provider";
}

/// Notes by which movement Stripe will say what it kept of a payment, whose row is there.
///
/// # Errors
/// When the database fails.
pub(crate) async fn expect(
    tx: &mut Tx,
    payment: &PaymentId,
    charge: &ChargeId,
    movement: &FeeId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        payment = payment.as_str(),
        provider = payment.provider().as_str(),
        charge = charge.as_str(),
        movement = movement.as_str(),
        now_ms
    ];
    tx.execute(&EXPECT, &values).await.map(drop)
}

/// Takes a fee to ask for it; `false` when another process did. Until `until_ms` nobody else asks.
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

/// Sets when Stripe is asked again; `None` means that it is left to the comparison of the books.
///
/// # Errors
/// When the database fails.
pub async fn postpone(tx: &mut Tx, payment: &PaymentId, until_ms: Option<i64>) -> Result<(), StoreError> {
    tx.execute(&POSTPONE, &args![payment = payment.as_str(), provider = payment.provider().as_str(), until_ms])
        .await
        .map(drop)
}

/// Stores what Stripe kept of a payment.
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

/// Stores what Stripe kept of a payment, in a transaction of its own.
pub(crate) struct StoreFee {
    pub(crate) payment: PaymentId,
    /// The charge, if Stripe named it.
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
    /// The fees that Stripe is to be asked about at a time, those that have waited longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_fees(&self, now_ms: i64, limit: i64) -> Result<Vec<DueFee>, StoreError> {
        self.read_all(&DUE, &args![now_ms, limit]).await
    }
}
