//! Stripe's objects, as events and as answers of the API, whatever API version rendered them: one reader for each.
//!
//! Only the fields that we need are read; enums are open, unknown fields are passed over, a reference may be an id or a
//! whole object. A field that is missing is an error where it is needed, and nowhere else.

mod checkout_session;
mod dispute;
mod payment;
mod refund;

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

pub(super) use checkout_session::{Occasion, Session};
pub(super) use dispute::Dispute;
pub(super) use payment::{BalanceTransaction, Charge, PaymentIntent};
pub(super) use refund::Refund;

use crate::domain::checkout::PURPOSE;
use crate::domain::ids::{PaymentIntentId, TopupId};

/// An object of which only the id is of interest.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// An object with an id.
pub(super) trait Identified {
    fn into_id(self) -> String;
}

impl Identified for Named {
    fn into_id(self) -> String {
        self.id
    }
}

/// A reference to another object: its id, or the object itself.
pub(super) enum Expandable<T = Named> {
    Id(String),
    Object(Box<T>),
}

impl<T> Expandable<T> {
    pub(super) fn into_object(self) -> Option<T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(*object),
        }
    }
}

impl<T: Identified> Expandable<T> {
    pub(super) fn into_id(self) -> String {
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
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
}

/// Only the metadata: enough to see whether an object is ours, before the rest of it is read. Others may have anything
/// in theirs, of any shape.
#[derive(Deserialize)]
pub(super) struct Marked<'o> {
    #[serde(default, borrow)]
    metadata: Option<&'o RawValue>,
}

impl Marked<'_> {
    pub(super) fn topup(&self) -> Option<TopupId> {
        topup_in(&serde_json::from_str(self.metadata?.get()).ok()?)
    }
}

/// Which top-up metadata of any shape names, if it is of our purpose.
fn topup_in(metadata: &Value) -> Option<TopupId> {
    if metadata.get("purpose")?.as_str()? != PURPOSE {
        return None;
    }
    TopupId::parse(metadata.get("topupId")?.as_str()?).ok()
}

/// Which top-up metadata names, if it is of our purpose.
pub(super) fn topup_of(metadata: &HashMap<String, String>) -> Option<TopupId> {
    if metadata.get("purpose").map(String::as_str) != Some(PURPOSE) {
        return None;
    }
    TopupId::parse(metadata.get("topupId")?).ok()
}

/// Only the payment: enough to find out whose refund or dispute it is, before the rest of it is read.
#[derive(Deserialize)]
pub(super) struct OfPayment {
    #[serde(default)]
    pub(super) payment_intent: Option<Expandable>,
}

/// The id of the payment that an object names, if it names one.
pub(super) fn payment_intent<T: Identified>(
    reference: Option<Expandable<T>>,
) -> Result<Option<PaymentIntentId>, String> {
    let id = reference.map(|reference| PaymentIntentId::parse(reference.into_id())).transpose();
    id.map_err(|error| error.to_string())
}
