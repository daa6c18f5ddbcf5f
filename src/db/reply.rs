//! The answer that the caller of a write waits for.

use tokio::sync::oneshot;

use crate::db::StoreError;

/// Whom to answer; nobody, once it is done.
pub(crate) struct Reply<T>(Option<oneshot::Sender<Result<T, StoreError>>>);

impl<T> Reply<T> {
    /// An answer that is owed, and where it will arrive.
    pub(crate) fn new() -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn send(&mut self, result: Result<T, StoreError>) {
        // A caller that has gone away has no use for it.
        self.0.take().map(|reply| reply.send(result));
    }
}
