//! Charges a card for an account whose credits ran low, or carries on where another process ended.
//!
//! No transaction is open during a call to the provider. A process may die after any of the steps: the next one that
//! takes the lease repeats the call under the same idempotency key, and so finds out what came of it.

use async_trait::async_trait;

use crate::app::{App, with_causes};
use crate::books::rounds::until_settled;
use crate::books::settle_account::balance_now;
use crate::checkpoints;
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::attempt::{Attempt, QUIET_MS};
use crate::domain::auto_topup::{AutoTopupState, Decline, PauseReason};
use crate::domain::checkout::{PurchaseReport, TopupState};
use crate::domain::ids::{CustomerId, LedgerEntryId, TopupId};
use crate::domain::judge::Applied;
use crate::providers::port::{Charge, CheckoutRequest, ProviderError};
use crate::purchases::checkout::create_once::{Creation, Failure, Work, create_once};
use crate::purchases::checkout::new_topup::{Purchase, new_topup};
use crate::purchases::checkout::topup_attempts;
use crate::purchases::payment::apply_report::apply;
use crate::purchases::topups::{NewTopup, Topup};
use crate::recurring::auto_topup::begin::{BeginCharge, Begun};
use crate::recurring::auto_topup::charged_card::{ChargedCard, ChooseError, choose};
use crate::recurring::auto_topup::finish::{Failed, FinishFailed, FinishPaid};
use crate::recurring::auto_topup::settings::AutoTopup;
use crate::recurring::auto_topup::{queue, recovery};

/// How long one process works on a charge. Shorter than the lease of the queue.
const WORK_MS: i64 = 60_000;
/// The pause after a call that is to be repeated.
const AGAIN_MS: i64 = 30_000;
/// The pause while the money is on its way, or an operator has to mend the key.
const LATER_MS: i64 = 600_000;
/// The pause while the customer may pay on a page that is open.
const RECOVERY_MS: i64 = 60_000;
/// When a stored request ends. It is not sent.
const EXPIRES_SECONDS: i64 = 86_400;

/// Looks after one account that is due: takes its lease, and does what is next.
pub(crate) async fn look_after(app: &App, account: &AccountId) -> Result<(), StoreError> {
    let holder = format!("{:032x}", app.ids.id_bits());
    let take = Take { account: account.clone(), holder: holder.clone(), now_ms: app.clock.now_ms() };
    if !app.db.write(take).await? {
        return Ok(());
    }
    checkpoints::reach("the lease of an auto top-up is taken").await;
    let auto = app.db.auto_topup(account).await?;
    if let Some(topup) = auto.as_ref().and_then(|auto| auto.topup.clone()) {
        return carry_on(app, account, &topup).await;
    }
    match auto {
        Some(auto) if auto.needs_recovery() => recovery::open_for_notice(app, account, &auto).await,
        Some(auto) if recovery::may_be_paid(app, &auto).await? => postpone(app, account, RECOVERY_MS).await,
        auto => begin(app, account, holder, auto.as_ref()).await,
    }
}

struct Take {
    account: AccountId,
    holder: String,
    now_ms: i64,
}

impl Write for Take {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        queue::take(tx, &self.account, &self.holder, self.now_ms).await
    }
}

async fn begin(app: &App, account: &AccountId, holder: String, auto: Option<&AutoTopup>) -> Result<(), StoreError> {
    let now_ms = app.clock.now_ms();
    let chosen = match auto.filter(|auto| auto.may_charge(now_ms)) {
        Some(auto) => match purchase(app, account, auto).await {
            Ok(chosen) => chosen,
            Err(ChooseError::Store(error)) => return Err(error),
            Err(ChooseError::Provider(error)) => {
                tracing::warn!(%error, "Stripe does not say which card an auto top-up would charge");
                return postpone(app, account, AGAIN_MS).await;
            }
        },
        // Whatever the reason is: nothing is charged.
        None => Err(PauseReason::NoCard),
    };
    checkpoints::reach("the card of an auto top-up is chosen").await;
    let begun = until_settled(|| async {
        let write = BeginCharge {
            account: account.clone(),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            holder: holder.clone(),
            chosen: chosen.clone(),
            max_per_hour: app.recurring.auto_topups_per_hour,
            now_ms: app.clock.now_ms(),
        };
        app.db.write(write).await
    });
    match (begun.await?, chosen) {
        (Begun::Charge, Ok((card, new))) => {
            let attempt = Attempt { unknown_since_ms: None, ..Attempt::first(new.now_ms) };
            let work = Work { attempt, mark_ms: new.now_ms, lease_until_ms: new.now_ms.saturating_add(WORK_MS) };
            let (topup, request, created_at_ms) = (new.id, new.request, new.now_ms);
            charge(app, account, CardCharge { topup, customer: card.customer, request, created_at_ms }, work).await
        }
        (Begun::UnderWay(topup), _) => carry_on(app, account, &topup).await,
        (Begun::Crowded, _) => {
            let (max, per_hour) = (app.recurring.auto_topups_per_hour, "AUTO_TOPUPS_PER_HOUR");
            tracing::warn!(max, per_hour, "too many auto top-ups in an hour: this one waits");
            Ok(())
        }
        (Begun::Charge | Begun::Nothing, _) => Ok(()),
    }
}

