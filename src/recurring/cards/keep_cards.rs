//! The customer sees, chooses and removes saved cards.

use crate::app::App;
use crate::customers::ensure_customer::{forget_customer, known_customer};
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::ids::{CustomerId, PaymentMethodId};
use crate::providers::port::{ProviderError, SavedCard};
use crate::recurring::auto_topup::resume;

/// Why nothing is known or done about a card.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The account has no such card.
    #[error("there is no such card")]
    NotFound,
    /// The provider cannot be asked.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An account's cards.
#[derive(Debug, Clone, Default)]
pub struct Cards {
    /// The cards, newest first.
    pub cards: Vec<SavedCard>,
    /// The one that is charged where none is named.
    pub default: Option<PaymentMethodId>,
}

/// An account's cards; none before it has a customer.
///
/// # Errors
/// See [`CardError`].
pub async fn cards(app: &App, account: &AccountId) -> Result<Cards, CardError> {
    let Some(customer) = known_customer(app, account).await? else { return Ok(Cards::default()) };
    let Some(found) = app.provider.customers.read_customer(&customer).await? else {
        forget_customer(app, &customer).await?;
        return Ok(Cards::default());
    };
    let cards = app.provider.cards.list_cards(&customer).await?;
    Ok(Cards { cards, default: found.default_card })
}

/// The account's customer and card, if the card is the customer's.
async fn own(app: &App, account: &AccountId, card: &PaymentMethodId) -> Result<CustomerId, CardError> {
    let customer = known_customer(app, account).await?.ok_or(CardError::NotFound)?;
    let found = app.provider.cards.read_card(&customer, card).await?;
    found.map(|_| customer).ok_or(CardError::NotFound)
}

/// Makes a card the one that is charged where none is named.
///
/// # Errors
/// See [`CardError`].
pub async fn set_default(app: &App, account: &AccountId, card: &PaymentMethodId) -> Result<Cards, CardError> {
    let customer = own(app, account, card).await?;
    app.provider.cards.set_default_card(&customer, card).await?;
    resume::card_saved(app, account, card).await?;
    cards(app, account).await
}

/// Removes a card for good. An auto top-up that names it pauses.
///
/// # Errors
/// See [`CardError`].
pub async fn remove(app: &App, account: &AccountId, card: &PaymentMethodId) -> Result<(), CardError> {
    own(app, account, card).await?;
    app.provider.cards.remove_card(card).await?;
    tracing::info!(%card, "a saved card is removed");
    Ok(resume::card_removed(app, account, card).await?)
}
