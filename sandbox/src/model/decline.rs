//! Why a bank, or Stripe, declines a charge: Stripe's codes and messages (docs: "Decline codes", "Error codes").

use serde::{Deserialize, Serialize};

/// The reason a charge is declined, with the message shown to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// No reason given.
    Generic,
    /// Insufficient funds.
    InsufficientFunds,
    /// Reported lost.
    LostCard,
    /// Reported stolen.
    StolenCard,
    /// Too many attempts.
    VelocityExceeded,
    /// The card has expired.
    ExpiredCard,
    /// The security code is wrong.
    IncorrectCvc,
    /// The bank could not be reached.
    ProcessingError,
    /// Blocked before it reached the bank.
    Blocked,
    /// The number is not a test card.
    NotATestCard,
    /// The customer failed 3-D Secure.
    AuthenticationFailed,
    /// The customer failed 3-D Secure while saving a card.
    SetupAuthenticationFailed,
    /// A delayed payment failed.
    DebitReturned,
    /// The customer must authenticate but is off session.
    AuthenticationRequired,
    /// The bank declines without more detail.
    DoNotHonor,
    /// The bank asks to keep the card.
    PickupCard,
    /// The bank suspects fraud.
    Fraudulent,
    /// The bank does not allow this kind of payment.
    TransactionNotAllowed,
    /// The customer forbade this charge at the bank.
    RevocationOfAuthorization,
    /// The customer forbade all charges at the bank.
    RevocationOfAllAuthorizations,
    /// The bank asks for another try.
    TryAgainLater,
    /// The same amount was charged to the card moments ago.
    DuplicateTransaction,
}

impl Decline {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::ExpiredCard => "expired_card",
            Self::IncorrectCvc => "incorrect_cvc",
            Self::ProcessingError => "processing_error",
            Self::AuthenticationFailed => "payment_intent_authentication_failure",
            Self::SetupAuthenticationFailed => "setup_intent_authentication_failure",
            Self::DebitReturned => "payment_method_provider_decline",
            Self::AuthenticationRequired => "authentication_required",
            _ => "card_declined",
        }
    }

    /// Only a `card_declined` has a decline code.
    pub(crate) fn decline_code(self) -> Option<&'static str> {
        Some(match self {
            Self::Generic => "generic_decline",
            Self::InsufficientFunds => "insufficient_funds",
            Self::LostCard => "lost_card",
            Self::StolenCard => "stolen_card",
            Self::VelocityExceeded => "card_velocity_exceeded",
            Self::NotATestCard => "test_mode_live_card",
            Self::AuthenticationRequired => "authentication_required",
            Self::DoNotHonor => "do_not_honor",
            Self::PickupCard => "pickup_card",
            Self::Blocked | Self::Fraudulent => "fraudulent",
            Self::TransactionNotAllowed => "transaction_not_allowed",
            Self::RevocationOfAuthorization => "revocation_of_authorization",
            Self::RevocationOfAllAuthorizations => "revocation_of_all_authorizations",
            Self::TryAgainLater => "try_again_later",
            Self::DuplicateTransaction => "duplicate_transaction",
            Self::ExpiredCard
            | Self::IncorrectCvc
            | Self::ProcessingError
            | Self::AuthenticationFailed
            | Self::SetupAuthenticationFailed
            | Self::DebitReturned => return None,
        })
    }

    /// What the bank advises to do next, where it does.
    pub(crate) fn advice_code(self) -> Option<&'static str> {
        Some(match self {
            Self::Generic
            | Self::InsufficientFunds
            | Self::VelocityExceeded
            | Self::ProcessingError
            | Self::DoNotHonor
            | Self::TryAgainLater => "try_again_later",
            Self::ExpiredCard | Self::IncorrectCvc => "confirm_card_data",
            Self::LostCard
            | Self::StolenCard
            | Self::PickupCard
            | Self::Fraudulent
            | Self::TransactionNotAllowed
            | Self::RevocationOfAuthorization
            | Self::RevocationOfAllAuthorizations => "do_not_try_again",
            Self::Blocked
            | Self::NotATestCard
            | Self::AuthenticationFailed
            | Self::SetupAuthenticationFailed
            | Self::DebitReturned
            | Self::AuthenticationRequired
            | Self::DuplicateTransaction => return None,
        })
    }

    /// The decline with this decline code, or with this error code if it has none.
    pub(crate) fn by_code(code: &str) -> Option<Self> {
        ALL_DECLINES.iter().copied().find(|decline| decline.decline_code().unwrap_or_else(|| decline.code()) == code)
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Generic
            | Self::LostCard
            | Self::StolenCard
            | Self::Blocked
            | Self::DoNotHonor
            | Self::PickupCard
            | Self::Fraudulent
            | Self::RevocationOfAuthorization
            | Self::RevocationOfAllAuthorizations
            | Self::TryAgainLater => "Your card was declined.",
            Self::TransactionNotAllowed => "Your card does not support this type of purchase.",
            Self::DuplicateTransaction => {
                "A transaction with identical amount and credit card information was submitted very recently."
            }
            Self::InsufficientFunds => "Your card has insufficient funds.",
            Self::VelocityExceeded => {
                "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
            }
            Self::ExpiredCard => "Your card has expired.",
            Self::IncorrectCvc => "Your card's security code is incorrect.",
            Self::ProcessingError => "An error occurred while processing your card. Try again in a little bit.",
            Self::NotATestCard => {
                "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid \
                 test cards, visit: https://stripe.com/docs/testing."
            }
            Self::AuthenticationFailed | Self::SetupAuthenticationFailed => {
                "We are unable to authenticate your payment method. Please choose a different payment method and try \
                 again."
            }
            Self::DebitReturned => "The payment was declined by the bank.",
            Self::AuthenticationRequired => "Your card was declined. This transaction requires authentication.",
        }
    }
}

/// The declines that a bank can be made to give.
const ALL_DECLINES: &[Decline] = &[
    Decline::Generic,
    Decline::InsufficientFunds,
    Decline::LostCard,
    Decline::StolenCard,
    Decline::VelocityExceeded,
    Decline::ExpiredCard,
    Decline::IncorrectCvc,
    Decline::ProcessingError,
    Decline::AuthenticationRequired,
    Decline::DoNotHonor,
    Decline::PickupCard,
    Decline::Fraudulent,
    Decline::TransactionNotAllowed,
    Decline::RevocationOfAuthorization,
    Decline::RevocationOfAllAuthorizations,
    Decline::TryAgainLater,
    Decline::DuplicateTransaction,
];
