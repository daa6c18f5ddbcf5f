//! Postal addresses, as customers and payment methods have them.

use serde::{Deserialize, Serialize};

use super::spec::{Field, Kind, optional};

/// An address. Every member may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Address {
    pub(crate) city: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) line1: Option<String>,
    pub(crate) line2: Option<String>,
    pub(crate) postal_code: Option<String>,
    pub(crate) state: Option<String>,
}

/// Where the goods of a payment are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Shipping {
    pub(crate) address: Address,
    pub(crate) carrier: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) tracking_number: Option<String>,
}

const TEXT: Kind = Kind::Unset(&Kind::Text(5_000));

/// The parameters of an address.
pub(crate) const ADDRESS: &[Field] = &[
    optional("city", TEXT),
    optional("country", TEXT),
    optional("line1", TEXT),
    optional("line2", TEXT),
    optional("postal_code", TEXT),
    optional("state", TEXT),
];
