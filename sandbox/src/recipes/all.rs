//! The list of recipes.

use super::{checkout, money_back, payments, recipe::Recipe};

/// All recipes, in the order of their names' areas.
pub fn recipes() -> impl Iterator<Item = &'static Recipe> {
    checkout::RECIPES.iter().chain(payments::RECIPES).chain(money_back::RECIPES)
}
