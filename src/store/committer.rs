//! Commits together what arrives together. While one commit is under way the next group gathers; a lone write waits for
//! nothing, and under load one commit serves many.
//!
//! What always holds: a write is answered only after its own effect is durable, or with its own error; one that fails does
//! not harm its neighbours; the group and the queue are bounded; a caller that goes away changes nothing about its write.
//! When a whole group fails, each of its writes is done again, alone: the guards in the database make that safe, also when
//! it is unknown whether the commit had happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::apply::{Applied, ApplyPayment, apply_one};
use super::backend::{Pools, Tx};
use super::credit::Plain;
use super::work::{Work, guarded};

/// How many writes one commit serves at most.
const MAX_GROUP: usize = 128;
/// How many writes may wait; beyond it, the caller is told at once.
const MAX_WAITING: usize = 1_024;
/// How many of those that are done alone are under way at once. Where there is one writer, they wait for each other.
const AT_ONCE: usize = 8;

/// What the committer has done so far.
#[derive(Debug, Default)]
pub struct Counters {
    groups: AtomicU64,
    writes: AtomicU64,
    alone: AtomicU64,
    refused: AtomicU64,
    largest: AtomicU64,
}

/// How many writes shared how many commits, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitCounts {
    /// Groups that were committed or tried.
    pub groups: u64,
    /// Writes in them.
    pub writes: u64,
    /// Writes that were done again, alone, because their group failed or they were not plain.
    pub alone: u64,
    /// Writes that were refused because the queue was full.
    pub refused: u64,
    /// The largest group.
    pub largest: u64,
}

impl Counters {
    fn read(&self) -> CommitCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CommitCounts {
            groups: read(&self.groups),
            writes: read(&self.writes),
            alone: read(&self.alone),
            refused: read(&self.refused),
            largest: read(&self.largest),
        }
    }

    fn group(&self, size: usize) {
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(size, Ordering::Relaxed);
        self.largest.fetch_max(size, Ordering::Relaxed);
    }

    fn alone(&self, count: usize) {
        self.alone.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// A write of any result, for the queue.
trait Write: Work<Output = ()> {
    /// Answers the caller: with what the closure gave, if it is durable.
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

struct Closure<T, F> {
    run: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
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
    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        let lost = || Err(StoreError::Corrupt("a write without a result".to_owned()));
        // A caller that has gone away has no use for it.
        let Self { value, reply, .. } = *self;
        drop(reply.send(result.and_then(|()| value.map_or_else(lost, Ok))));
    }
}

struct Payment {
    command: ApplyPayment,
    reply: oneshot::Sender<Result<Applied, StoreError>>,
}

enum Job {
    Payment(Box<Payment>),
    Write(Box<dyn Write>),
}

/// The queue of writes, and the task that commits them.
pub(super) struct Committer {
    jobs: mpsc::Sender<Job>,
    counters: Arc<Counters>,
}

impl Committer {
    /// Starts a task on the current runtime. It ends when the committer is dropped and the queue is empty.
    ///
    /// One, also where the database could take several groups at once: measured, two groups of half the size cost more
    /// than one whole one.
    pub(super) fn start(pools: Arc<Pools>) -> Self {
        let (jobs, queue) = mpsc::channel(MAX_WAITING);
        let counters = Arc::new(Counters::default());
        tokio::spawn(work(pools, queue, counters.clone()));
        Self { jobs, counters }
    }

    pub(super) fn counts(&self) -> CommitCounts {
        self.counters.read()
    }

    /// Applies a payment with whatever else is there to be applied.
    pub(super) async fn apply(&self, command: ApplyPayment) -> Result<Applied, StoreError> {
        let (reply, answer) = oneshot::channel();
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
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Write(Box::new(Closure { run: closure, value: None, reply })))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                StoreError::Busy
            }
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }
}

async fn work(pools: Arc<Pools>, mut queue: mpsc::Receiver<Job>, counters: Arc<Counters>) {
    let mut jobs = Vec::with_capacity(MAX_GROUP);
    while queue.recv_many(&mut jobs, MAX_GROUP).await > 0 {
        counters.group(jobs.len());
        commit(&pools, std::mem::take(&mut jobs), &counters).await;
    }
}

async fn commit(pools: &Pools, jobs: Vec<Job>, counters: &Counters) {
    let (mut payments, mut writes) = (Vec::new(), Vec::new());
    for job in jobs {
        match job {
            Job::Payment(payment) => payments.push(*payment),
            Job::Write(write) => writes.push(write),
        }
    }
    let is_group = payments.len().saturating_add(writes.len()) > 1;
    if writes.is_empty() {
        payments = credit(pools, payments).await;
    }
    if pools.has_one_writer() && payments.len().saturating_add(writes.len()) > 1 {
        (payments, writes) = commit_together(pools, payments, writes).await;
    }
    let left = payments.len().saturating_add(writes.len());
    if is_group {
        counters.alone(left);
    }
    let pay = |Payment { command, reply }| async move { drop(reply.send(pools.write(&mut Alone(command)).await)) };
    futures_util::stream::iter(payments).for_each_concurrent(AT_ONCE, pay).await;
    for mut write in writes {
        let result = pools.write(write.as_mut()).await;
        write.answer(result);
    }
}

/// Credits what is plain in one exchange; gives back what is still to be done.
async fn credit(pools: &Pools, payments: Vec<Payment>) -> Vec<Payment> {
    let (commands, replies): (Vec<_>, Vec<_>) = payments.into_iter().map(|each| (each.command, each.reply)).unzip();
    let plain = Plain::of(&commands);
    let mut outcomes = vec![None; commands.len()];
    if !plain.is_empty() {
        match pools.write_bulk(&plain).await {
            Ok(done) => outcomes = plain.outcomes(&commands, &done),
            Err(error) => tracing::debug!(%error, size = commands.len(), "payments are applied one by one"),
        }
    }
    drop(plain);
    answer(commands.into_iter().zip(replies).map(|(command, reply)| Payment { command, reply }), outcomes)
}

/// Answers those that have an outcome; gives back the others.
fn answer(payments: impl IntoIterator<Item = Payment>, outcomes: Vec<Option<Applied>>) -> Vec<Payment> {
    let mut left = Vec::new();
    for (payment, outcome) in payments.into_iter().zip(outcomes) {
        match outcome {
            // A caller that has gone away has no use for it.
            Some(outcome) => drop(payment.reply.send(Ok(outcome))),
            None => left.push(payment),
        }
    }
    left
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
    commands: &'g [ApplyPayment],
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
                    *outcome = run_within(tx, &mut Alone(command.clone())).await?;
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

/// Commits a group; gives back what is still to be done, alone.
async fn commit_together(
    pools: &Pools,
    payments: Vec<Payment>,
    mut writes: Vec<Box<dyn Write>>,
) -> (Vec<Payment>, Vec<Box<dyn Write>>) {
    let commands: Vec<_> = payments.iter().map(|payment| payment.command.clone()).collect();
    let (outcomes, written) = match pools.write(&mut Together { commands: &commands, writes: &mut writes }).await {
        Ok(done) => done,
        Err(error) => {
            tracing::debug!(%error, size = payments.len().saturating_add(writes.len()), "a group is done one by one");
            return (payments, writes);
        }
    };
    let mut writes_left = Vec::new();
    for (write, is_written) in writes.into_iter().zip(written) {
        if is_written {
            write.answer(Ok(()));
        } else {
            writes_left.push(write);
        }
    }
    (answer(payments, outcomes), writes_left)
}
