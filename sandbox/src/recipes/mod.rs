//! Recipes: API calls in order that cause a certain event, like the triggers of Stripe's command line tool.
//!
//! What always holds: a recipe only sends requests that anyone could send; the event it is named after, and those around
//! it, are what these requests cause. It knows nothing of the model and works on any running sandbox.

mod checkout;
mod client;
mod money_back;
mod payments;
mod references;
mod runner;

pub use runner::{Change, StepDone, TriggerError, trigger};

/// The calls that cause an event.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// The type of the event.
    pub name: &'static str,
    pub(crate) steps: &'static [Step],
}

/// One call. `${step:path.to.member}` stands for a member of an earlier step's answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Form parameters; below `/_sandbox/`, members of the JSON body.
    pub(crate) params: &'static [(&'static str, &'static str)],
    /// The step is meant to fail with an error of this type.
    pub(crate) fails_with: Option<&'static str>,
}

const fn post(name: &'static str, path: &'static str, params: &'static [(&'static str, &'static str)]) -> Step {
    Step { name, method: "POST", path, params, fails_with: None }
}

const fn get(name: &'static str, path: &'static str) -> Step {
    Step { name, method: "GET", path, params: &[], fails_with: None }
}

impl Step {
    const fn fails_with(self, kind: &'static str) -> Self {
        Self { fails_with: Some(kind), ..self }
    }
}

/// All recipes, in the order of their names' areas.
pub fn recipes() -> impl Iterator<Item = &'static Recipe> {
    checkout::RECIPES.iter().chain(payments::RECIPES).chain(money_back::RECIPES)
}
