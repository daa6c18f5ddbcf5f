//! Payment providers: one suite of checks that each must pass (`contract/`), and what happens outside of the service
//! (`world.rs`). `invented/` is a provider that exists only here, so that nothing in the service relies on Stripe unnoticed.

/// Writes a check once and runs it on every provider. A new provider is a line here.
macro_rules! on_every_provider {
    ($($(#[$doc:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {
        $($(#[$doc])* mod $name {
            #[allow(unused_imports, reason = "a check need not use everything around it")]
            use super::*;

            async fn check<W: $crate::providers::world::World>($world: &mut W) $body

            async fn on(mut world: impl $crate::providers::world::World) {
                check(&mut world).await;
                world.stop().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_stripe() {
                on($crate::providers::stripe::StripeWorld::start().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_invented() {
                on($crate::providers::invented::AcmeWorld::start()).await;
            }
        })+
    };
}

mod contract;
mod invented;
mod stripe;
mod world;
