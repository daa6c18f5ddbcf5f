//! Ids: ours, whose prefix names the kind, and the providers', each stored with its provider.

use std::fmt;

use crate::domain::provider::ProviderName;

/// The longest provider id. Stripe says that its ids have up to 255 characters and that their prefixes are not
/// guaranteed.
pub const MAX_PROVIDER_ID_CHARACTERS: usize = 255;

/// The text is not a valid id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct InvalidId(pub &'static str);

macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The prefix of every id of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// Creates an id from 128 random bits.
            #[must_use]
            pub fn from_bits(bits: u128) -> Self {
                Self(format!(concat!($prefix, "{:032x}"), bits))
            }

            /// Parses an id.
            ///
            /// # Errors
            /// When the text is not the prefix followed by 32 lower-case hexadecimal digits.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let digits = text.strip_prefix($prefix).ok_or(InvalidId(stringify!($name)))?;
                let valid = digits.len() == 32
                    && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                if valid { Ok(Self(text.to_owned())) } else { Err(InvalidId(stringify!($name))) }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

macro_rules! provider_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            text: String,
            provider: ProviderName,
        }

        impl $name {
            /// Takes a provider's id.
            ///
            /// # Errors
            /// When it is empty, too long, or has characters other than letters, digits, `_` and `-` (it becomes part
            /// of a URL's path).
            pub fn parse(provider: ProviderName, text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid = (1..=MAX_PROVIDER_ID_CHARACTERS).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
                if valid { Ok(Self { text, provider }) } else { Err(InvalidId(stringify!($name))) }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.text
            }

            /// The provider that issued the id.
            #[must_use]
            pub const fn provider(&self) -> &ProviderName {
                &self.provider
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.text)
            }
        }
    };
}

own_id!(
    /// A top-up.
    TopupId,
    "topup_"
);
own_id!(
    /// A ledger entry.
    LedgerEntryId,
    "entry_"
);

impl LedgerEntryId {
    /// The least id that is drawn at this time or later. UUIDs of version 7 begin with 48 bits of milliseconds.
    #[must_use]
    pub fn first_at(time_ms: i64) -> Self {
        const LAST_MS: i64 = 0xFFFF_FFFF_FFFF;
        Self::from_bits(u128::try_from(time_ms.clamp(0, LAST_MS)).unwrap_or_default() << 80)
    }
}

own_id!(
    /// A refund request made here (not the provider's refund).
    RefundRequestId,
    "refund_"
);
own_id!(
    /// An adjustment of credits by an operator.
    AdjustmentId,
    "adjustment_"
);
own_id!(
    /// Credits spent.
    SpendId,
    "spend_"
);
own_id!(
    /// Spent credits that were given back.
    SpendRefundId,
    "spendrefund_"
);
own_id!(
    /// Credits reserved for a spend.
    HoldId,
    "hold_"
);
own_id!(
    /// A change that an operator made in the console.
    ChangeId,
    "change_"
);
own_id!(
    /// Credits given by an operator. (A purchase's grant has the id of the top-up.)
    GrantId,
    "grant_"
);
own_id!(
    /// An address of the product's that messages are sent to.
    EndpointId,
    "endpoint_"
);
own_id!(
    /// A checkout that begins a subscription.
    SubscriptionCheckoutId,
    "subscribe_"
);
own_id!(
    /// A comparison with the provider's books.
    ReconciliationId,
    "reconciliation_"
);
own_id!(
    /// A server's API key (not its secret).
    ApiKeyId,
    "key_"
);
own_id!(
    /// An HTTP request, in logs and in the `x-request-id` header.
    RequestId,
    "req_"
);
provider_id!(
    /// What a purchase is paid by: a checkout session (at Stripe `cs_…`), or the payment itself (`pi_…`) where a saved card
    /// is charged and there is no session.
    SessionId
);
provider_id!(
    /// A payment (at Stripe a PaymentIntent, `pi_…`).
    PaymentId
);
provider_id!(
    /// An attempt to charge for a payment (at Stripe a Charge, `ch_…`, `py_…`).
    ChargeId
);
provider_id!(
    /// A refund (at Stripe `re_…`, `pyr_…`).
    RefundId
);
provider_id!(
    /// A dispute (at Stripe `du_…`, `dp_…`).
    DisputeId
);
provider_id!(
    /// The record of the fee that the provider kept of a payment (at Stripe a balance transaction, `txn_…`).
    FeeId
);
provider_id!(
    /// A customer (at Stripe `cus_…`): whom the provider keeps cards for.
    CustomerId
);
provider_id!(
    /// A saved way to pay (at Stripe a `PaymentMethod`, `pm_…`).
    PaymentMethodId
);
provider_id!(
    /// A subscription (at Stripe `sub_…`).
    SubscriptionId
);
provider_id!(
    /// A price of a plan (at Stripe `price_…`).
    PriceId
);
provider_id!(
    /// An invoice (at Stripe `in_…`).
    InvoiceId
);
provider_id!(
    /// What saves a card on a page (at Stripe a `SetupIntent`, `seti_…`).
    SetupId
);
provider_id!(
    /// A warning of fraud or a review (at Stripe `issfr_…`, `prv_…`).
    FraudSignalId
);
provider_id!(
    /// A webhook event (at Stripe `evt_…`).
    EventId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_id_reads_back_and_nothing_else_does() {
        let id = TopupId::from_bits(7);
        assert_eq!(id.as_str(), "topup_00000000000000000000000000000007");
        assert_eq!(TopupId::parse(id.as_str()), Ok(id));
        for text in [
            "",
            "topup_",
            "topup_7",
            "entry_00000000000000000000000000000007",
            "topup_0000000000000000000000000000000G",
        ] {
            assert!(TopupId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_providers_id_cannot_leave_its_place_in_a_path() {
        let provider = ProviderName::new("stripe");
        assert!(SessionId::parse(provider, "cs_test_a1B2").is_ok());
        for text in ["", "cs/../x", "cs test", "cs?x", "cs_%2e", &"c".repeat(256)] {
            assert!(SessionId::parse(provider, text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_same_text_of_two_providers_is_two_ids() {
        let of = |provider| PaymentId::parse(ProviderName::new(provider), "pi_1").expect("an id");
        assert_ne!(of("stripe"), of("paddle"));
    }
}
