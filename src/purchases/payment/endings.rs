//! Purchases whose checkout ended without money, many at once.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::command::Command;
use crate::db::statement::{Bulk, BulkStatement, Done, Statement, Value};
use crate::domain::checkout::{PaymentProgress, TopupState};
use crate::domain::judge::Applied;
use crate::purchases::payment::apply::{ApplyPayment, apply_one};
use crate::purchases::payment::credit::{Row, names, row};

pub(crate) static EXPIRE: BulkStatement =
    BulkStatement { json: None, lists: Statement::new(include_str!("endings/lists.sql")) };

/// A report that brings no money: the checkout expired, or the payment failed.
#[derive(Debug, Clone)]
pub struct EndPurchase(pub ApplyPayment);

/// Those of a group that say plainly that a checkout expired.
pub struct Expired<'c> {
    rows: Vec<Row<'c>>,
    /// The place of each row's command in the group.
    places: Vec<usize>,
}

impl Command for EndPurchase {
    type Output = Applied;
    type Row = Done;
    type Plain<'c> = Expired<'c>;

    const NAME: &'static str = "end";

    fn rows(&self) -> Vec<&str> {
        vec![self.0.report.topup.as_str()]
    }

    fn plain<'c>(commands: &[&'c Self]) -> Expired<'c> {
        let mut seen = BTreeSet::new();
        let mut rows = Vec::new();
        for (place, command) in commands.iter().enumerate() {
            let names = names(&command.0.report);
            let is_first = names.iter().flatten().all(|name| !seen.contains(name));
            seen.extend(names.into_iter().flatten());
            let row = row(&command.0, PaymentProgress::Expired).filter(|row| is_first && row.event.is_some());
            rows.extend(row.map(|row| (row, place)));
        }
        rows.sort_by_key(|(row, _)| row.topup);
        let (rows, places) = rows.into_iter().unzip();
        Expired { rows, places }
    }

    fn outcomes(plain: &Expired<'_>, commands: &[&Self], rows: &[Done]) -> Vec<Option<Applied>> {
        let mut outcomes = vec![None; commands.len()];
        for (is_done, place) in Done::marks(rows, plain.places.len()).into_iter().zip(&plain.places) {
            if let Some(outcome) = outcomes.get_mut(*place).filter(|_| is_done) {
                *outcome = Some(Applied::Moved(TopupState::Expired));
            }
        }
        outcomes
    }

    fn run(self, tx: &mut Tx) -> BoxFuture<'_, Result<Applied, StoreError>> {
        apply_one(tx, self.0).boxed()
    }
}

impl Bulk for Expired<'_> {
    fn statement(&self) -> &'static BulkStatement {
        &EXPIRE
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn as_json(&self) -> Result<Vec<Value>, StoreError> {
        Ok(Vec::new())
    }

    fn as_lists(&self) -> Vec<Value> {
        let rows = &self.rows;
        vec![
            Value::texts(rows, |row| row.event),
            Value::texts(rows, |row| Some(row.r#type)),
            Value::texts(rows, |row| Some(row.topup)),
            Value::texts(rows, |row| Some(row.session)),
            Value::texts(rows, |row| Some(row.account)),
            Value::ints(rows, |row| row.credits),
            Value::texts(rows, |row| Some(row.currency)),
            Value::ints(rows, |row| row.total),
            Value::ints(rows, |row| row.livemode),
            Value::ints(rows, |row| row.now_ms),
        ]
    }
}
