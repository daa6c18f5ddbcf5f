//! Commands: writes as data, so that commands of one type can share one round trip and one commit.
//!
//! Invariant: a command is answered only after its own effect is durable, or with its own error. What the bulk
//! statement leaves out, [`Command::run`] does: in a transaction of its own, or in one with the rest of its group.

use std::any::{Any, TypeId};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::pools::Pools;
use crate::db::queries::Record;
use crate::db::reply::Reply;
use crate::db::statement::Bulk;
use crate::db::work::{Work, run_within};
use crate::db::write_context::WriteContext;

/// How many commands run individually at the same time on a single-writer database, where they wait for each other.
const AT_ONCE: usize = 8;

/// A write as data. Commands of one type that arrive together share a statement and a commit.
pub trait Command: Clone + Send + Sync + 'static {
    /// The result for the caller.
    type Output: Clone + Send + Sync + 'static;
    /// A row that the bulk statement returns.
    type Row: Record + Sync + 'static;
    /// The part of a group that the bulk statement can handle.
    type Plain<'c>: Bulk + Send;

    /// The name of this type, which also names its connection.
    const NAME: &'static str;

    /// Whether commands that run individually take turns at their row. Not for those whose callers are limited in
    /// number: while a row is held, they would all be used up by those who wait for it.
    const IN_TURN: bool = false;

    /// The rows that the command locks and that other transactions may hold: a top-up, an account.
    fn rows(&self) -> Vec<&str>;

    /// Selects the commands that the bulk statement can handle. If two concern the same row, only the first is
    /// selected.
    fn plain<'c>(commands: &[&'c Self]) -> Self::Plain<'c>;

    /// The outcome of each command, from the rows that the bulk statement returned; `None` for a command that has to
    /// run individually.
    fn outcomes(plain: &Self::Plain<'_>, commands: &[&Self], rows: &[Self::Row]) -> Vec<Option<Self::Output>>;

    /// Runs the command in the given transaction.
    fn run(self, tx: &mut Tx) -> BoxFuture<'_, Result<Self::Output, StoreError>>;
}

/// All commands of one type in a group, with the type erased.
pub(crate) trait Batch: Send {
    fn kind(&self) -> TypeId;
    fn size(&self) -> usize;
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;

    /// Adds the commands of another batch of the same type.
    fn absorb(&mut self, other: Box<dyn Batch>);

    /// Whether the bulk statement can run without opening or testing a connection.
    fn is_ready(&self, pools: &Pools) -> bool;

    /// Runs the bulk statement, which is one round trip and its own commit, and answers the commands it handled.
    fn write_bulk<'a>(&'a mut self, context: &'a WriteContext) -> BoxFuture<'a, ()>;

    /// Runs the whole batch in a transaction: in bulk if `in_bulk`, then the remaining commands one by one. Returns how
    /// many the bulk statement handled.
    fn run<'a>(&'a mut self, tx: &'a mut Tx, in_bulk: bool) -> BoxFuture<'a, Result<usize, StoreError>>;

    /// Answers the commands that [`Self::run`] completed. Call it after the commit.
    fn answer_done(&mut self);

    /// Runs each command in a transaction of its own.
    fn write_alone<'a>(&'a mut self, context: &'a WriteContext) -> BoxFuture<'a, ()>;

    /// Removes and returns the commands that need a row known to be locked by another transaction.
    fn take_held(&mut self, context: &WriteContext) -> Box<dyn Batch>;

    /// Starts each command in a task of its own, so that only its caller waits for it. Returns the number of commands.
    fn start_alone(self: Box<Self>, context: &Arc<WriteContext>) -> usize;

    /// Drops the commands that have been answered.
    fn forget_answered(&mut self);
}

/// A command whose caller is waiting.
struct Waiting<C: Command> {
    command: C,
    reply: Reply<C::Output>,
    /// The result, until the commit.
    done: Option<C::Output>,
}

impl<C: Command> Waiting<C> {
    async fn write_alone(&mut self, context: &WriteContext) {
        let result = Alone::new(&self.command, context).write().await;
        self.reply.send(result);
    }
}

/// The commands of one type in a group.
pub(crate) struct BatchOf<C: Command>(Vec<Waiting<C>>);

impl<C: Command> BatchOf<C> {
    pub(crate) fn one(command: C, reply: Reply<C::Output>) -> Self {
        Self(vec![Waiting { command, reply, done: None }])
    }

    fn commands(&self) -> Vec<&C> {
        self.0.iter().map(|waiting| &waiting.command).collect()
    }

    fn note(&mut self, outcomes: Vec<Option<C::Output>>) {
        for (waiting, outcome) in self.0.iter_mut().zip(outcomes) {
            waiting.done = outcome;
        }
    }
}

impl<C: Command> Batch for BatchOf<C> {
    fn kind(&self) -> TypeId {
        TypeId::of::<C>()
    }