type Chosen = Result<(ChargedCard, Box<NewTopup>), PauseReason>;

/// What to buy, and with which card.
async fn purchase(app: &App, account: &AccountId, auto: &AutoTopup) -> Result<Chosen, ChooseError> {
    let prices = app.pricing.of(Some(auto.rules.currency)).ok();
    let Some(prices) = prices.filter(|prices| prices.quote(auto.rules.credits).is_ok()) else {
        return Ok(Err(PauseReason::NotForSale));
    };
    let card = match choose(app, account, auto.rules.card.as_ref()).await? {
        Ok(card) => card,
        Err(reason) => return Ok(Err(reason)),
    };
    let prices = prices.for_card(card.card.facts.country.as_deref());
    let Ok(quote) = prices.quote(auto.rules.credits) else { return Ok(Err(PauseReason::NotForSale)) };
    let now_ms = app.clock.now_ms();
    let purchase = Purchase {
        account,
        quote,
        fees: prices.fees().clone(),
        // There is no page.
        success_url: "",
        cancel_url: None,
        expires_at_seconds: now_ms.div_euclid(1_000).saturating_add(EXPIRES_SECONDS),
        customer: Some(&card.customer),
        saves_card: false,
        payment_method: Some(&card.card.id),
    };
    let new = new_topup(app, purchase, now_ms)?;
    Ok(Ok((card, Box::new(new))))
}

/// Carries on with a charge that was begun.
async fn carry_on(app: &App, account: &AccountId, id: &TopupId) -> Result<(), StoreError> {
    let topup = app.db.topup(id).await?.ok_or_else(|| StoreError::corrupt("no top-up of an attempt:", id))?;
    match topup.state {
        TopupState::Paid => paid(app, account, id).await,
        TopupState::Processing | TopupState::Failed | TopupState::Expired => look_again(app, account, topup).await,
        TopupState::Creating | TopupState::Open if is_wanted(app, account, id).await? => {
            repeat(app, account, topup).await
        }
        TopupState::Creating | TopupState::Open => withdraw(app, account, topup).await,
    }
}

/// Whether a charge that may not have reached the provider is still to be made: the customer has not withdrawn the
/// consent that it was begun with, and lacks the credits.
async fn is_wanted(app: &App, account: &AccountId, topup: &TopupId) -> Result<bool, StoreError> {
    let Some(auto) = app.db.auto_topup(account).await? else { return Ok(false) };
    let balance = balance_now(app, account).await?;
    Ok(auto.state != AutoTopupState::Off
        && app.db.auto_topup_consent(topup).await? == Some(auto.consented_at_ms)
        && !balance.is_blocked
        && balance.funds().available() < auto.rules.threshold_credits)
}

/// Ends a charge that is no longer wanted, once it is certain that no call has made it. What was made is applied.
async fn withdraw(app: &App, account: &AccountId, topup: Topup) -> Result<(), StoreError> {
    // Without a mark, the first call may be on its way for as long as its process may work on it.
    let called_ms = topup.attempt.unknown_since_ms.unwrap_or_else(|| topup.created_at_ms.saturating_add(WORK_MS));
    let certain_ms = called_ms.saturating_add(QUIET_MS);
    match find(app, &topup, certain_ms).await {
        Ok(Some(charge)) => answered(app, account, &topup.id, charge).await,
        Ok(None) if app.clock.now_ms() >= certain_ms => failed(app, account, &topup.id, Failed::Withdrawn).await,
        Ok(None) => postpone(app, account, AGAIN_MS).await,
        Err(error) => {
            tracing::warn!(topup = %topup.id, %error, "Stripe does not say whether an auto top-up was charged");
            postpone(app, account, AGAIN_MS).await
        }
    }
}

/// Asks about a payment that was on its way. One that failed is cancelled, and says itself why.
async fn look_again(app: &App, account: &AccountId, topup: Topup) -> Result<(), StoreError> {
    match find(app, &topup, app.clock.now_ms()).await {
        Ok(Some(charge)) => answered(app, account, &topup.id, charge).await,
        Ok(None) if topup.state != TopupState::Processing => {
            let decline = Decline { code: topup.decline_code, ..Decline::default() };
            failed(app, account, &topup.id, Failed::Declined(decline)).await
        }
        Ok(None) => postpone(app, account, LATER_MS).await,
        Err(error) => {
            tracing::warn!(topup = %topup.id, %error, "Stripe does not say what came of an auto top-up");
            postpone(app, account, LATER_MS).await
        }
    }
}

