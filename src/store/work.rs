//! What is done in a transaction: a closure, a payment, a group of them.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::StoreError;
use super::backend::Tx;

/// What is done in one transaction. It may be run again, so it starts anew each time.
pub(super) trait Work: Send {
    /// What it gives.
    type Output: Send;

    /// Does it.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Self::Output, StoreError>>;
}

/// Makes a panic an error: a write that panics is a mistake of its own and no reason for others to fail.
pub(super) async fn guarded<T>(work: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
    std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(StoreError::Panicked))
}

/// A closure as work.
pub(super) struct Plain<F>(pub(super) F);

impl<T, F> Work for Plain<F>
where
    T: Send,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync,
{
    type Output = T;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> {
        (self.0)(tx)
    }
}
