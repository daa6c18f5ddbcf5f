//! Plans, subscriptions and what their periods bring.

mod credits;
mod edges;
pub mod end_to_end;
mod http;
mod money_back;
mod month;
mod orders;
mod plans;
mod provider;
mod states;
mod world;
