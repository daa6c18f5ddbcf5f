//! Chooses the card to charge, as the provider has it now: it may have been removed, replaced or have expired since the
//! customer chose it.

use crate::app::App;
use crate::customers::ensure_customer::{forget_customer, known_customer};
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::auto_topup::PauseReason;
use crate::domain::ids::{CustomerId, PaymentMethodId};
use crate::providers::port::{ProviderError, SavedCard};

/// A card to charge, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct ChargedCard {
    pub(crate) customer: CustomerId,
    pub(crate) card: SavedCard,
}

/// Why it is not known which card to charge.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChooseError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The named card; otherwise the customer's default, or the newest if there is no default. Or why none can be charged.
pub(crate) async fn choose(
    app: &App,
    account: &AccountId,
    named: Option<&PaymentMethodId>,
) -> Result<Result<ChargedCard, PauseReason>, ChooseError> {
    let Some(id) = known_customer(app, account).await? else { return Ok(Err(PauseReason::NoCard)) };
    let Some(customer) = app.provider.customers.read_customer(&id).await? else {
        forget_customer(app, &id).await?;
        return Ok(Err(PauseReason::NoCard));
    };
    let card = match named.or(customer.default_card.as_ref()) {
        Some(card) => app.provider.cards.read_card(&id, card).await?,
        None => None,
    };
    let card = match card {
        None if named.is_none() => app.provider.cards.list_cards(&id).await?.into_iter().next(),
        card => card,
    };
    Ok(match card {
        None => Err(PauseReason::NoCard),
        Some(card) if card.facts.is_expired(app.clock.now_ms()) => Err(PauseReason::CardExpired),
        Some(card) => Ok(ChargedCard { customer: id, card }),
    })
}
