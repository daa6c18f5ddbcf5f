//! Bulk command for charge events: stores which balance transaction will show the provider's fee.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::args;
use crate::db::command::Command;
use crate::db::statement::{Argument, Bulk, BulkStatement, Picked, Value, bulk_statement};
use crate::domain::checkout::Mismatch;
use crate::domain::ids::{ChargeId, FeeId, PaymentId, TopupId};
use crate::domain::payment::PaymentRole;
use crate::domain::reversal::EventRef;
use crate::purchases::decided_events::insert_event;
use crate::purchases::fee::fees;
use crate::purchases::payment::payments;
use crate::purchases::topups;

pub(crate) static EXPECT_FEES: BulkStatement = bulk_statement!("fees/json.sql", "fees/lists.sql");

/// A charge event: this balance transaction will show the fee.
#[derive(Debug, Clone)]
pub struct ExpectFee {
    /// The event.
    pub event: EventRef,
    /// The top-up.
    pub topup: TopupId,
    /// Whether real money moved.
    pub livemode: bool,
    /// The payment.
    pub payment: PaymentId,
    /// The charge.
    pub charge: ChargeId,
    /// The balance transaction at the provider.
    pub fee_id: FeeId,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// The result of [`ExpectFee`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeeNews {
    /// The provider will be asked.
    Expected,
    /// The event was decided before.
    Duplicate,
    /// The top-up is not in this database.
    Foreign,
    /// The event contradicts the agreement. Nothing was written.
    Rejected(Mismatch),
}

/// A row that the bulk statement returns.
#[derive(sqlx::FromRow)]
pub struct Noted {
    number: i64,
    outcome: String,
}

/// An event for the bulk statement.
#[derive(Serialize)]
struct Row<'c> {
    event: &'c str,
    r#type: &'c str,
    topup: &'c str,
    livemode: i64,
    provider: &'c str,
    payment: &'c str,
    charge: &'c str,
    fee_id: &'c str,
    now_ms: i64,
}

impl<'c> Row<'c> {
    fn new(news: &'c ExpectFee) -> Self {
        Self {
            event: news.event.0.as_str(),
            r#type: &news.event.1,
            topup: news.topup.as_str(),
            livemode: i64::from(news.livemode),
            provider: news.payment.provider().as_str(),
            payment: news.payment.as_str(),
            charge: news.charge.as_str(),
            fee_id: news.fee_id.as_str(),
            now_ms: news.now_ms,
        }
    }
}

/// The commands of a group that the bulk statement can handle.
pub struct Notes<'c>(Picked<Row<'c>>);

impl Command for ExpectFee {
    type Output = FeeNews;
    type Row = Noted;
    type Plain<'c> = Notes<'c>;

    const NAME: &'static str = "fee";

    fn rows(&self) -> Vec<&str> {
        vec![self.payment.as_str()]
    }

    fn plain<'c>(commands: &[&'c Self]) -> Notes<'c> {
        let mut seen = BTreeSet::new();
        let mut rows = Vec::new();
        for (place, command) in commands.iter().enumerate() {
            let names = [command.payment.as_str(), command.event.0.as_str()];
            let is_first = names.iter().all(|name| !seen.contains(name));
            seen.extend(names);
            rows.extend(is_first.then(|| (Row::new(command), place)));
        }
        rows.sort_by_key(|(row, _)| row.payment);
        Notes(rows.into_iter().collect())
    }

    fn outcomes(plain: &Notes<'_>, commands: &[&Self], rows: &[Noted]) -> Vec<Option<FeeNews>> {
        let mut outcomes = vec![None; commands.len()];
        for row in rows {
            if let Some(outcome) = plain.0.row(row.number).and_then(|(_, place)| outcomes.get_mut(place)) {
                *outcome = match row.outcome.as_str() {
                    "expected" => Some(FeeNews::Expected),
                    "duplicate" => Some(FeeNews::Duplicate),
                    "foreign" => Some(FeeNews::Foreign),
                    _ => None,
                };
            }
        }
        outcomes
    }

    fn run(self, tx: &mut Tx) -> BoxFuture<'_, Result<FeeNews, StoreError>> {
        note(tx, self).boxed()
    }
}

async fn note(tx: &mut Tx, news: ExpectFee) -> Result<FeeNews, StoreError> {
    let Some(found) = topups::find_agreement(tx, &news.topup).await? else { return Ok(FeeNews::Foreign) };
    if let Err(mismatch) = found.agreement.check_mode(news.payment.provider(), news.livemode) {
        return Ok(FeeNews::Rejected(mismatch));
    }
    if !insert_event(tx, &news.event, &news.topup, "fee_expected", news.now_ms).await? {
        return Ok(FeeNews::Duplicate);
    }
    payments::touch(tx, &news.payment, &news.topup, PaymentRole::Waiting, None, None, news.now_ms).await?;
    fees::expect(tx, &news.payment, &news.charge, &news.fee_id, news.now_ms).await?;
    Ok(FeeNews::Expected)
}

impl Bulk for Notes<'_> {
    fn statement(&self) -> &'static BulkStatement {
        &EXPECT_FEES
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
            event = Value::texts(rows, |row| Some(row.event)),
            event_type = Value::texts(rows, |row| Some(row.r#type)),
            topup = Value::texts(rows, |row| Some(row.topup)),
            livemode = Value::ints(rows, |row| row.livemode),
            provider = Value::texts(rows, |row| Some(row.provider)),
            payment = Value::texts(rows, |row| Some(row.payment)),
            charge = Value::texts(rows, |row| Some(row.charge)),
            fee_id = Value::texts(rows, |row| Some(row.fee_id)),
            now_ms = Value::ints(rows, |row| row.now_ms),
        ]
        .into()
    }
}
