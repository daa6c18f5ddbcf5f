//! Opens a page on which a customer saves a card without buying anything.

use crate::app::App;
use crate::customers::ensure_customer::{CustomerError, ensure_customer, forget_customer};
use crate::domain::account::AccountId;
use crate::domain::redirect::RedirectUrl;
use crate::providers::port::{CardSetupRequest, OpenedSetup, ProviderError};
use crate::purchases::account_currency::account_prices;

/// The provider's code for an object that is not there: here the customer.
const MISSING: &str = "resource_missing";
/// The customer may be missing once; the second one was made just now.
const MAX_CUSTOMERS: u32 = 2;

/// Opens the page. The customer is made if the account has none, and anew if the provider has deleted it.
///
/// # Errors
/// When the provider does not open it, or the database fails. A page that was opened and whose address was lost ends by
/// itself.
pub async fn open_setup(
    app: &App,
    account: &AccountId,
    success_url: &RedirectUrl,
    cancel_url: Option<&RedirectUrl>,
) -> Result<OpenedSetup, CustomerError> {
    let currency = account_prices(app, account).await?.currency().as_str().to_owned();
    let mut last = None;
    for _ in 0..MAX_CUSTOMERS {
        let customer = ensure_customer(app, account).await?;
        let request = CardSetupRequest {
            account_id: account.as_str().to_owned(),
            customer: customer.clone(),
            currency: currency.clone(),
            success_url: success_url.as_str().to_owned(),
            cancel_url: cancel_url.map(|url| url.as_str().to_owned()),
            expires_at_seconds: app.checkout.expires_at_seconds(app.clock.now_ms()),
        };
        let key = format!("setup-{:032x}", app.ids.id_bits());
        match app.provider.cards.open_setup(&request, &key).await {
            Err(ProviderError::Refused(failure)) if failure.code == MISSING => {
                forget_customer(app, &customer).await?;
                last = Some(ProviderError::Refused(failure));
            }
            opened => {
                let opened = opened?;
                tracing::info!(key, session = %opened.session, "a page that saves a card is open");
                return Ok(opened);
            }
        }
    }
    Err(last.unwrap_or(ProviderError::TimedOut).into())
}
