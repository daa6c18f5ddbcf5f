//! The list of recipes.

use super::{checkout, money_back, payments, recipe::Recipe};

/// All recipes, grouped by area.
pub fn recipes() -> impl Iterator<Item = &'static Recipe> {
    checkout::RECIPES.iter().chain(payments::RECIPES).chain(money_back::RECIPES)
}
