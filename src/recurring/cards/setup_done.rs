//! A customer has saved a card on a page: it becomes the default, which the provider does not do by itself.

use crate::app::App;
use crate::domain::account::AccountId;
use crate::domain::ids::{CustomerId, SetupId};
use crate::recurring::auto_topup::resume;
use crate::recurring::cards::keep_cards::CardError;

/// Makes the saved card the default, unless a newer one was saved meanwhile: an event may come late or twice. Returns a
/// word for the log; `None` if the customer is no account's here.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub async fn setup_done(
    app: &App,
    customer: &CustomerId,
    account: &AccountId,
    setup: &SetupId,
) -> Result<Option<&'static str>, CardError> {
    if app.db.account_of_customer(customer).await?.as_ref() != Some(account) {
        return Ok(None);
    }
    let Some(card) = app.provider.cards.card_of_setup(setup).await? else { return Ok(Some("no_card_saved")) };
    let cards = app.provider.cards.list_cards(customer).await?;
    let Some(saved) = cards.iter().find(|saved| saved.id == card) else { return Ok(Some("card_removed")) };
    if cards.iter().any(|other| other.created_ms > saved.created_ms) {
        return Ok(Some("newer_card_saved"));
    }
    app.provider.cards.set_default_card(customer, &card).await?;
    resume::card_saved(app, account, &card).await?;
    Ok(Some("card_saved"))
}
