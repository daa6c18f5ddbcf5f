//! The answer that the caller of a write waits for.

use tokio::sync::oneshot;

use super::StoreError;

/// Whom to answer; nobody, once it is done.
pub(super) struct Reply<T>(Option<oneshot::Sender<Result<T, StoreError>>>);

impl<T> Reply<T> {
    /// An answer that is owed, and where it will arrive.
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    pub(super) const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn send(&mut self, result: Result<T, StoreError>) {
        // A caller that has gone away has no use for it.
        self.0.take().map(|reply| reply.send(result));
    }
}
