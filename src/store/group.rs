//! What is committed together: payments and closures, each with the caller who waits for its answer.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::StoreError;
use super::apply::{Applied, ApplyPayment, apply_one};
use super::backend::{Pools, Tx};
use super::commit_counts::Counters;
use super::credit::Plain;
use super::held::HeldRows;
use super::work::{Work, guarded};

/// A write of any result, for the queue.
pub(super) trait Write: Work<Output = ()> {
    /// Answers the caller: with what the closure gave, if it is durable.
    fn answer(&mut self, result: Result<(), StoreError>);

    /// Whether the caller has no answer yet.
    fn is_open(&self) -> bool;
}

/// Whom to answer; nobody, once it is done.
pub(super) struct Reply<T>(Option<oneshot::Sender<Result<T, StoreError>>>);

impl<T> Reply<T> {
    /// An answer that is owed, and where it will arrive.
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn send(&mut self, result: Result<T, StoreError>) {
        // A caller that has gone away has no use for it.
        self.0.take().map(|reply| reply.send(result));
    }
}

/// A closure whose caller waits.
pub(super) struct Closure<T, F> {
    run: F,
    value: Option<T>,
    reply: Reply<T>,
}

impl<T, F> Closure<T, F> {
    pub(super) const fn new(run: F, reply: Reply<T>) -> Self {
        Self { run, value: None, reply }
    }
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

/// A payment whose caller waits.
pub(super) struct Payment {
    pub(super) command: ApplyPayment,
    pub(super) reply: Reply<Applied>,
}

impl Payment {
    /// The rows of it that others may hold.
    pub(super) fn rows(&self) -> impl Iterator<Item = &str> {
        let report = &self.command.report;
        [Some(report.topup.as_str()), report.account.as_deref()].into_iter().flatten()
    }
}

/// What waits for a commit.
pub(super) enum Job {
    Payment(Box<Payment>),
    Write(Box<dyn Write>),
}

/// What is committed together, without what was answered already.
#[derive(Default)]
pub(super) struct Group {
    pub(super) payments: Vec<Payment>,
    pub(super) writes: Vec<Box<dyn Write>>,
    /// Whether there were several at first.
    pub(super) is_shared: bool,
    /// Whether what is plain has been credited, so that the payments that are left have to be applied alone.
    pub(super) is_credited: bool,
}

impl Group {
    pub(super) fn new(jobs: impl ExactSizeIterator<Item = Job>) -> Self {
        let mut group = Self { is_shared: jobs.len() > 1, ..Self::default() };
        for job in jobs {
            match job {
                Job::Payment(payment) => group.payments.push(*payment),
                Job::Write(write) => group.writes.push(write),
            }
        }
        group
    }

    pub(super) fn size(&self) -> usize {
        self.payments.len().saturating_add(self.writes.len())
    }

    pub(super) fn forget_answered(&mut self) {
        self.payments.retain(|payment| payment.reply.is_open());
        self.writes.retain(|write| write.is_open());
    }

    /// Answers the payments that have an outcome.
    pub(super) fn answer(&mut self, outcomes: Vec<Option<Applied>>) {
        for (payment, outcome) in self.payments.iter_mut().zip(outcomes) {
            if let Some(outcome) = outcome {
                payment.reply.send(Ok(outcome));
            }
        }
        self.forget_answered();
    }
}

/// One payment in a transaction of its own.
pub(super) struct Alone<'h> {
    command: ApplyPayment,
    rows: Vec<String>,
    expects_held_row: bool,
    held: &'h HeldRows,
}

impl<'h> Alone<'h> {
    pub(super) fn new(payment: &Payment, held: &'h HeldRows) -> Self {
        let rows = payment.rows().map(str::to_owned).collect();
        Self { command: payment.command.clone(), rows, expects_held_row: held.holds_any(payment.rows()), held }
    }

    /// Applies it.
    pub(super) async fn apply(mut self, pools: &Pools) -> Result<Applied, StoreError> {
        let result = pools.write(&mut self).await;
        if result.is_ok() {
            self.held.forget(&self.rows);
        }
        result
    }
}

impl Work for Alone<'_> {
    type Output = Applied;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Applied, StoreError>> {
        apply_one(tx, self.command.clone()).boxed()
    }

    fn expects_held_row(&self) -> bool {
        self.expects_held_row
    }

    fn met_held_row(&mut self) {
        self.held.note(&self.rows);
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
                    *outcome = run_within(tx, &mut Within(command)).await?;
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

/// One payment of a group.
struct Within<'c>(&'c ApplyPayment);

impl Work for Within<'_> {
    type Output = Applied;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Applied, StoreError>> {
        apply_one(tx, self.0.clone()).boxed()
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
pub(super) async fn commit_together(pools: &Pools, group: &mut Group, counters: &Counters) {
    let size = group.size();
    let commands: Vec<_> = group.payments.iter().map(|payment| &payment.command).collect();
    let (outcomes, written) = match pools.write(&mut Together { commands: &commands, writes: &mut group.writes }).await
    {
        Ok(done) => done,
        Err(error) => {
            counters.group_failed(&error, size);
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