async fn find(app: &App, topup: &Topup, until_ms: i64) -> Result<Option<Charge>, ProviderError> {
    let customer = topup.request().ok().and_then(|request| request.customer).unwrap_or_default();
    let customer = CustomerId::parse(topup.provider, customer);
    let customer = customer.map_err(|error| ProviderError::Unreachable(error.to_string()))?;
    app.provider.off_session.find_charge(&topup.id, &customer, (topup.created_at_ms, until_ms)).await
}

/// Repeats a call whose answer is not known.
async fn repeat(app: &App, account: &AccountId, topup: Topup) -> Result<(), StoreError> {
    let request = topup.request()?;
    let now_ms = app.clock.now_ms();
    let customer = request.customer.clone().unwrap_or_default();
    let customer =
        CustomerId::parse(topup.provider, customer).map_err(|error| StoreError::corrupt("customer", error))?;
    app.db.write(MarkUnknown { topup: topup.id.clone(), now_ms }).await?;
    let work = Work::resumed(topup.attempt, now_ms, now_ms.saturating_add(WORK_MS));
    let charging = CardCharge { topup: topup.id, customer, request, created_at_ms: topup.created_at_ms };
    charge(app, account, charging, work).await
}

struct MarkUnknown {
    topup: TopupId,
    now_ms: i64,
}

impl Write for MarkUnknown {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        topup_attempts::mark_unknown(tx, &self.topup, self.now_ms).await
    }
}

struct CardCharge {
    topup: TopupId,
    customer: CustomerId,
    request: CheckoutRequest,
    created_at_ms: i64,
}

#[async_trait]
impl Creation for CardCharge {
    type Created = Charge;

    fn id(&self) -> &str {
        self.topup.as_str()
    }

    async fn call(&self, app: &App, key: &str) -> Result<Charge, ProviderError> {
        app.provider.off_session.charge_card(&self.request, key).await
    }

    async fn look(&self, app: &App, attempt: &Attempt) -> Result<Option<Charge>, ProviderError> {
        let until_ms = attempt.unknown_since_ms.map(|since_ms| since_ms.saturating_add(QUIET_MS));
        let within_ms = (self.created_at_ms, until_ms.unwrap_or_else(|| app.clock.now_ms()));
        app.provider.off_session.find_charge(&self.topup, &self.customer, within_ms).await
    }

    fn is_stale(&self, _: i64) -> bool {
        false
    }

    fn may_be_ours(&self, _: &ProviderError) -> bool {
        false
    }

    async fn next_key(&mut self, app: &App, mark_ms: i64, next: &Attempt) -> Result<bool, StoreError> {
        let (topup, request) = (self.topup.clone(), self.request.clone());
        app.db.write(StoreNextKey { topup, mark_ms, next: *next, request }).await
    }
}

struct StoreNextKey {
    topup: TopupId,
    mark_ms: i64,
    next: Attempt,
    request: CheckoutRequest,
}

impl Write for StoreNextKey {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        topup_attempts::next_key(tx, &self.topup, self.mark_ms, &self.next, &self.request).await
    }
}

async fn charge(app: &App, account: &AccountId, mut charging: CardCharge, mut work: Work) -> Result<(), StoreError> {
    checkpoints::reach("an auto top-up is begun").await;
    let charged = create_once(app, &mut charging, &mut work).await;
    let topup = charging.topup;
    match charged {
        Ok(charge) => answered(app, account, &topup, charge).await,
        Err(Failure::Refused(error)) if error.is_missing_permission() || error.is_unknown_key() => {
            tracing::error!(%topup, %error, "the API key may not charge saved cards");
            unfinished(app, account, topup, work, LATER_MS).await
        }
        Err(Failure::Refused(error)) => failed(app, account, &topup, refused(&error)).await,
        Err(Failure::Unfinished(_)) => unfinished(app, account, topup, work, AGAIN_MS).await,
    }
}

/// What the provider says of a charge.
async fn answered(app: &App, account: &AccountId, topup: &TopupId, charge: Charge) -> Result<(), StoreError> {
    let (payment, decline) = match charge {
        Charge::Made(report) => return made(app, account, *report).await,
        Charge::Declined { payment, decline } => (payment, decline),
    };
    checkpoints::reach("a card was declined").await;
    // It stays open at Stripe, and must never be paid after another one was made.
    let cancelled = match payment {
        Some(payment) => Some(app.provider.off_session.cancel_charge(&payment).await),
        None => None,
    };
    match cancelled {
        Some(Ok(Charge::Made(report))) => made(app, account, *report).await,
        Some(Err(error)) => {
            tracing::warn!(%topup, %error, "a declined payment cannot be cancelled now");
            postpone(app, account, AGAIN_MS).await
        }
        Some(Ok(Charge::Declined { .. })) | None => {
            checkpoints::reach("a declined payment is cancelled").await;
            failed(app, account, topup, Failed::Declined(decline)).await
        }
    }
}

