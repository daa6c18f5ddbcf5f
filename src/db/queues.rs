//! Decides which writes share commits: all writes on a database with a single writer or with few connections; otherwise
//! the commands of each kind.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::db::command::Command;
use crate::db::committer::Committer;
use crate::db::write_context::WriteContext;

/// The queues of writes.
pub(crate) struct Queues {
    shared: Arc<Committer>,
    /// One queue for each kind of command, where there is room for that.
    by_kind: Option<Mutex<BTreeMap<TypeId, Arc<Committer>>>>,
}

impl Queues {
    pub(crate) fn new(context: &Arc<WriteContext>) -> Self {
        let by_kind = context.pools.has_room_for_queues().then(Mutex::default);
        Self { shared: Arc::new(Committer::new(context.clone())), by_kind }
    }

    /// The queue for everything.
    pub(crate) const fn shared(&self) -> &Arc<Committer> {
        &self.shared
    }

    /// How many writes wait for a commit, in all queues.
    pub(crate) fn waiting(&self) -> usize {
        let Some(by_kind) = &self.by_kind else { return self.shared.waiting() };
        let queues: Vec<_> = by_kind.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        queues.iter().fold(self.shared.waiting(), |sum, queue| sum.saturating_add(queue.waiting()))
    }

    /// The queue for one kind of command.
    pub(crate) fn of<C: Command>(&self, context: &Arc<WriteContext>) -> Arc<Committer> {
        let Some(by_kind) = &self.by_kind else { return self.shared.clone() };
        let mut queues = by_kind.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(TypeId::of::<C>()).or_insert_with(|| Arc::new(Committer::new(context.clone()))).clone()
    }
}
