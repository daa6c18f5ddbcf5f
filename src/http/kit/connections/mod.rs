//! Limits on client connections: their number, and the time in each phase.
//!
//! The web server has no timer for most of what a client can leave unfinished: the head of a later request, the rest of
//! a body after the answer, an answer that is not read. Here every phase of a connection has a limit, enforced by
//! `Connections::sweep`. When all connections are taken, a new one replaces the one that has kept the service waiting
//! longest, starting with the address that has the most. A connection whose request is being processed is never
//! replaced.

mod phase;
mod registry;
mod serve;

pub use crate::http::kit::connections::phase::{Connection, Exchange};
pub use crate::http::kit::connections::registry::{Admitted, ConnectionTimes, Connections};
pub use crate::http::kit::connections::serve::{ConnectionService, Stream};
