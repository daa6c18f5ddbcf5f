//! The simulator: the service's real routes, use cases, store and Stripe client, in one thread and in simulated time,
//! against the sandbox's model of Stripe, with faults everywhere between them. A seed decides everything, so a failure
//! can be reproduced. It is not part of the library.

pub mod acts;
pub mod automatic;
pub mod books;
mod calls;
pub mod checks;
pub mod clock;
mod deliveries;
pub mod disk;
mod fees;
mod jobs;
pub mod network;
mod observer;
mod operators;
pub mod payers;
pub mod periods;
pub mod plans;
pub mod process;
mod product;
pub mod rng;
mod spending;
pub mod stripe;
mod subscribers;
pub mod truth;
pub mod world;

pub use world::World;