    fn size(&self) -> usize {
        self.0.len()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }

    fn absorb(&mut self, other: Box<dyn Batch>) {
        if let Ok(other) = other.into_any().downcast::<Self>() {
            self.0.extend(other.0);
        }
    }

    fn is_ready(&self, pools: &Pools) -> bool {
        pools.is_connected(C::NAME)
    }

    fn write_bulk<'a>(&'a mut self, context: &'a WriteContext) -> BoxFuture<'a, ()> {
        async move {
            let commands = self.commands();
            let plain = C::plain(&commands);
            if plain.is_empty() {
                return;
            }
            match context.pools.write_bulk::<C::Row>(C::NAME, &plain).await {
                Ok(rows) => {
                    let outcomes = C::outcomes(&plain, &commands, &rows);
                    drop(plain);
                    context.counters.in_bulk(count_some(&outcomes));
                    self.note(outcomes);
                    self.answer_done();
                }
                Err(error) => context.counters.group_failed(&error, commands.len()),
            }
        }
        .boxed()
    }

    fn run<'a>(&'a mut self, tx: &'a mut Tx, in_bulk: bool) -> BoxFuture<'a, Result<usize, StoreError>> {
        async move {
            let commands = self.commands();
            let mut outcomes = vec![None; commands.len()];
            let plain = C::plain(&commands);
            if in_bulk && !plain.is_empty() {
                let rows = tx.fetch_bulk::<C::Row>(&plain).await?;
                outcomes = C::outcomes(&plain, &commands, &rows);
            }
            drop(plain);
            let handled_in_bulk = count_some(&outcomes);
            for (outcome, command) in outcomes.iter_mut().zip(commands) {
                if outcome.is_none() {
                    *outcome = run_within(tx, &mut Within(command)).await?;
                }
            }
            self.note(outcomes);
            Ok(handled_in_bulk)
        }
        .boxed()
    }

    fn answer_done(&mut self) {
        for waiting in &mut self.0 {
            if let Some(done) = waiting.done.take() {
                waiting.reply.send(Ok(done));
            }
        }
        self.forget_answered();
    }

    fn write_alone<'a>(&'a mut self, context: &'a WriteContext) -> BoxFuture<'a, ()> {
        let commands = futures_util::stream::iter(&mut self.0);
        commands.for_each_concurrent(AT_ONCE, move |waiting| waiting.write_alone(context)).boxed()
    }

    fn take_held(&mut self, context: &WriteContext) -> Box<dyn Batch> {
        let all = std::mem::take(&mut self.0);
        let (held, free) = all.into_iter().partition(|waiting| context.held.holds_any(waiting.command.rows()));
        self.0 = free;
        Box::new(Self(held))
    }

    fn start_alone(self: Box<Self>, context: &Arc<WriteContext>) -> usize {
        let count = self.0.len();
        for mut waiting in self.0 {
            let under_way = context.begin_alone();
            context.runtime.spawn(async move { waiting.write_alone(&under_way.0).await });
        }
        count
    }

    fn forget_answered(&mut self) {
        self.0.retain(|waiting| waiting.reply.is_open());
    }
}

fn count_some<T>(outcomes: &[Option<T>]) -> usize {
    outcomes.iter().flatten().count()
}

/// One command in a transaction of its own.
struct Alone<'d, C> {
    command: C,
    rows: Vec<String>,
    expects_held_row: bool,
    context: &'d WriteContext,
}

impl<'d, C: Command> Alone<'d, C> {
    fn new(command: &C, context: &'d WriteContext) -> Self {
        let rows: Vec<String> = command.rows().into_iter().map(str::to_owned).collect();
        Self { command: command.clone(), rows, expects_held_row: false, context }
    }

    async fn write(mut self) -> Result<C::Output, StoreError> {
        let context = self.context;
        let row = self.rows.first().filter(|_| C::IN_TURN).cloned();
        let _turn = match &row {
            Some(row) => Some(context.turns.take(row).await?),
            None => None,
        };
        self.expects_held_row = context.held.holds_any(self.rows.iter().map(String::as_str));
        let result = context.pools.write(&mut self).await;
        if result.is_ok() {
            context.held.forget(&self.rows);
        }
        result
    }
}

impl<C: Command> Work for Alone<'_, C> {
    type Output = C::Output;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<C::Output, StoreError>> {
        self.command.clone().run(tx)
    }

    fn expects_held_row(&self) -> bool {
        self.expects_held_row
    }

    fn met_held_row(&mut self) {
        self.context.held.note(&self.rows);
    }
}

/// One command inside a group's transaction.
struct Within<'c, C>(&'c C);

impl<C: Command> Work for Within<'_, C> {
    type Output = C::Output;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<C::Output, StoreError>> {
        self.0.clone().run(tx)
    }
}
