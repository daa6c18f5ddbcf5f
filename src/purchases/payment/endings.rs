//! Bulk command for top-ups whose checkout expired.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::args;
use crate::db::command::Command;
use crate::db::statement::{Argument, Bulk, BulkStatement, Done, Picked, Value, bulk_statement};
use crate::domain::checkout::{PurchaseProgress, TopupState};
use crate::domain::judge::Applied;
use crate::purchases::payment::apply::{ApplyPayment, apply_one};
use crate::purchases::payment::credit::{Row, pick};

pub(crate) static EXPIRE: BulkStatement = bulk_statement!("endings/json.sql", "endings/lists.sql");

/// A report that a checkout expired.
#[derive(Debug, Clone)]
pub struct EndPurchase(pub ApplyPayment);

/// The reports of a group that the bulk statement can handle.
pub struct Expired<'c>(Picked<Row<'c>>);

impl Command for EndPurchase {
    type Output = Applied;
    type Row = Done;
    type Plain<'c> = Expired<'c>;

    const NAME: &'static str = "end";

    fn rows(&self) -> Vec<&str> {
        vec![self.0.report.topup.as_str()]
    }

    fn plain<'c>(commands: &[&'c Self]) -> Expired<'c> {
        Expired(pick(commands.iter().map(|command| &command.0), PurchaseProgress::Expired))
    }

    fn outcomes(plain: &Expired<'_>, commands: &[&Self], rows: &[Done]) -> Vec<Option<Applied>> {
        plain.0.outcomes(commands.len(), rows, &Applied::Moved(TopupState::Expired))
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
        self.0.rows().is_empty()
    }

    fn as_json(&self) -> Result<Vec<Argument>, StoreError> {
        self.0.as_json()
    }

    fn as_lists(&self) -> Vec<Argument> {
        let rows = self.0.rows();
        args![
            event = Value::texts(rows, |row| row.event),
            event_type = Value::texts(rows, |row| Some(row.r#type)),
            topup = Value::texts(rows, |row| Some(row.topup)),
            session = Value::texts(rows, |row| Some(row.session)),
            provider = Value::texts(rows, |row| Some(row.provider)),
            account = Value::texts(rows, |row| Some(row.account)),
            credits = Value::ints(rows, |row| row.credits),
            expire_days = Value::ints(rows, |row| row.expire_days),
            currency = Value::texts(rows, |row| Some(row.currency)),
            total = Value::ints(rows, |row| row.total),
            livemode = Value::ints(rows, |row| row.livemode),
            now_ms = Value::ints(rows, |row| row.now_ms),
        ]
        .into()
    }
}
