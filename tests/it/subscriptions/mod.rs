//! Plans, subscriptions and what their periods bring.

mod credits;
mod http;
mod money_back;
mod orders;
mod plans;
mod provider;
mod states;
mod world;
