//! Auto top-up: buys credits with a saved card when an account runs low.
//!
//! The write that crosses the threshold inserts one row into a queue (`books/refill.rs`). A worker takes it under a
//! lease, stores the top-up and its attempt (`begin`), charges the card (`charge`), and stores what came of it
//! (`finish`). The money is credited by the code path of any payment, so it does not matter whether the answer, an
//! event or the reconciliation tells of it first.
//!
//! Invariants: an account has at most one attempt under way, by a unique index. No second attempt is begun for a
//! crossing before the first one is known to have failed and its payment is cancelled. A card is charged only with the
//! consent that is stored beside the settings.

pub mod attempts;
pub(crate) mod begin;
pub mod change;
pub(crate) mod charge;
mod charged_card;
pub(crate) mod finish;
pub mod job;
mod notices;
pub(crate) mod queue;
pub mod recovery;
pub mod resume;
pub mod settings;
pub mod show;
