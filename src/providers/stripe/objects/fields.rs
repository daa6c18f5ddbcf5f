//! Common parts of Stripe's objects: ids, references, metadata.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::checkout::{PURPOSE, Seal};
use crate::domain::ids::{PaymentId, SubscriptionCheckoutId, TopupId};
use crate::providers::stripe::name::NAME;

/// An object of which only the id is read.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct IdOnly {
    pub(in crate::providers::stripe) id: String,
}

/// An object with an id.
pub(in crate::providers::stripe) trait Identified {
    fn into_id(self) -> String;
}

impl Identified for IdOnly {
    fn into_id(self) -> String {
        self.id
    }
}

/// A reference to another object: its id, or the object itself.
pub(in crate::providers::stripe) enum Expandable<T = IdOnly> {
    Id(String),
    Object(Box<T>),
}

impl<T> Expandable<T> {
    pub(in crate::providers::stripe) fn into_object(self) -> Option<T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(*object),
        }
    }
}

impl<T: Identified> Expandable<T> {
    pub(in crate::providers::stripe) fn into_id(self) -> String {
        match self {
            Self::Id(id) => id,
            Self::Object(object) => object.into_id(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Expandable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpandableVisitor(PhantomData))
    }
}

struct ExpandableVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ExpandableVisitor<T> {
    type Value = Expandable<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an id or an object")
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<Self::Value, E> {
        Ok(Expandable::Id(id.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|object| Expandable::Object(Box::new(object)))
    }
}

/// A page of a list.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct List<T> {
    pub(in crate::providers::stripe) data: Vec<T>,
    pub(in crate::providers::stripe) has_more: bool,
}

/// Only the metadata: enough to see whether an object is ours, before the rest is parsed. Other applications' metadata
/// may have any content and shape.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Marked<'o> {
    #[serde(default, borrow)]
    metadata: Option<&'o RawValue>,
}

impl Marked<'_> {
    pub(in crate::providers::stripe) fn topup(&self) -> Option<TopupId> {
        topup_in(&serde_json::from_str(self.metadata?.get()).ok()?)
    }
}

/// The top-up named in metadata of any shape, if its purpose is ours.
pub(in crate::providers::stripe) fn topup_in(metadata: &Value) -> Option<TopupId> {
    if metadata.get("purpose")?.as_str()? != PURPOSE {
        return None;
    }
    TopupId::parse(metadata.get("topupId")?.as_str()?).ok()
}

/// The value of the metadata key `purpose` of our subscriptions and of the checkouts that begin them.
pub(in crate::providers::stripe) const SUBSCRIPTION_PURPOSE: &str = "credits_subscription";

/// The checkout of a subscription named in metadata of any shape, if its purpose is ours.
pub(in crate::providers::stripe) fn subscription_checkout_in(metadata: &Value) -> Option<SubscriptionCheckoutId> {
    if metadata.get("purpose")?.as_str()? != SUBSCRIPTION_PURPOSE {
        return None;
    }
    SubscriptionCheckoutId::parse(metadata.get("checkoutId")?.as_str()?).ok()
}

/// The top-up named in metadata, if its purpose is ours.
pub(in crate::providers::stripe) fn topup_of(metadata: &HashMap<String, String>) -> Option<TopupId> {
    if metadata.get("purpose").map(String::as_str) != Some(PURPOSE) {
        return None;
    }
    TopupId::parse(metadata.get("topupId")?).ok()
}

/// The metadata keys of a seal.
pub(in crate::providers::stripe) const TERMS: &str = "terms";
pub(in crate::providers::stripe) const SIGNATURE: &str = "signature";

/// The seal in metadata.
pub(in crate::providers::stripe) fn seal_in(metadata: &HashMap<String, String>) -> Option<Seal> {
    let (signature, terms) = metadata.get(SIGNATURE).zip(metadata.get(TERMS))?;
    Some(Seal { terms: terms.clone(), signature: signature.clone() })
}

/// Only the payment: enough to find the top-up of a refund or dispute, before the rest is parsed.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct OfPayment {
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<Expandable>,
}

/// The id of the payment that an object refers to, if any.
pub(in crate::providers::stripe) fn payment_intent<T: Identified>(
    reference: Option<Expandable<T>>,
) -> Result<Option<PaymentId>, String> {
    let id = reference.map(|reference| PaymentId::parse(NAME, reference.into_id())).transpose();
    id.map_err(|error| error.to_string())
}
