//! Names of things: ours, with a prefix that says what they are, and Stripe's, which we only pass on.

use std::fmt;

/// Stripe says that its ids may have up to 255 characters and that their prefixes are no contract.
pub const MAX_STRIPE_ID_CHARACTERS: usize = 255;

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

macro_rules! stripe_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Takes an id as Stripe wrote it.
            ///
            /// # Errors
            /// When it is empty, too long, or has characters that no Stripe id has (it becomes part of a path).
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid = (1..=MAX_STRIPE_ID_CHARACTERS).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
                if valid { Ok(Self(text)) } else { Err(InvalidId(stringify!($name))) }
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
    /// A refund that was asked for here (not Stripe's refund).
    RefundRequestId,
    "refund_"
);
own_id!(
    /// Credits that a person gave or took.
    AdjustmentId,
    "adjustment_"
);
own_id!(
    /// One comparison with Stripe's books.
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
stripe_id!(
    /// A Checkout Session of Stripe (`cs_…`).
    SessionId
);
stripe_id!(
    /// A PaymentIntent of Stripe (`pi_…`).
    PaymentIntentId
);
stripe_id!(
    /// A Charge of Stripe (`ch_…`, `py_…`).
    ChargeId
);
stripe_id!(
    /// A refund of Stripe (`re_…`, `pyr_…`).
    RefundId
);
stripe_id!(
    /// A dispute of Stripe (`du_…`, `dp_…`).
    DisputeId
);
stripe_id!(
    /// A movement on the Stripe account's balance (`txn_…`).
    BalanceTransactionId
);
stripe_id!(
    /// A webhook event of Stripe (`evt_…`).
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
    fn a_stripe_id_cannot_leave_its_place_in_a_path() {
        assert!(SessionId::parse("cs_test_a1B2").is_ok());
        for text in ["", "cs/../x", "cs test", "cs?x", "cs_%2e", &"c".repeat(256)] {
            assert!(SessionId::parse(text).is_err(), "{text}");
        }
    }
}