/// The provider's code for an object that is not there: here the card, or the customer.
const MISSING: &str = "resource_missing";

fn refused(error: &ProviderError) -> Failed {
    match error {
        ProviderError::AmountTooSmall(failure) => Failed::Refused(PauseReason::NotForSale, failure.code.clone()),
        ProviderError::Unknown(failure) => Failed::Refused(PauseReason::NoCard, failure.code.clone()),
        ProviderError::Refused(failure) if failure.code == MISSING => {
            Failed::Refused(PauseReason::NoCard, failure.code.clone())
        }
        ProviderError::Refused(failure) => Failed::Refused(PauseReason::ProviderRefused, failure.code.clone()),
        _ => Failed::Refused(PauseReason::ProviderRefused, "refused".to_owned()),
    }
}

/// Applies the report of a payment as any other.
async fn made(app: &App, account: &AccountId, report: PurchaseReport) -> Result<(), StoreError> {
    checkpoints::reach("a card was charged").await;
    let topup = report.topup.clone();
    match apply(app, report).await? {
        Applied::Credited { .. } | Applied::AlreadyPaid | Applied::Surplus | Applied::Duplicate => {
            paid(app, account, &topup).await
        }
        Applied::Moved(TopupState::Failed) => Box::pin(carry_on(app, account, &topup)).await,
        Applied::Rejected(mismatch) => {
            let reason = mismatch.without_accounts();
            tracing::error!(%topup, reason, "an auto top-up was charged, but not as agreed; `topup reconcile` lists it");
            let failed_as = Failed::Refused(PauseReason::ProviderRefused, "provider_mismatch".to_owned());
            failed(app, account, &topup, failed_as).await
        }
        Applied::Moved(_) | Applied::NothingToDo | Applied::Declined | Applied::Foreign => {
            postpone(app, account, LATER_MS).await
        }
    }
}

/// The purchase is paid.
async fn paid(app: &App, account: &AccountId, topup: &TopupId) -> Result<(), StoreError> {
    checkpoints::reach("an auto top-up is credited").await;
    let finish = until_settled(|| async {
        let write = FinishPaid {
            account: account.clone(),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            topup: topup.clone(),
            now_ms: app.clock.now_ms(),
        };
        app.db.write(write).await
    });
    finish.await?;
    tracing::info!(%topup, "an auto top-up is done");
    Ok(())
}

async fn failed(app: &App, account: &AccountId, topup: &TopupId, failed: Failed) -> Result<(), StoreError> {
    tracing::info!(%topup, ?failed, "an auto top-up failed");
    let write = FinishFailed {
        account: account.clone(),
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        topup: topup.clone(),
        failed,
        now_ms: app.clock.now_ms(),
    };
    if app.db.write(write).await? { Ok(()) } else { paid(app, account, topup).await }
}

/// Stores what is known of the calls, for the next try.
async fn unfinished(
    app: &App,
    account: &AccountId,
    topup: TopupId,
    work: Work,
    pause_ms: i64,
) -> Result<(), StoreError> {
    let keep = Keep { account: account.clone(), topup, work, pause_ms, now_ms: app.clock.now_ms() };
    app.db.write(keep).await
}

struct Keep {
    account: AccountId,
    topup: TopupId,
    work: Work,
    pause_ms: i64,
    now_ms: i64,
}

impl Write for Keep {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        topup_attempts::keep_attempt(tx, &self.topup, self.work.mark_ms, &self.work.attempt, self.now_ms).await?;
        queue::postpone(tx, &self.account, self.now_ms.saturating_add(self.pause_ms)).await
    }
}

async fn postpone(app: &App, account: &AccountId, pause_ms: i64) -> Result<(), StoreError> {
    let due_at_ms = app.clock.now_ms().saturating_add(pause_ms);
    app.db.write(Postpone { account: account.clone(), due_at_ms }).await
}

struct Postpone {
    account: AccountId,
    due_at_ms: i64,
}

impl Write for Postpone {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        queue::postpone(tx, &self.account, self.due_at_ms).await
    }
}

/// Logs what kept an account from being looked after. Its lease ends by itself.
pub(crate) fn tell_of(error: &StoreError) {
    tracing::warn!(error = with_causes(error), "an auto top-up cannot be worked on now");
}
