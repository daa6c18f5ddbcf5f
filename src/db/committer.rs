//! Commits together what arrives together. While one commit is under way the next group gathers; a lone write waits for
//! nothing, and under load one commit serves many.
//!
//! What always holds: a write is answered only after its own effect is durable, or with its own error; one that fails does
//! not harm its neighbours; the group and the queue are bounded; a caller that goes away changes nothing about its write.
//! When a whole group fails, each of its writes is done again, alone: the guards in the database make that safe, also when
//! it is unknown whether the commit had happened.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::db::StoreError;
use crate::db::command::{Batch, BatchOf, Command};
use crate::db::group::{Group, Job, WaitingWrite, commit_together};
use crate::db::reply::Reply;
use crate::db::write::Write;
use crate::db::write_context::WriteContext;

/// How many writes one commit serves at most.
const MAX_GROUP: usize = 128;
/// How many writes may wait, for a commit or for their turn alone; beyond it, the caller is told at once.
const MAX_WAITING: usize = 1_024;

/// Writes that wait for the next commit.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// Whether somebody commits, who will see to those that wait.
    is_led: bool,
}

struct Shared {
    context: Arc<WriteContext>,
    queue: Mutex<Queue>,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that is done while it is locked can leave it half-done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has commands done alone that came with others, or by themselves.
    fn start_alone(&self, batch: Box<dyn Batch>, is_shared: bool) {
        let count = batch.start_alone(&self.context);
        self.context.counters.alone(if is_shared { count } else { 0 });
    }
}

/// A queue of writes.
pub(crate) struct Committer(Arc<Shared>);

impl Committer {
    pub(crate) fn new(context: Arc<WriteContext>) -> Self {
        Self(Arc::new(Shared { context, queue: Mutex::default() }))
    }

    /// Does a command with whatever else is there to be done.
    pub(crate) async fn submit<C: Command>(&self, command: C) -> Result<C::Output, StoreError> {
        let (reply, answer) = Reply::new();
        self.enqueue(Job::Command(Box::new(BatchOf::one(command, reply))))?;
        tracing::trace!(kind = C::NAME, "a command waits for its commit");
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs a write together with everything else that waits for a commit.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Output, StoreError> {
        let (reply, answer) = Reply::new();
        self.enqueue(Job::Write(Box::new(WaitingWrite::new(write, reply))))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let was_led = {
            let mut queue = self.0.queue();
            if queue.waiting.len().saturating_add(self.0.context.count_alone()) >= MAX_WAITING {
                self.0.context.counters.refused();
                return Err(StoreError::Busy);
            }
            queue.waiting.push_back(job);
            std::mem::replace(&mut queue.is_led, true)
        };
        if !was_led {
            let leader =
                Leader { shared: self.0.clone(), group: Group::default(), has_successor: true, is_done: false };
            tokio::spawn(leader.lead_here());
        }
        Ok(())
    }
}

/// Who commits what waits, until nothing does: a task that whoever finds nobody committing starts on its own thread. To
/// hand a payment to another thread and back would take longer than verifying its signature.
///
/// There is one at a time, also where the database could take several groups at once: measured, two groups of half the size
/// cost more than one whole one.
struct Leader {
    shared: Arc<Shared>,
    group: Group,
    /// Whether another one shall follow on the main runtime, should this one not come to its end.
    has_successor: bool,
    is_done: bool,
}

impl Leader {
    /// Leads as long as there is only what can be done in bulk at once. The rest is for the main runtime: connections that
    /// are opened there do not end with a web worker.
    async fn lead_here(mut self) {
        while self.take() {
            let pools = &self.shared.context.pools;
            if !self.group.is_for_bulk(pools) || !self.group.batches.iter().all(|batch| batch.is_ready(pools)) {
                return;
            }
            self.write_bulk().await;
            if self.group.size() > 0 {
                return;
            }
        }
    }

    /// Leads to the end.
    async fn lead(mut self) {
        loop {
            if !self.group.is_bulk_done && self.group.is_for_bulk(&self.shared.context.pools) {
                self.write_bulk().await;
            }
            commit_rest(&self.shared.context, &mut self.group).await;
            if !self.take() {
                return;
            }
        }
    }

    /// Does what can be done in bulk. Where several can write at once, the rest goes its own way from here, and those that
    /// come next do not wait for it.
    async fn write_bulk(&mut self) {
        let (context, group) = (&self.shared.context, &mut self.group);
        if context.pools.has_one_writer() {
            for batch in &mut group.batches {
                batch.write_bulk(context).await;
            }
        } else {
            for batch in &mut group.batches {
                self.shared.start_alone(batch.take_held(context), group.is_shared);
                batch.write_bulk(context).await;
            }
            for batch in std::mem::take(&mut group.batches) {
                self.shared.start_alone(batch, group.is_shared);
            }
        }
        group.is_bulk_done = true;
        group.forget_answered();
    }

    /// Takes the next group. If there is none, somebody else may lead from now on.
    fn take(&mut self) -> bool {
        let mut queue = self.shared.queue();
        let count = queue.waiting.len().min(MAX_GROUP);
        self.group = Group::new(queue.waiting.drain(..count));
        if count > 0 {
            self.shared.context.counters.group(count);
        }
        self.is_done = count == 0;
        queue.is_led = !self.is_done;
        count > 0
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let mut group = std::mem::take(&mut self.group);
        // Whether the others are committed is unknown when the runtime has ended meanwhile.
        group.forget_answered();
        let shared = self.shared.clone();
        if self.has_successor {
            let runtime = shared.context.runtime.clone();
            let successor = Self { shared, group, has_successor: false, is_done: false };
            runtime.spawn(successor.lead());
            return;
        }
        let waiting = {
            let mut queue = shared.queue();
            queue.is_led = false;
            std::mem::take(&mut queue.waiting)
        };
        // Their callers are told that it is closed.
        drop((group, waiting));
    }
}

/// Commits what was not done in bulk: where there is one writer, together.
async fn commit_rest(context: &WriteContext, group: &mut Group) {
    if context.pools.has_one_writer() && group.size() > 1 {
        commit_together(&context.pools, group, &context.counters).await;
    }
    if group.is_shared {
        context.counters.alone(group.size());
    }
    for batch in &mut group.batches {
        batch.write_alone(context).await;
    }
    for write in &mut group.writes {
        let result = context.pools.write(write.as_mut()).await;
        write.answer(result);
    }
    group.forget_answered();
}
