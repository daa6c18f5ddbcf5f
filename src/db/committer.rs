//! Group commit: while one commit is under way, the next group gathers. A lone write does not wait; under load one
//! commit serves many writes.
//!
//! Invariants: a write is answered only after its own effect is durable, or with its own error. A failing write does
//! not affect the others. Group size and queue length are bounded. A write completes even if its caller goes away. When
//! a whole group fails, each of its writes is retried individually; the constraints in the database make that safe even
//! if the group's commit may have happened.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::db::StoreError;
use crate::db::command::{Batch, BatchOf, Command};
use crate::db::group::{Group, Job, WaitingWrite, commit_together};
use crate::db::reply::Reply;
use crate::db::write::Write;
use crate::db::write_context::WriteContext;

/// The most writes that share one commit.
const MAX_GROUP: usize = 128;
/// The most writes that may wait, for a commit or for their individual turn. Beyond it the caller gets an error at
/// once.
const MAX_WAITING: usize = 1_024;

/// Writes that wait for the next commit.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// Whether a leader is draining the queue.
    is_led: bool,
}

struct Shared {
    context: Arc<WriteContext>,
    queue: Mutex<Queue>,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No operation under this lock can leave the queue inconsistent.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs commands individually, and counts them if they came from a shared group.
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

    /// Runs a command in the next group of its queue.
    pub(crate) async fn submit<C: Command>(&self, command: C) -> Result<C::Output, StoreError> {
        let (reply, answer) = Reply::new();
        self.enqueue(Job::Command(Box::new(BatchOf::one(command, reply))))?;
        tracing::trace!(kind = C::NAME, "a command waits for its commit");
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs a write in the next group.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Output, StoreError> {
        let (reply, answer) = Reply::new();
        self.enqueue(Job::Write(Box::new(WaitingWrite::new(write, reply))))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// How many writes wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.queue().waiting.len()
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

/// Drains the queue. The caller that finds no active leader starts one on its own runtime, because handing a payment to
/// another thread and back would take longer than verifying its signature.
///
/// There is one leader at a time, even where the database could commit several groups in parallel: measured, two groups
/// of half the size cost more than one whole group.
struct Leader {
    shared: Arc<Shared>,
    group: Group,
    /// Whether a successor takes over on the main runtime if this leader is dropped before it is done.
    has_successor: bool,
    is_done: bool,
}

impl Leader {
    /// Leads while every group can run in bulk on open connections. Anything else moves to the main runtime, so that
    /// connections opened for it do not end with a web worker.
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

    /// Leads until the queue is empty.
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

    /// Runs the bulk statements. On a database with several writers, the remaining commands then run in tasks of their
    /// own, so that the next group does not wait for them.
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

    /// Takes the next group. If the queue is empty, gives up the lead.
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
        // If the runtime has ended, it is unknown whether the remaining writes were committed.
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
        // Dropping them answers their callers with `Closed`.
        drop((group, waiting));
    }
}

/// Commits what the bulk statements did not; on a single-writer database in one transaction.
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
