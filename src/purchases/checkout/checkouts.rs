//! Bulk commands for checkouts: inserting top-ups before the provider is called, and storing the opened sessions.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::args;
use crate::db::command::Command;
use crate::db::statement::{Argument, Bulk, BulkStatement, Done, Picked, Value, bulk_statement};
use crate::domain::expiry::ExpiryDays;
use crate::domain::ids::{SessionId, TopupId};
use crate::domain::tax::TaxBehavior;
use crate::purchases::checkout::topup_attempts;
use crate::purchases::idempotency::{self, IdempotencyKey, KeyState, StoredAnswer};
use crate::purchases::topups::{self, NewTopup, Topup, to_json};

pub(crate) static BEGIN: BulkStatement = bulk_statement!("checkouts/begin/json.sql", "checkouts/begin/lists.sql");
pub(crate) static OPENED: BulkStatement = bulk_statement!("checkouts/opened/json.sql", "checkouts/opened/lists.sql");

/// Inserts a top-up and claims the caller's key, if there is one.
#[derive(Debug, Clone)]
pub struct BeginCheckout {
    /// The top-up.
    pub new: NewTopup,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
    /// When this request's lease on the key ends, in milliseconds since 1970.
    pub lease_until_ms: i64,
    /// A key first used before this time is forgotten, in milliseconds since 1970.
    pub forget_before_ms: i64,
}

/// The result of [`BeginCheckout`].
#[derive(Debug, Clone)]
pub enum CheckoutStart {
    /// The top-up is inserted; the provider may be called.
    New,
    /// An earlier request with the key ended without an answer.
    Resumed(Box<Topup>),
    /// An earlier request with the key was answered.
    Answered(Box<Topup>, StoredAnswer),
    /// An earlier request with the key is still running.
    StillRunning,
    /// The key was used with a different request.
    OtherRequest,
}

/// A top-up to insert by the bulk statement, and the caller's key.
#[derive(Serialize)]
struct BeginRow<'c> {
    topup: &'c str,
    account: &'c str,
    credits: i64,
    currency: &'c str,
    unit_credits: i64,
    unit_amount: i64,
    credits_amount: i64,
    fee_amount: i64,
    total: i64,
    fee_mode: &'c str,
    rate: String,
    fee_fixed: i64,
    fee_label: &'c str,
    expected_fee: i64,
    bonus: i64,
    /// 0 for ever.
    expire_days: i64,
    tax: Option<&'static str>,
    livemode: i64,
    provider: &'c str,
    request: String,
    expires_at: i64,
    now_ms: i64,
    caller: Option<&'c str>,
    key: Option<&'c str>,
    hash: Option<&'c str>,
    lease_until: i64,
}

impl<'c> BeginRow<'c> {
    /// The row of a command. `None` if its request cannot be serialised: then it fails individually.
    fn new(command: &'c BeginCheckout) -> Option<Self> {
        let BeginCheckout { new, key, lease_until_ms, .. } = command;
        let key = key.as_ref();
        Some(Self {
            topup: new.id.as_str(),
            account: new.account.as_str(),
            credits: new.quote.credits.get(),
            currency: new.quote.currency.as_str(),
            unit_credits: new.quote.unit.credits(),
            unit_amount: new.quote.unit.amount_minor(),
            credits_amount: new.quote.credits_amount_minor,
            fee_amount: new.quote.fee_amount_minor,
            total: new.quote.total_amount_minor,
            fee_mode: new.fees.mode.as_str(),
            rate: new.fees.rate.to_string(),
            fee_fixed: new.fees.fixed_minor,
            fee_label: &new.fees.label,
            expected_fee: new.expected_fee_minor,
            bonus: new.quote.bonus_credits,
            expire_days: new.quote.expiry.map_or(0, ExpiryDays::get),
            tax: new.quote.tax.map(TaxBehavior::as_str),
            livemode: i64::from(new.livemode),
            provider: new.provider.as_str(),
            request: to_json(&new.request).ok()?,
            expires_at: new.expires_at_ms(),
            now_ms: new.now_ms,
            caller: key.map(|key| key.scope.as_str()),
            key: key.map(|key| key.key.as_str()),
            hash: key.map(|key| key.request_hash.as_str()),
            lease_until: *lease_until_ms,
        })
    }
}

