//! Payments at the provider. A transaction about a payment, or about a refund or dispute of it, writes the payment's
//! row first, which locks it against other such transactions.

use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};
use crate::domain::ids::{PaymentId, SessionId, TopupId};
use crate::domain::payment::PaymentRole;

/// A stored payment.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Payment {
    /// The provider's payment id.
    pub provider_payment_id: String,
    /// The provider's name.
    pub provider: String,
    /// The top-up.
    pub topup_id: String,
    /// `waiting`, `credited` or `surplus`.
    pub state: String,
    /// The checkout session, once known.
    pub provider_session_id: Option<String>,
    /// The charge, once known.
    pub provider_charge_id: Option<String>,
    /// The balance transaction that shows the fee, once known.
    pub provider_fee_id: Option<String>,
    /// The fee that the provider kept, in minor units, once known.
    pub real_fee: Option<i64>,
    /// The currency of the fee.
    pub real_fee_currency: Option<String>,
    /// When the payment was first recorded, in milliseconds since 1970.
    pub created_at: i64,
}

statements! {
    /// A credited payment stays credited; a waiting one takes the new role.
    TOUCH = "INSERT INTO payments (provider_payment_id, provider, topup_id, state, provider_session_id, \
        charged_amount, writes, created_at, updated_at) \
        VALUES (:payment, :provider, :topup, :role, :session, :charged, 1, :now_ms, :now_ms) ON CONFLICT (provider_payment_id, \
        provider) DO UPDATE SET \
        writes = payments.writes + 1, updated_at = excluded.updated_at, \
        provider_session_id = COALESCE(payments.provider_session_id, excluded.provider_session_id), \
        charged_amount = COALESCE(excluded.charged_amount, payments.charged_amount), \
        state = CASE WHEN payments.state = 'credited' OR excluded.state = 'waiting' THEN payments.state \
        ELSE excluded.state END \
        RETURNING topup_id, writes";
    FIND = "SELECT provider_payment_id, provider, topup_id, state, provider_session_id, provider_charge_id, \
        provider_fee_id, real_fee, \
        real_fee_currency, created_at FROM payments WHERE provider_payment_id = :payment AND provider = :provider";
    OF_TOPUP = "SELECT provider_payment_id, provider, topup_id, state, provider_session_id, provider_charge_id, \
        provider_fee_id, real_fee, \
        real_fee_currency, created_at FROM payments WHERE topup_id = :topup ORDER BY created_at, provider_payment_id \
        LIMIT 100";
}

#[derive(sqlx::FromRow)]
struct Touched {
    topup_id: String,
    writes: i64,
}

/// Writes a payment's row, which locks it until the transaction ends. Returns how many times the row has been written,
/// including this time. `charged_minor` is stored only of a surplus payment.
///
/// # Errors
/// When the database fails, or the payment belongs to another top-up: the provider has one payment per session.
pub async fn touch(
    tx: &mut Tx,
    payment: &PaymentId,
    topup: &TopupId,
    role: PaymentRole,
    session: Option<&SessionId>,
    charged_minor: Option<i64>,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let values = args![
        payment = payment.as_str(),
        provider = payment.provider().as_str(),
        topup = topup.as_str(),
        role = role.as_str(),
        session = session.map(SessionId::as_str),
        charged = charged_minor,
        now_ms
    ];
    let row = tx.fetch_optional::<Touched>(&TOUCH, &values).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("no row after writing payment", payment))?;
    if row.topup_id == topup.as_str() {
        Ok(row.writes)
    } else {
        Err(StoreError::corrupt("another top-up's payment is claimed by", topup))
    }
}

impl Db {
    /// Finds a payment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payment(&self, payment: &PaymentId) -> Result<Option<Payment>, StoreError> {
        self.read_optional(&FIND, &args![payment = payment.as_str(), provider = payment.provider().as_str()]).await
    }

    /// The payments of a top-up, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payments_of(&self, topup: &TopupId) -> Result<Vec<Payment>, StoreError> {
        self.read_all(&OF_TOPUP, &args![topup = topup.as_str()]).await
    }
}
