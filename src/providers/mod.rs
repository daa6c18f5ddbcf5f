//! Payment providers: the operations they offer ([`port`]), the events they deliver ([`event`]), and the
//! implementations.

pub mod event;
pub mod port;
pub mod stripe;