/// The commands that the bulk statement can handle.
pub struct NewCheckouts<'c>(Picked<BeginRow<'c>>);

impl Command for BeginCheckout {
    type Output = CheckoutStart;
    type Row = Done;
    type Plain<'c> = NewCheckouts<'c>;

    const NAME: &'static str = "begin";

    fn rows(&self) -> Vec<&str> {
        self.key.iter().map(|key| key.scope.as_str()).collect()
    }

    fn plain<'c>(commands: &[&'c Self]) -> NewCheckouts<'c> {
        let row = |(place, command): (usize, &&'c Self)| Some((BeginRow::new(command)?, place));
        NewCheckouts(commands.iter().enumerate().filter_map(row).collect())
    }

    fn outcomes(plain: &NewCheckouts<'_>, commands: &[&Self], rows: &[Done]) -> Vec<Option<CheckoutStart>> {
        plain.0.outcomes(commands.len(), rows, &CheckoutStart::New)
    }

    fn run(self, tx: &mut Tx) -> BoxFuture<'_, Result<CheckoutStart, StoreError>> {
        begin(tx, self).boxed()
    }
}

async fn begin(tx: &mut Tx, command: BeginCheckout) -> Result<CheckoutStart, StoreError> {
    let BeginCheckout { new, key, lease_until_ms, forget_before_ms } = command;
    let Some(key) = key else {
        // Ids are random. If the top-up exists, an earlier try of this command inserted it and its answer was lost.
        if topups::find_agreement(tx, &new.id).await?.is_none() {
            topups::insert(tx, &new).await?;
        }
        return Ok(CheckoutStart::New);
    };
    let now_ms = new.now_ms;
    idempotency::forget(tx, &key, forget_before_ms, now_ms).await?;
    match idempotency::claim(tx, &key, &new.id, lease_until_ms, now_ms).await? {
        KeyState::Fresh => {
            topups::insert(tx, &new).await?;
            Ok(CheckoutStart::New)
        }
        KeyState::Resumed(id) => {
            let topup = existing(tx, &id).await?;
            // If a process dies between its calls, it is unknown whether they succeeded.
            topup_attempts::mark_unknown(tx, &id, now_ms).await?;
            Ok(CheckoutStart::Resumed(Box::new(topup)))
        }
        KeyState::Answered(id, answer) => Ok(CheckoutStart::Answered(Box::new(existing(tx, &id).await?), answer)),
        // This command claimed the key in an earlier try whose answer was lost.
        KeyState::Running(id) if id == new.id => Ok(CheckoutStart::New),
        KeyState::Running(_) => Ok(CheckoutStart::StillRunning),
        KeyState::OtherRequest => Ok(CheckoutStart::OtherRequest),
    }
}

async fn existing(tx: &mut Tx, id: &TopupId) -> Result<Topup, StoreError> {
    topups::find(tx, id).await?.ok_or_else(|| StoreError::corrupt("a key of the missing top-up", id))
}

impl Bulk for NewCheckouts<'_> {
    fn statement(&self) -> &'static BulkStatement {
        &BEGIN
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
            topup = Value::texts(rows, |row| Some(row.topup)),
            account = Value::texts(rows, |row| Some(row.account)),
            credits = Value::ints(rows, |row| row.credits),
            currency = Value::texts(rows, |row| Some(row.currency)),
            unit_credits = Value::ints(rows, |row| row.unit_credits),
            unit_amount = Value::ints(rows, |row| row.unit_amount),
            credits_amount = Value::ints(rows, |row| row.credits_amount),
            fee_amount = Value::ints(rows, |row| row.fee_amount),
            total = Value::ints(rows, |row| row.total),
            fee_mode = Value::texts(rows, |row| Some(row.fee_mode)),
            rate = Value::texts(rows, |row| Some(&row.rate)),
            fee_fixed = Value::ints(rows, |row| row.fee_fixed),
            fee_label = Value::texts(rows, |row| Some(row.fee_label)),
            expected_fee = Value::ints(rows, |row| row.expected_fee),
            bonus = Value::ints(rows, |row| row.bonus),
            expire_days = Value::ints(rows, |row| row.expire_days),
            tax = Value::texts(rows, |row| row.tax),
            livemode = Value::ints(rows, |row| row.livemode),
            provider = Value::texts(rows, |row| Some(row.provider)),
            request = Value::texts(rows, |row| Some(&row.request)),
            expires_at = Value::ints(rows, |row| row.expires_at),
            now_ms = Value::ints(rows, |row| row.now_ms),
            caller = Value::texts(rows, |row| row.caller),
            key = Value::texts(rows, |row| row.key),
            hash = Value::texts(rows, |row| row.hash),
            lease_until = Value::ints(rows, |row| row.lease_until),
        ]
        .into()
    }
}

