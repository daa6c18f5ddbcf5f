//! Names of things: our own, with a prefix that says what they are, and the payment providers', each with its provider.

use std::fmt;

use crate::domain::provider::ProviderName;

/// How long a provider's id may be. Stripe says that its ids have up to 255 characters, and that their prefixes are no
/// contract.
pub const MAX_PROVIDER_ID_CHARACTERS: usize = 255;

/// Why a text is no id of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct InvalidId(pub &'static str);

macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// What every such id starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes the id from 128 bits that nobody else has.
            #[must_use]
            pub fn from_bits(bits: u128) -> Self {
                Self(format!(concat!($prefix, "{:032x}"), bits))
            }

            /// Reads an id.
            ///
            /// # Errors
            /// When it is not the prefix and 32 lower-case hexadecimal digits.
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
            /// Takes an id as its provider wrote it.
            ///
            /// # Errors
            /// When it is empty, too long, or has characters other than letters, digits, `_` and `-` (it becomes part of a
            /// path).
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

            /// Which provider gave it.
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
    /// One purchase of credits.
    TopupId,
    "topup_"
);
own_id!(
    /// One line of the books.
    LedgerEntryId,
    "entry_"
);
own_id!(
    /// A refund that was asked for here (not the provider's refund).
    RefundRequestId,
    "refund_"
);
own_id!(
    /// Credits that a person gave or took.
    AdjustmentId,
    "adjustment_"
);
own_id!(
    /// One comparison with the provider's books.
    ReconciliationId,
    "reconciliation_"
);
own_id!(
    /// One server's credential (not its secret).
    ApiKeyId,
    "key_"
);
own_id!(
    /// One HTTP request, in logs and in the `x-request-id` header.
    RequestId,
    "req_"
);
provider_id!(
    /// A checkout session (at Stripe `cs_…`).
    SessionId
);
provider_id!(
    /// A payment (at Stripe a PaymentIntent, `pi_…`).
    PaymentId
);
provider_id!(
    /// An attempt to take a payment's money (at Stripe a Charge, `ch_…`, `py_…`).
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
    /// What says how much the provider kept of a payment (at Stripe a balance transaction, `txn_…`).
    FeeId
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
