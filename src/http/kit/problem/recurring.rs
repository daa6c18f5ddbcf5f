//! Errors about saved cards and auto top-up.

use actix_web::http::StatusCode;

use crate::customers::ensure_customer::CustomerError;
use crate::http::kit::problem::ApiError;
use crate::recurring::auto_topup::change::TurnOnError;
use crate::recurring::auto_topup::recovery::RecoveryError;
use crate::recurring::cards::keep_cards::CardError;

impl ApiError {
    /// No cards are saved here.
    pub(crate) fn saved_cards_off() -> Self {
        Self::new(StatusCode::CONFLICT, "saved_cards_off", "no cards are saved here (SAVED_CARDS=off)")
    }

    /// No saved cards are charged here.
    pub(crate) fn auto_topup_off() -> Self {
        Self::new(StatusCode::CONFLICT, "auto_topup_off", "no saved cards are charged here (AUTO_TOPUP=off)")
    }

    /// The account has no such card.
    pub(crate) fn no_such_card() -> Self {
        Self::not_found("there is no such card")
    }
}

impl From<CustomerError> for ApiError {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Store(error) => error.into(),
            CustomerError::Provider(error) => Self::not_told(&error),
        }
    }
}

impl From<CardError> for ApiError {
    fn from(error: CardError) -> Self {
        match error {
            CardError::NotFound => Self::no_such_card(),
            CardError::Store(error) => error.into(),
            CardError::Provider(error) => Self::not_told(&error),
        }
    }
}

impl From<TurnOnError> for ApiError {
    fn from(error: TurnOnError) -> Self {
        match error {
            TurnOnError::NotForSale(error) => error.into(),
            TurnOnError::NotSoldIn(error) => error.into(),
            TurnOnError::LimitTooLow { amount_minor } => {
                let message = format!("one purchase costs {amount_minor}; allow at least that for a month");
                Self::field("maxPerMonthMinor", "too_low", message)
            }
            TurnOnError::NoCard => {
                let detail = "the account has no such saved card; save one first (POST /payment-methods/sessions, or a \
                    checkout with saveCard)";
                Self::new(StatusCode::CONFLICT, "no_saved_card", detail)
            }
            TurnOnError::CardExpired => {
                let detail = "the saved card has expired; save another one first";
                Self::new(StatusCode::CONFLICT, "card_expired", detail)
            }
            TurnOnError::Provider(error) => Self::not_told(&error),
            TurnOnError::Store(error) => error.into(),
        }
    }
}

impl From<RecoveryError> for ApiError {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::NotNeeded => {
                let detail = "no payment waits for the customer; GET /auto-topup says where it stands";
                Self::new(StatusCode::CONFLICT, "recovery_not_needed", detail)
            }
            RecoveryError::Checkout(error) => error.into(),
        }
    }
}
