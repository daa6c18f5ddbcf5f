//! The simulator: the real routes, use cases, store and Stripe client of ours, in one thread and in simulated time,
//! against the sandbox's model of Stripe; with everything that can go wrong between them. A seed decides all of it, so
//! that what was found once is found again. It is no part of the library.

pub mod acts;
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
pub mod process;
pub mod rng;
pub mod stripe;
pub mod truth;
pub mod world;

pub use world::World;
