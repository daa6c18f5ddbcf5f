//! Writes as data: what can be written together with others of its kind, in one exchange with the database and one commit.
//!
//! What always holds: a command is answered only after its own effect is durable, or with its own error. What a bulk
//! statement leaves out is done by [`Command::run`]: in a transaction of its own, or in one with the rest of its group.

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

/// How many of those that are done alone are under way at once where there is one writer. They wait for each other.
const AT_ONCE: usize = 8;

/// A write as data. Commands of one type that arrive together share a statement and a commit.
pub trait Command: Clone + Send + Sync + 'static {
    /// What it gives.
    type Output: Clone + Send + Sync + 'static;
    /// What the bulk statement says of a row.
    type Row: Record + Sync + 'static;
    /// The part of a group that the bulk statement can do.
    type Plain<'c>: Bulk + Send;

    /// A word for this type. Its connection is named by it.
    const NAME: &'static str;

    /// The rows that it needs and that others may hold: a top-up, an account.
    fn rows(&self) -> Vec<&str>;

    /// Picks what the bulk statement can do. Of two commands that concern the same row it takes the first alone.
    fn plain<'c>(commands: &[&'c Self]) -> Self::Plain<'c>;

    /// What came of each command, by what the database says of each row; `None` of those that have to be done alone.
    fn outcomes(plain: &Self::Plain<'_>, commands: &[&Self], rows: &[Self::Row]) -> Vec<Option<Self::Output>>;

    /// Does it in the given transaction.
    fn run(self, tx: &mut Tx) -> BoxFuture<'_, Result<Self::Output, StoreError>>;
}

/// The commands of one kind in a group, whichever kind it is.
pub(crate) trait Batch: Send {
    fn kind(&self) -> TypeId;
    fn size(&self) -> usize;
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;

    /// Takes over the commands of another batch of the same kind.
    fn absorb(&mut self, other: Box<dyn Batch>);

    /// Whether its bulk statement can be run without opening or testing a connection.
    fn is_ready(&self, pools: &Pools) -> bool;

    /// Does what the bulk statement can do, in an exchange that is a commit of its own, and answers it.
    fn write_bulk<'a>(&'a mut self, context: &'a WriteContext) -> BoxFuture<'a, ()>;

    /// Does all of it in a transaction: in bulk, if that was not tried before, then the rest one by one.
    fn run<'a>(&'a mut self, tx: &'a mut Tx, in_bulk: bool) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Answers what [`Self::run`] did, after its commit.
    fn answer_done(&mut self);

    /// Does each in a transaction of its own.
    fn write_alone<'a>(&'a mut self, context: &'a WriteContext) -> BoxFuture<'a, ()>;

    /// Takes out those that need a row which another transaction is known to hold.
    fn take_held(&mut self, context: &WriteContext) -> Box<dyn Batch>;

    /// Starts each in a task of its own; only its caller waits for it. Gives how many there are.
    fn start_alone(self: Box<Self>, context: &Arc<WriteContext>) -> usize;

    /// Forgets those whose caller has an answer.
    fn forget_answered(&mut self);
}

/// A command whose caller waits.
struct Waiting<C: Command> {
    command: C,
    reply: Reply<C::Output>,
    /// What came of it, until that is committed.
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
        pools.runs(C::plain(&[]).statement()) && pools.is_connected(C::NAME)
    }

    fn write_bulk<'a>(&'a mut self, context: &'a WriteContext) -> BoxFuture<'a, ()> {
        async move {
            let commands = self.commands();
            let plain = C::plain(&commands);
            if plain.is_empty() || !context.pools.runs(plain.statement()) {
                return;
            }
            match context.pools.write_bulk::<C::Row>(C::NAME, &plain).await {
                Ok(rows) => {
                    let outcomes = C::outcomes(&plain, &commands, &rows);
                    drop(plain);
                    self.note(outcomes);
                    self.answer_done();
                }
                Err(error) => context.counters.group_failed(&error, commands.len()),
            }
        }
        .boxed()
    }

    fn run<'a>(&'a mut self, tx: &'a mut Tx, in_bulk: bool) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let commands = self.commands();
            let mut outcomes = vec![None; commands.len()];
            let plain = C::plain(&commands);
            if in_bulk && !plain.is_empty() && tx.runs(plain.statement()) {
                let rows = tx.fetch_bulk::<C::Row>(&plain).await?;
                outcomes = C::outcomes(&plain, &commands, &rows);
            }
            drop(plain);
            for (outcome, command) in outcomes.iter_mut().zip(commands) {
                if outcome.is_none() {
                    *outcome = run_within(tx, &mut Within(command)).await?;
                }
            }
            self.note(outcomes);
            Ok(())
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
        let expects_held_row = context.held.holds_any(command.rows());
        Self { command: command.clone(), rows, expects_held_row, context }
    }

    async fn write(mut self) -> Result<C::Output, StoreError> {
        let context = self.context;
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

/// One command of a group.
struct Within<'c, C>(&'c C);

impl<C: Command> Work for Within<'_, C> {
    type Output = C::Output;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<C::Output, StoreError>> {
        self.0.clone().run(tx)
    }
}
