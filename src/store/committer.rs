//! Commits together what arrives together. While one commit is under way the next group gathers; a lone write waits for
//! nothing, and under load one commit serves many.
//!
//! What always holds: a write is answered only after its own effect is durable, or with its own error; one that fails does
//! not harm its neighbours; the group and the queue are bounded; a caller that goes away changes nothing about its write.
//! When a whole group fails, each of its writes is done again, alone: the guards in the database make that safe, also when
//! it is unknown whether the commit had happened.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::StoreError;
use super::apply::{Applied, ApplyPayment, apply_one};
use super::backend::{Pools, Tx};
use super::commit_counts::{CommitCounts, Counters};
use super::credit::Plain;
use super::work::{Work, guarded};

/// How many writes one commit serves at most.
const MAX_GROUP: usize = 128;
/// How many writes may wait; beyond it, the caller is told at once.
const MAX_WAITING: usize = 1_024;
/// How many of those that are done alone are under way at once. Where there is one writer, they wait for each other.
const AT_ONCE: usize = 8;

/// A write of any result, for the queue.
trait Write: Work<Output = ()> {
    /// Answers the caller: with what the closure gave, if it is durable.
    fn answer(&mut self, result: Result<(), StoreError>);

    /// Whether the caller has no answer yet.
    fn is_open(&self) -> bool;
}

/// Whom to answer; nobody, once it is done.
struct Reply<T>(Option<oneshot::Sender<Result<T, StoreError>>>);

impl<T> Reply<T> {
    const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    fn send(&mut self, result: Result<T, StoreError>) {
        // A caller that has gone away has no use for it.
        self.0.take().map(|reply| reply.send(result));
    }
}

struct Closure<T, F> {
    run: F,
    value: Option<T>,
    reply: Reply<T>,
}

impl<T, F> Work for Closure<T, F>
where
    T: Send,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync,
{
    type Output = ();

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>> {
        async move {
            self.value = Some((self.run)(tx).await?);
            Ok(())
        }
        .boxed()
    }
}

impl<T, F> Write for Closure<T, F>
where
    T: Send,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync,
{
    fn answer(&mut self, result: Result<(), StoreError>) {
        let value = self.value.take();
        let lost = || Err(StoreError::Corrupt("a write without a result".to_owned()));
        self.reply.send(result.and_then(|()| value.map_or_else(lost, Ok)));
    }

    fn is_open(&self) -> bool {
        self.reply.is_open()
    }
}

struct Payment {
    command: ApplyPayment,
    reply: Reply<Applied>,
}

enum Job {
    Payment(Box<Payment>),
    Write(Box<dyn Write>),
}

/// What is committed together, without what was answered already.
#[derive(Default)]
struct Group {
    payments: Vec<Payment>,
    writes: Vec<Box<dyn Write>>,
    /// Whether there were several at first.
    is_shared: bool,
    /// Whether what is plain has been credited, so that the payments that are left have to be applied alone.
    is_credited: bool,
}

impl Group {
    fn new(jobs: impl ExactSizeIterator<Item = Job>) -> Self {
        let mut group = Self { is_shared: jobs.len() > 1, ..Self::default() };
        for job in jobs {
            match job {
                Job::Payment(payment) => group.payments.push(*payment),
                Job::Write(write) => group.writes.push(write),
            }
        }
        group
    }

    fn size(&self) -> usize {
        self.payments.len().saturating_add(self.writes.len())
    }

    fn forget_answered(&mut self) {
        self.payments.retain(|payment| payment.reply.is_open());
        self.writes.retain(|write| write.is_open());
    }

    /// Answers the payments that have an outcome.
    fn answer(&mut self, outcomes: Vec<Option<Applied>>) {
        for (payment, outcome) in self.payments.iter_mut().zip(outcomes) {
            if let Some(outcome) = outcome {
                payment.reply.send(Ok(outcome));
            }
        }
        self.forget_answered();
    }
}

/// Writes that wait for the next commit.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// Whether somebody commits, who will see to those that wait.
    is_led: bool,
}

struct Shared {
    pools: Arc<Pools>,
    counters: Counters,
    queue: Mutex<Queue>,
    /// The main runtime, which outlives those of the web workers.
    runtime: Handle,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that is done while it is locked can leave it half-done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue of writes.
pub(super) struct Committer(Arc<Shared>);

impl Committer {
    /// For the current runtime as the main one.
    pub(super) fn new(pools: Arc<Pools>) -> Self {
        let (counters, queue) = (Counters::default(), Mutex::default());
        Self(Arc::new(Shared { pools, counters, queue, runtime: Handle::current() }))
    }

