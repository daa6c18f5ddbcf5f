//! Transactions written as closures, for tests.

use futures_util::future::BoxFuture;
use topup::db::{StoreError, Tx, Write};

/// A write that runs a closure.
pub struct Closure<F>(F);

/// Turns a closure into a write. Like every write, it may run more than once.
pub fn closure<T, F>(run: F) -> Closure<F>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
{
    Closure(run)
}

impl<T, F> Write for Closure<F>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
{
    type Output = T;

    async fn run(&self, tx: &mut Tx) -> Result<T, StoreError> {
        (self.0)(tx).await
    }
}
