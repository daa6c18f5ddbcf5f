//! Transactions of tests, written as closures.

use futures_util::future::BoxFuture;
use topup::db::{StoreError, Tx, Write};

/// A write that runs a closure.
pub struct Closure<F>(F);

/// Makes a write of a closure. It may run more than once, like every write.
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
