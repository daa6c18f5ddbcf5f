//! Commits together what arrives together. While one commit is under way the next group gathers; a lone write waits for
//! nothing, and under load one commit serves many.
//!
//! What always holds: a write is answered only after its own effect is durable, or with its own error; one that fails does
//! not harm its neighbours; the group and the queue are bounded; a caller that goes away changes nothing about its write.
//! When a whole group fails, each of its writes is done again, alone: the guards in the database make that safe, also when
//! it is unknown whether the commit had happened.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use super::StoreError;
use super::apply::{Applied, ApplyPayment};
use super::backend::{Pools, Tx};
use super::commit_counts::{CommitCounts, Counters};
use super::credit::Plain;
use super::group::{Alone, Closure, Group, Job, Payment, Reply, commit_together};
use super::held::HeldRows;

/// How many writes one commit serves at most.
const MAX_GROUP: usize = 128;
/// How many writes may wait, for a commit or for their turn alone; beyond it, the caller is told at once.
const MAX_WAITING: usize = 1_024;
/// How many of those that are done alone are under way at once where there is one writer. They wait for each other.
const AT_ONCE: usize = 8;

/// Writes that wait for the next commit.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// How many are being done alone.
    alone: usize,
    /// Whether somebody commits, who will see to those that wait.
    is_led: bool,
}

struct Shared {
    pools: Arc<Pools>,
    counters: Counters,
    queue: Mutex<Queue>,
    held: HeldRows,
    /// The main runtime, which outlives those of the web workers.
    runtime: Handle,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that is done while it is locked can leave it half-done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has payments done alone that came with others, or by themselves.
    fn start_all_alone(self: &Arc<Self>, payments: Vec<Payment>, is_shared: bool) {
        self.counters.alone(if is_shared { payments.len() } else { 0 });
        for payment in payments {
            self.start_alone(payment);
        }
    }

    /// Has a payment done alone, in a task of its own: nobody waits for it but its caller.
    fn start_alone(self: &Arc<Self>, mut payment: Payment) {
        self.queue().alone += 1;
        let under_way = UnderWay(self.clone());
        self.runtime.spawn(async move {
            let Shared { pools, held, .. } = under_way.0.as_ref();
            let result = Alone::new(&payment, held).apply(pools).await;
            payment.reply.send(result);
        });
    }
}

/// A payment that is being done alone, until it is dropped.
struct UnderWay(Arc<Shared>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.alone = queue.alone.saturating_sub(1);
    }
}

/// The queue of writes.
pub(super) struct Committer(Arc<Shared>);

impl Committer {
    /// For the current runtime as the main one.
    pub(super) fn new(pools: Arc<Pools>) -> Self {
        let (counters, queue, held) = (Counters::default(), Mutex::default(), HeldRows::default());
        Self(Arc::new(Shared { pools, counters, queue, held, runtime: Handle::current() }))
    }

    pub(super) fn counts(&self) -> CommitCounts {
        self.0.counters.read()
    }

    /// Applies a payment with whatever else is there to be applied.
    pub(super) async fn apply(&self, command: ApplyPayment) -> Result<Applied, StoreError> {
        let (reply, answer) = Reply::new();
        self.enqueue(Job::Payment(Box::new(Payment { command, reply })))?;
        tracing::trace!("a payment waits for its commit");
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs a closure with whatever else is there to be written.
    pub(super) async fn write<T, F>(&self, closure: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
    {
        let (reply, answer) = Reply::new();
        self.enqueue(Job::Write(Box::new(Closure::new(closure, reply))))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let was_led = {
            let mut queue = self.0.queue();
            if queue.waiting.len().saturating_add(queue.alone) >= MAX_WAITING {
                self.0.counters.refused();
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
    /// Leads as long as there are only payments and all of them can be credited at once. The rest is for the main
    /// runtime: connections that are opened there do not end with a web worker.
    async fn lead_here(mut self) {
        while self.take() {
            if !self.group.writes.is_empty() || !self.shared.pools.is_connected() {
                return;
            }
            self.credit().await;
            if self.group.size() > 0 {
                return;
            }
        }
    }

    /// Leads to the end.
    async fn lead(mut self) {
        loop {
            if self.group.writes.is_empty() && !self.group.is_credited {
                self.credit().await;
            }
            let Shared { pools, counters, held, .. } = self.shared.as_ref();
            commit_rest(pools, &mut self.group, counters, held).await;
            if !self.take() {
                return;
            }
        }
    }

    /// Credits what is plain in one exchange. Where several can write at once, the rest goes its own way from here, and
    /// those that come next do not wait for it.
    async fn credit(&mut self) {
        let shared = &self.shared;
        if shared.pools.has_one_writer() {
            credit(&shared.pools, &mut self.group, &shared.counters).await;
            return;
        }
        let payments = std::mem::take(&mut self.group.payments);
        let (held, free) = payments.into_iter().partition(|payment| shared.held.holds_any(payment.rows()));
        self.group.payments = free;
        shared.start_all_alone(held, self.group.is_shared);
        credit(&shared.pools, &mut self.group, &shared.counters).await;
        shared.start_all_alone(std::mem::take(&mut self.group.payments), self.group.is_shared);
    }

    /// Takes the next group. If there is none, somebody else may lead from now on.
    fn take(&mut self) -> bool {
        let mut queue = self.shared.queue();
        let count = queue.waiting.len().min(MAX_GROUP);
        self.group = Group::new(queue.waiting.drain(..count));
        if count > 0 {
            self.shared.counters.group(count);
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
            let successor = Self { shared, group, has_successor: false, is_done: false };
            self.shared.runtime.spawn(successor.lead());
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

/// Commits what was not credited: where there is one writer, together.
async fn commit_rest(pools: &Pools, group: &mut Group, counters: &Counters, held: &HeldRows) {
    if pools.has_one_writer() && group.size() > 1 {
        commit_together(pools, group, counters).await;
    }
    if group.is_shared {
        counters.alone(group.size());
    }
    let payments = futures_util::stream::iter(&mut group.payments);
    let done = payments.for_each_concurrent(AT_ONCE, |payment| async move {
        let result = Alone::new(payment, held).apply(pools).await;
        payment.reply.send(result);
    });
    done.await;
    for write in &mut group.writes {
        let result = pools.write(write.as_mut()).await;
        write.answer(result);
    }
    group.forget_answered();
}

/// Credits what is plain in one exchange.
async fn credit(pools: &Pools, group: &mut Group, counters: &Counters) {
    let commands: Vec<_> = group.payments.iter().map(|payment| &payment.command).collect();
    let plain = Plain::of(&commands);
    let mut outcomes = Vec::new();
    if !plain.is_empty() {
        match pools.write_bulk(&plain).await {
            Ok(done) => outcomes = plain.outcomes(&commands, &done),
            Err(error) => counters.group_failed(&error, commands.len()),
        }
    }
    group.is_credited = true;
    group.answer(outcomes);
}
