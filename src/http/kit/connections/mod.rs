//! Bounds on the connections of clients: how many there are, and how long each may stay in one phase.
//!
//! The web server has no timer for most of what a client can leave undone: the head of a later request, the rest of a body
//! after the answer, an answer that is not read. Here every phase of a connection has a limit, which `Connections::sweep`
//! enforces. When the connections are all taken, a newcomer gets the place of the one that has kept the service waiting
//! longest, first among those of the address with the most. A connection whose request is being worked on is never closed
//! for a newcomer.

mod phase;
mod registry;
mod serve;

pub use crate::http::kit::connections::phase::{Connection, Exchange};
pub use crate::http::kit::connections::registry::{Admitted, ConnectionTimes, Connections};
pub use crate::http::kit::connections::serve::{ConnectionService, Stream};
