//! Saved cards. The provider keeps them, and is asked each time: a card changes there by itself, and what is not stored
//! here cannot be stolen here.

pub mod keep_cards;
pub mod open_setup;
pub mod setup_done;
