//! The customer's receipt of a paid top-up. The provider shows it and keeps it current, with refunds; it is asked for the
//! address each time, because addresses of receipts end.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::account::Visible;
use crate::domain::checkout::TopupState;
use crate::domain::ids::{SessionId, TopupId};
use crate::providers::port::ProviderError;
use crate::purchases::checkout::check_session::check_session;
use crate::purchases::topups::Topup;

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The top-up does not exist, or the caller may not see it.
    #[error("there is no such top-up")]
    NotFound,
    /// It is not paid, or the provider has no receipt of its payment.
    #[error("there is no receipt: {0}")]
    None(&'static str),
    /// The provider cannot be asked.
    #[error("Stripe cannot be asked about the receipt")]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The address of a top-up's receipt.
///
/// # Errors
/// See [`ReceiptError`].
pub async fn receipt_of_topup(app: &App, id: &TopupId, visible: &Visible) -> Result<String, ReceiptError> {
    let topup = app.db.topup(id).await?.filter(|topup| visible.has(topup.account.as_str()));
    receipt(app, &topup.ok_or(ReceiptError::NotFound)?).await
}

/// The address of the receipt of a checkout session, for its customer.
///
/// # Errors
/// See [`ReceiptError`].
pub async fn receipt_of_session(app: &App, id: &SessionId, visible: &Visible) -> Result<String, ReceiptError> {
    receipt(app, &check_session(app, id, visible).await?.ok_or(ReceiptError::NotFound)?).await
}

async fn receipt(app: &App, topup: &Topup) -> Result<String, ReceiptError> {
    let payment = topup.payment.as_ref().filter(|_| topup.state == TopupState::Paid);
    let payment = payment.ok_or(ReceiptError::None("the top-up is not paid"))?;
    let url = app.provider.payments.read_receipt(payment).await?;
    url.ok_or(ReceiptError::None("the payment provider has none of this payment"))
}
