//! Saved cards: how they are saved, listed, removed and charged without the customer.

use async_trait::async_trait;

use super::{CheckoutRequest, ListPage, ProviderError, Unsupported};
use crate::domain::auto_topup::{CardFacts, Decline};
use crate::domain::checkout::PurchaseReport;
use crate::domain::ids::{CustomerId, PaymentId, PaymentMethodId, SessionId, SetupId, TopupId};

/// A card that a customer saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCard {
    /// Its id at the provider.
    pub id: PaymentMethodId,
    /// What it is.
    pub facts: CardFacts,
    /// When it was saved, in milliseconds since 1970.
    pub created_ms: i64,
}

/// A request for a page on which a customer saves a card without buying anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardSetupRequest {
    /// The account, for the metadata.
    pub account_id: String,
    /// Whose card it will be.
    pub customer: CustomerId,
    /// The currency of later charges, in lower case.
    pub currency: String,
    /// Where the customer is sent afterwards.
    pub success_url: String,
    /// Where the customer is sent after cancelling.
    pub cancel_url: Option<String>,
    /// When the page ends, in seconds since 1970.
    pub expires_at_seconds: i64,
}

/// A page on which a customer saves a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSetup {
    /// The checkout session's id.
    pub session: SessionId,
    /// The URL of the page.
    pub url: String,
    /// When the page ends, in seconds since 1970.
    pub expires_at_seconds: i64,
}

/// Saves, lists and removes cards.
#[async_trait]
pub trait CardOps: Send + Sync {
    /// Opens a page on which the customer saves a card. The same key and request open it once.
    async fn open_setup(&self, request: &CardSetupRequest, key: &str) -> Result<OpenedSetup, ProviderError>;

    /// The card that a customer saved on such a page; `None` if none was saved.
    async fn card_of_setup(&self, setup: &SetupId) -> Result<Option<PaymentMethodId>, ProviderError>;

    /// A customer's cards, newest first; none if the provider does not have the customer.
    async fn list_cards(&self, customer: &CustomerId) -> Result<Vec<SavedCard>, ProviderError>;

    /// A customer's card; `None` if it is not, or no longer, the customer's.
    async fn read_card(
        &self,
        customer: &CustomerId,
        card: &PaymentMethodId,
    ) -> Result<Option<SavedCard>, ProviderError>;

    /// Removes a card for good. The caller knows whose it is.
    async fn remove_card(&self, card: &PaymentMethodId) -> Result<(), ProviderError>;

    /// Makes a card the one that is charged where none is named.
    async fn set_default_card(&self, customer: &CustomerId, card: &PaymentMethodId) -> Result<(), ProviderError>;
}

/// What came of a charge without the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charge {
    /// The money has arrived or is on its way: the report is applied as any other.
    Made(Box<PurchaseReport>),
    /// The bank declined.
    Declined {
        /// The payment, which may have to be cancelled: the provider would let it be paid later.
        payment: Option<PaymentId>,
        /// Why.
        decline: Decline,
    },
}

/// Charges saved cards while the customer is not there.
#[async_trait]
pub trait OffSessionOps: Send + Sync {
    /// Charges the request's card. The same key and request charge once, however often this is called. A declined card
    /// is an answer and not an error.
    async fn charge_card(&self, request: &CheckoutRequest, key: &str) -> Result<Charge, ProviderError>;

    /// The charge that was made for a top-up within a time (from, to, in milliseconds since 1970); `None` if there is
    /// none. For when it is unknown whether a call has made it.
    async fn find_charge(
        &self,
        topup: &TopupId,
        customer: &CustomerId,
        within_ms: (i64, i64),
    ) -> Result<Option<Charge>, ProviderError>;

    /// Cancels a declined payment, so that it cannot be paid any more. Returns what is known afterwards: it may have
    /// been paid meanwhile.
    async fn cancel_charge(&self, payment: &PaymentId) -> Result<Charge, ProviderError>;

    /// A page of the charges made since a time (seconds since 1970), as [`ListOps`](super::ListOps) lists checkouts.
    async fn list_charges(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<PurchaseReport>, ProviderError>;
}

const NO_CARDS: ProviderError = ProviderError::Unsupported("to keep cards");
const NO_CHARGES: ProviderError = ProviderError::Unsupported("to charge saved cards");

#[async_trait]
impl CardOps for Unsupported {
    async fn open_setup(&self, _: &CardSetupRequest, _: &str) -> Result<OpenedSetup, ProviderError> {
        Err(NO_CARDS)
    }

    async fn card_of_setup(&self, _: &SetupId) -> Result<Option<PaymentMethodId>, ProviderError> {
        Err(NO_CARDS)
    }

    async fn list_cards(&self, _: &CustomerId) -> Result<Vec<SavedCard>, ProviderError> {
        Err(NO_CARDS)
    }

    async fn read_card(&self, _: &CustomerId, _: &PaymentMethodId) -> Result<Option<SavedCard>, ProviderError> {
        Err(NO_CARDS)
    }

    async fn remove_card(&self, _: &PaymentMethodId) -> Result<(), ProviderError> {
        Err(NO_CARDS)
    }

    async fn set_default_card(&self, _: &CustomerId, _: &PaymentMethodId) -> Result<(), ProviderError> {
        Err(NO_CARDS)
    }
}

#[async_trait]
impl OffSessionOps for Unsupported {
    async fn charge_card(&self, _: &CheckoutRequest, _: &str) -> Result<Charge, ProviderError> {
        Err(NO_CHARGES)
    }

    async fn find_charge(&self, _: &TopupId, _: &CustomerId, _: (i64, i64)) -> Result<Option<Charge>, ProviderError> {
        Err(NO_CHARGES)
    }

    async fn cancel_charge(&self, _: &PaymentId) -> Result<Charge, ProviderError> {
        Err(NO_CHARGES)
    }

    async fn list_charges(&self, _: i64, _: Option<&str>) -> Result<ListPage<PurchaseReport>, ProviderError> {
        Err(NO_CHARGES)
    }
}
