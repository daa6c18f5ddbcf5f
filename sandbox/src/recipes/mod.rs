//! Recipes: API calls in order that cause a certain event, like the triggers of Stripe's command line tool.
//!
//! What always holds: a recipe only sends requests that anyone could send; the event it is named after, and those around
//! it, are what these requests cause. It knows nothing of the model and works on any running sandbox.

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
