//! Money that comes again: saved cards, and purchases that a card pays for while its owner is not there.

pub mod auto_topup;
pub mod cards;
