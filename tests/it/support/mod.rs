//! The test harness: a complete service on a random port, with its own database and the sandbox as Stripe.

pub mod app;
pub mod books;
pub mod clock;
pub mod closure;
pub mod database;
pub mod fixed_server;
pub mod log;
pub mod pooler;
pub mod postgres;
pub mod process;
pub mod serve;
pub mod stripe;

pub use app::{Answer, Options, TestApp};
pub use closure::closure;
pub use database::Backend;
pub use fixed_server::FixedServer;

/// Defines tests that run on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$doc:meta])* async fn $name:ident($backend:ident: Backend) $body:block)+) => {
        $($(#[$doc])* mod $name {
            #[allow(unused_imports, reason = "a test need not use everything around it")]
            use super::*;

            async fn on($backend: $crate::support::Backend) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                on($crate::support::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                on($crate::support::Backend::Postgres).await;
            }
        })+
    };
}

/// Waits for a condition. Fails the test after a minute and a half.
pub async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(90);
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(std::time::Instant::now() < deadline, "this never came: {what}");
        // Yields to other tasks; the condition itself does the I/O that takes time.
        tokio::task::yield_now().await;
    }
}
