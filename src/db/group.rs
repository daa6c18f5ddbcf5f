//! Groups: commands and other writes that are committed together, each with its waiting caller.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::command::Batch;
use crate::db::commit_counts::Counters;
use crate::db::pools::Pools;
use crate::db::reply::Reply;
use crate::db::work::{Work, run_within};
use crate::db::write::Write;

/// A write in the queue, with its output type erased.
pub(crate) trait QueuedWrite: Work<Output = ()> {
    /// Answers the caller, with the write's output if the result is `Ok`. Call it only when the write is durable or
    /// failed.
    fn answer(&mut self, result: Result<(), StoreError>);

    /// Whether the caller is still waiting.
    fn is_open(&self) -> bool;
}

/// A write whose caller is waiting.
pub(crate) struct WaitingWrite<W: Write> {
    write: W,
    /// The output of the last run, until the caller is answered.
    output: Option<W::Output>,
    reply: Reply<W::Output>,
}

impl<W: Write> WaitingWrite<W> {
    pub(crate) const fn new(write: W, reply: Reply<W::Output>) -> Self {
        Self { write, output: None, reply }
    }
}

impl<W: Write> Work for WaitingWrite<W> {
    type Output = ();

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>> {
        async move {
            self.output = Some(self.write.run(tx).await?);
            Ok(())
        }
        .boxed()
    }
}

impl<W: Write> QueuedWrite for WaitingWrite<W> {
    fn answer(&mut self, result: Result<(), StoreError>) {
        let output = self.output.take();
        let lost = || Err(StoreError::Corrupt("a write without a result".to_owned()));
        self.reply.send(result.and_then(|()| output.map_or_else(lost, Ok)));
    }

    fn is_open(&self) -> bool {
        self.reply.is_open()
    }
}

/// An entry of the queue.
pub(crate) enum Job {
    Command(Box<dyn Batch>),
    Write(Box<dyn QueuedWrite>),
}

/// Commands and writes that are committed together. Answered ones are removed.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) batches: Vec<Box<dyn Batch>>,
    pub(crate) writes: Vec<Box<dyn QueuedWrite>>,
    /// Whether the group had more than one entry at first.
    pub(crate) is_shared: bool,
    /// Whether the bulk statements have been tried, so that the rest has to run one by one.
    pub(crate) is_bulk_done: bool,
}

impl Group {
    pub(crate) fn new(jobs: impl ExactSizeIterator<Item = Job>) -> Self {
        let mut group = Self { is_shared: jobs.len() > 1, ..Self::default() };
        for job in jobs {
            match job {
                Job::Command(batch) => group.add(batch),
                Job::Write(write) => group.writes.push(write),
            }
        }
        group
    }

    fn add(&mut self, batch: Box<dyn Batch>) {
        match self.batches.iter_mut().find(|other| other.kind() == batch.kind()) {
            Some(same) => same.absorb(batch),
            None => self.batches.push(batch),
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.batches.iter().map(|batch| batch.size()).fold(self.writes.len(), usize::saturating_add)
    }

    /// Whether to use bulk statements with their own commit: always on a database with several writers; on one with a
    /// single writer only if no other write could share the commit.
    pub(crate) fn is_for_bulk(&self, pools: &Pools) -> bool {
        let is_alone = self.batches.len() == 1 && self.writes.is_empty();
        is_alone || !pools.has_one_writer()
    }

    pub(crate) fn forget_answered(&mut self) {
        for batch in &mut self.batches {
            batch.forget_answered();
        }
        self.batches.retain(|batch| batch.size() > 0);
        self.writes.retain(|write| write.is_open());
    }
}

/// A group in one transaction, on a database with a single writer.
struct Together<'g> {
    batches: &'g mut [Box<dyn Batch>],
    writes: &'g mut [Box<dyn QueuedWrite>],
    in_bulk: bool,
}

impl Work for Together<'_> {
    /// Whether each of the writes succeeded, and how many commands the bulk statements handled.
    type Output = (Vec<bool>, usize);

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Self::Output, StoreError>> {
        async move {
            let mut handled_in_bulk = 0_usize;
            for batch in self.batches.iter_mut() {
                handled_in_bulk = handled_in_bulk.saturating_add(batch.run(tx, self.in_bulk).await?);
            }
            let mut written = Vec::with_capacity(self.writes.len());
            for write in self.writes.iter_mut() {
                written.push(run_within(tx, write.as_mut()).await?.is_some());
            }
            Ok((written, handled_in_bulk))
        }
        .boxed()
    }
}

/// Commits a group in one transaction.
pub(crate) async fn commit_together(pools: &Pools, group: &mut Group, counters: &Counters) {
    let (size, in_bulk) = (group.size(), !group.is_bulk_done);
    let mut together = Together { batches: &mut group.batches, writes: &mut group.writes, in_bulk };
    let (written, handled_in_bulk) = match pools.write(&mut together).await {
        Ok(output) => output,
        Err(error) => {
            counters.group_failed(&error, size);
            return;
        }
    };
    counters.in_bulk(handled_in_bulk);
    for (write, is_written) in group.writes.iter_mut().zip(written) {
        if is_written {
            write.answer(Ok(()));
        }
    }
    for batch in &mut group.batches {
        batch.answer_done();
    }
    group.forget_answered();
}