    pub(super) fn counts(&self) -> CommitCounts {
        self.0.counters.read()
    }

    /// Applies a payment with whatever else is there to be applied.
    pub(super) async fn apply(&self, command: ApplyPayment) -> Result<Applied, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Payment(Box::new(Payment { command, reply: Reply(Some(reply)) })))?;
        tracing::trace!("a payment waits for its commit");
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs a closure with whatever else is there to be written.
    pub(super) async fn write<T, F>(&self, closure: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Write(Box::new(Closure { run: closure, value: None, reply: Reply(Some(reply)) })))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let was_led = {
            let mut queue = self.0.queue();
            if queue.waiting.len() >= MAX_WAITING {
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
            credit(&self.shared.pools, &mut self.group).await;
            if self.group.size() > 0 {
                return;
            }
        }
    }

    /// Leads to the end.
    async fn lead(mut self) {
        loop {
            commit(&self.shared.pools, &mut self.group, &self.shared.counters).await;
            if !self.take() {
                return;
            }
        }
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

async fn commit(pools: &Pools, group: &mut Group, counters: &Counters) {
    if group.writes.is_empty() && !group.is_credited {
        credit(pools, group).await;
    }
    if pools.has_one_writer() && group.size() > 1 {
        commit_together(pools, group).await;
    }
    if group.is_shared {
        counters.alone(group.size());
    }
    let payments = futures_util::stream::iter(&mut group.payments);
    let done = payments.for_each_concurrent(AT_ONCE, |payment| async move {
        let result = pools.write(&mut Alone(payment.command.clone())).await;
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
async fn credit(pools: &Pools, group: &mut Group) {
    let commands: Vec<_> = group.payments.iter().map(|payment| &payment.command).collect();
    let plain = Plain::of(&commands);
    let mut outcomes = Vec::new();
    if !plain.is_empty() {
        match pools.write_bulk(&plain).await {
            Ok(done) => outcomes = plain.outcomes(&commands, &done),
            Err(error) => tracing::debug!(%error, size = commands.len(), "payments are applied one by one"),
        }
    }
    group.is_credited = true;
    group.answer(outcomes);
}

/// One payment in a transaction of its own.
struct Alone(ApplyPayment);

impl Work for Alone {
    type Output = Applied;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Applied, StoreError>> {
        apply_one(tx, self.0.clone()).boxed()
    }
}

/// A group in one transaction, where there is one writer anyway.
struct Together<'g> {
    commands: &'g [&'g ApplyPayment],
    writes: &'g mut [Box<dyn Write>],
}

impl Work for Together<'_> {
    /// What came of each payment, `None` of one that is to be done alone; and whether each closure did its work.
    type Output = (Vec<Option<Applied>>, Vec<bool>);

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Self::Output, StoreError>> {
        async move {
            let plain = Plain::of(self.commands);
            let mut outcomes = vec![None; self.commands.len()];
            // Without closures it was tried before.
            if !plain.is_empty() && !self.writes.is_empty() {
                let done = tx.fetch_bulk(&plain).await?;
                outcomes = plain.outcomes(self.commands, &done);
            }
            for (outcome, command) in outcomes.iter_mut().zip(self.commands) {
                if outcome.is_none() {
                    *outcome = run_within(tx, &mut Alone((*command).clone())).await?;
                }
            }
            let mut written = Vec::with_capacity(self.writes.len());
            for write in self.writes.iter_mut() {
                written.push(run_within(tx, write.as_mut()).await?.is_some());
            }
            Ok((outcomes, written))
        }
        .boxed()
    }
}

/// One of a group. One that fails is undone to where it began, and done again alone, where its error is its own.
async fn run_within<W: Work + ?Sized>(tx: &mut Tx, work: &mut W) -> Result<Option<W::Output>, StoreError> {
    tx.set_savepoint().await?;
    let output = guarded(work.run(tx)).await.ok();
    if output.is_some() {
        tx.release_savepoint().await?;
    } else {
        tx.undo_to_savepoint().await?;
    }
    Ok(output)
}

/// Commits a group.
async fn commit_together(pools: &Pools, group: &mut Group) {
    let size = group.size();
    let commands: Vec<_> = group.payments.iter().map(|payment| &payment.command).collect();
    let (outcomes, written) = match pools.write(&mut Together { commands: &commands, writes: &mut group.writes }).await
    {
        Ok(done) => done,
        Err(error) => {
            tracing::debug!(%error, size, "a group is done one by one");
            return;
        }
    };
    for (write, is_written) in group.writes.iter_mut().zip(written) {
        if is_written {
            write.answer(Ok(()));
        }
    }
    group.answer(outcomes);
}
