//! Payment providers: what each can do ([`port`]), what it says by itself ([`event`]), and those there are.

pub mod event;
pub mod port;
pub mod stripe;
