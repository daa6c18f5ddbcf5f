//! The simulator: the real routes, use cases, store and Stripe client of ours, in one thread and in simulated time,
//! against the sandbox's model of Stripe; with everything that can go wrong between them. A seed decides all of it, so
//! that what was found once is found again. It is no part of the library.

mod acts;
mod books;
mod calls;
mod checks;
mod clock;
mod network;
mod observer;
mod process;
mod rng;
mod stripe;
mod truth;
mod world;

pub use world::World;