/// Stores a checkout that matches the agreement and is about to be handed out.
#[derive(Debug, Clone)]
pub struct StoreOpened {
    /// The top-up.
    pub topup: TopupId,
    /// The checkout session.
    pub session: SessionId,
    /// The URL of the hosted page.
    pub url: String,
    /// When the session ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
    /// The answer stored for the key if the top-up has another session; otherwise 200 is stored.
    pub other_answer: StoredAnswer,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A checkout session to store by the bulk statement, and the caller's key.
#[derive(Serialize)]
struct OpenedRow<'c> {
    topup: &'c str,
    provider: &'c str,
    session: &'c str,
    url: &'c str,
    expires_at: i64,
    now_ms: i64,
    caller: Option<&'c str>,
    key: Option<&'c str>,
}

impl<'c> OpenedRow<'c> {
    fn new(command: &'c StoreOpened) -> Self {
        let key = command.key.as_ref();
        Self {
            topup: command.topup.as_str(),
            provider: command.session.provider().as_str(),
            session: command.session.as_str(),
            url: &command.url,
            expires_at: command.expires_at_ms,
            now_ms: command.now_ms,
            caller: key.map(|key| key.scope.as_str()),
            key: key.map(|key| key.key.as_str()),
        }
    }
}

/// The commands that the bulk statement can handle.
pub struct OpenedCheckouts<'c>(Picked<OpenedRow<'c>>);

impl Command for StoreOpened {
    /// `false` if the top-up has another session already.
    type Output = bool;
    type Row = Done;
    type Plain<'c> = OpenedCheckouts<'c>;

    const NAME: &'static str = "open";

    fn rows(&self) -> Vec<&str> {
        vec![self.topup.as_str()]
    }

    fn plain<'c>(commands: &[&'c Self]) -> OpenedCheckouts<'c> {
        let mut rows: Vec<(OpenedRow<'c>, usize)> =
            commands.iter().enumerate().map(|(place, command)| (OpenedRow::new(command), place)).collect();
        rows.sort_by_key(|(row, _)| row.topup);
        rows.dedup_by_key(|(row, _)| row.topup);
        OpenedCheckouts(rows.into_iter().collect())
    }

    fn outcomes(plain: &OpenedCheckouts<'_>, commands: &[&Self], rows: &[Done]) -> Vec<Option<bool>> {
        plain.0.outcomes(commands.len(), rows, &true)
    }

    fn run(self, tx: &mut Tx) -> BoxFuture<'_, Result<bool, StoreError>> {
        store_opened(tx, self).boxed()
    }
}

async fn store_opened(tx: &mut Tx, command: StoreOpened) -> Result<bool, StoreError> {
    let StoreOpened { topup, session, url, expires_at_ms, key, other_answer, now_ms } = command;
    let is_stored = topups::opened(tx, &topup, &session, Some(&url), expires_at_ms, now_ms).await?;
    if let Some(key) = key {
        let answer = if is_stored { StoredAnswer { status: 200, code: None } } else { other_answer };
        idempotency::answer(tx, &key, &answer).await?;
    }
    Ok(is_stored)
}

impl Bulk for OpenedCheckouts<'_> {
    fn statement(&self) -> &'static BulkStatement {
        &OPENED
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
            topup = Value::texts(rows, |row| Some(row.topup)),
            provider = Value::texts(rows, |row| Some(row.provider)),
            session = Value::texts(rows, |row| Some(row.session)),
            url = Value::texts(rows, |row| Some(row.url)),
            expires_at = Value::ints(rows, |row| row.expires_at),
            now_ms = Value::ints(rows, |row| row.now_ms),
            caller = Value::texts(rows, |row| row.caller),
            key = Value::texts(rows, |row| row.key),
        ]
        .into()
    }
}
