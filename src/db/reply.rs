//! The reply to the waiting caller of a write.

use tokio::sync::oneshot;

use crate::db::StoreError;

/// Where to send the reply; `None` once it is sent.
pub(crate) struct Reply<T>(Option<oneshot::Sender<Result<T, StoreError>>>);

impl<T> Reply<T> {
    /// A pending reply, and the receiver for it.
    pub(crate) fn new() -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn send(&mut self, result: Result<T, StoreError>) {
        // The caller may have gone away.
        self.0.take().map(|reply| reply.send(result));
    }
}
