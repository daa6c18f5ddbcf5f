//! Recipes: sequences of API calls that cause a given event, like `stripe trigger` of the Stripe CLI.
//!
//! Invariants: a recipe only sends requests that any client could send; these requests cause the event it is named
//! after, and the related ones. It does not know the model and works on any running sandbox.

mod all;
mod checkout;
mod client;
mod money_back;
mod payments;
mod recipe;
mod references;
mod runner;

pub use all::recipes;
pub use recipe::Recipe;
pub use runner::{Change, StepDone, TriggerError, trigger};
