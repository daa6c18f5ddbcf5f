//! The search box: what a person may type, and what it leads to.

use crate::access::operator::Operator;
use crate::app::App;
use crate::books::account_list::ListedAccount;
use crate::console::registers::TOPUPS_SHOWN;
use crate::console::story::{Known, ProviderSays, Story, tell};
use crate::console::words::{parse_day, parse_money};
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::checkout::TopupState;
use crate::domain::currency::Currency;
use crate::domain::ids::{HoldId, MAX_PROVIDER_ID_CHARACTERS, PaymentId, SessionId, TopupId};
use crate::domain::judge::judge;
use crate::domain::payer::Payer;
use crate::domain::pricing::Pricing;
use crate::domain::timestamp::DAY_MS;
use crate::inbox::failed_events::FailedEvent;
use crate::providers::port::ProviderError;
use crate::purchases::explain_topup::{Explanation, explain_topup};
use crate::purchases::topup_history::ListedTopup;

/// The longest text to search for.
pub const MAX_CHARACTERS: usize = 255;
/// How many accounts are listed that begin with what was typed.
const ACCOUNTS_SHOWN: i64 = 20;

/// What a text leads to.
#[derive(Debug, Default)]
pub struct Found {
    /// The one top-up that was meant, with its story.
    pub topup: Option<Box<Told>>,
    /// Several top-ups, newest first.
    pub topups: Vec<ListedTopup>,
    /// Accounts with this id, or whose ids begin like it.
    pub accounts: Vec<ListedAccount>,
    /// A failed delivery with this id.
    pub failure: Option<FailedEvent>,
    /// Why nothing was found, or what the text turned out to be.
    pub note: Option<String>,
}

impl Found {
    fn note(note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..Self::default() }
    }

    /// Whether it leads to nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.topup.is_none() && self.topups.is_empty() && self.accounts.is_empty() && self.failure.is_none()
    }
}

/// A top-up with its story.
#[derive(Debug)]
pub struct Told {
    /// What was recorded.
    pub explanation: Explanation,
    /// Who paid.
    pub payer: Option<Payer>,
    /// What happened, in words.
    pub story: Story,
}

fn anyone() -> Operator {
    Operator { name: "console".to_owned(), account: None }
}

/// Reads a top-up and tells its story. If it is not paid here, the provider is asked, within the limit for questions;
/// nothing is written. `None` if there is no such top-up.
///
/// # Errors
/// When the database fails.
pub async fn tell_topup(app: &App, id: &TopupId) -> Result<Option<Told>, StoreError> {
    let Some(explanation) = explain_topup(app, id, &anyone()).await? else { return Ok(None) };
    let payer = app.db.payer_of(id).await?;
    let says = if explanation.topup.state == TopupState::Paid { None } else { ask(app, id).await? };
    let story = tell(Known {
        explanation: &explanation,
        payer: payer.as_ref(),
        says: says.as_ref(),
        decimals: app.pricing.decimals(),
        now_ms: app.clock.now_ms(),
    });
    Ok(Some(Told { explanation, payer, story }))
}

/// What the provider says of a checkout; `None` if it was not asked.
async fn ask(app: &App, id: &TopupId) -> Result<Option<ProviderSays>, StoreError> {
    let Some(topup) = app.db.topup(id).await? else { return Ok(None) };
    let Some(session) = topup.session else { return Ok(None) };
    let Some(_permit) = app.session_checks.ask(&topup.account, app.clock.now_ms()) else { return Ok(None) };
    let report = match app.provider.checkouts.read_checkout(&session).await {
        Ok(Some(report)) if report.topup == *id => report,
        Ok(_) => return Ok(Some(ProviderSays::OfAnother)),
        Err(ProviderError::Unknown(_)) => return Ok(Some(ProviderSays::Unknown)),
        Err(error) => return Ok(Some(ProviderSays::Silent(error.to_string()))),
    };
    let Some(agreed) = app.db.agreement(id).await? else { return Ok(None) };
    Ok(Some(ProviderSays::Report(judge(&report, &agreed))))
}

/// Finds what a text means.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, text: &str) -> Result<Found, StoreError> {
    let text = text.trim();
    let is_searchable = !text.is_empty() && text.chars().count() <= MAX_CHARACTERS && !text.contains('\0');
    if !is_searchable {
        return Ok(Found::note(
            "Type an id, an e-mail address, the last four digits of a card, or an amount with its day.",
        ));
    }
    if text.contains('@') {
        return by_email(app, text).await;
    }
    if let Ok(id) = TopupId::parse(text) {
        let told = tell_topup(app, &id).await?;
        return Ok(one(
            told,
            "There is no such top-up here. It may belong to another environment, or to an earlier database.",
        ));
    }
    match text.split('_').next().unwrap_or_default() {
        "cs" if text.contains('_') => by_session(app, text).await,
        "pi" if text.contains('_') => by_payment(app, text).await,
        "re" | "pyr" | "du" | "dp" if text.contains('_') => by_reversal(app, text).await,
        "evt" if text.contains('_') => by_event(app, text).await,
        "hold" | "grant" | "spend" | "adjustment" | "refund" if text.contains('_') => by_own_id(app, text).await,
        _ => by_other(app, text).await,
    }
}

fn one(told: Option<Told>, otherwise: &str) -> Found {
    match told {
        Some(told) => Found { topup: Some(Box::new(told)), ..Found::default() },
        None => Found::note(otherwise),
    }
}

/// The top-ups of these ids: told if it is one, listed if there are several.
async fn of_ids(app: &App, ids: Vec<String>, otherwise: &str) -> Result<Found, StoreError> {
    if let [id] = ids.as_slice()
        && let Ok(id) = TopupId::parse(id)
    {
        return Ok(one(tell_topup(app, &id).await?, otherwise));
    }
    let mut topups = Vec::new();
    for id in &ids {
        topups.extend(app.db.listed_topup(id).await?);
    }
    let note = topups.is_empty().then(|| otherwise.to_owned());
    Ok(Found { topups, note, ..Found::default() })
}

async fn by_email(app: &App, text: &str) -> Result<Found, StoreError> {
    let ids = app.db.topups_by_email(&text.to_lowercase(), TOPUPS_SHOWN).await?;
    let mut found = of_ids(
        app,
        ids,
        "No payment with this e-mail address is known. Addresses are kept for a limited time, and \
        only of checkouts that were paid; the customer may have used another one.",
    )
    .await?;
    // An account's id can be an e-mail address.
    found.accounts = accounts(app, text).await?;
    Ok(found)
}

/// A checkout session. One that is not here is looked up at the provider.
async fn by_session(app: &App, text: &str) -> Result<Found, StoreError> {
    let Ok(session) = SessionId::parse(app.provider.name, text) else {
        return Ok(Found::note("This is no id of a checkout session."));
    };
    if let Some(topup) = app.db.topup_by_session(&session).await? {
        return Ok(one(tell_topup(app, &topup.id).await?, "It is no longer there."));
    }
    if let Some(note) = other_mode(app, text) {
        return Ok(Found::note(note));
    }
    match app.provider.checkouts.read_checkout(&session).await {
        Ok(Some(report)) => elsewhere(app, &report.topup).await,
        Ok(None) => Ok(Found::note("Stripe knows this checkout session; another application sold something by it.")),
        Err(error) => Ok(Found::note(not_known("checkout session", &error))),
    }
}

async fn by_payment(app: &App, text: &str) -> Result<Found, StoreError> {
    let Ok(payment) = PaymentId::parse(app.provider.name, text) else {
        return Ok(Found::note("This is no id of a payment."));
    };
    if let Some(stored) = app.db.payment(&payment).await? {
        return of_ids(app, vec![stored.topup_id], "It is no longer there.").await;
    }
    if !app.provider.capabilities.payments {
        return Ok(Found::note("No such payment is known here."));
    }
    match app.provider.payments.read_payment(&payment).await {
        Ok(Some(owner)) => elsewhere(app, &owner.topup).await,
        Ok(None) => Ok(Found::note("Stripe knows this payment; it paid for something of another application.")),
        Err(error) => Ok(Found::note(not_known("payment", &error))),
    }
}

/// The provider says that an object belongs to this top-up.
async fn elsewhere(app: &App, topup: &TopupId) -> Result<Found, StoreError> {
    Ok(one(
        tell_topup(app, topup).await?,
        &format!(
            "Another environment: Stripe says that this belongs to {topup}, which is not in this database. It was \
             sold by another installation with the same Stripe account, or before a restore (topup reconcile --adopt \
             takes it in)."
        ),
    ))
}

fn other_mode(app: &App, text: &str) -> Option<&'static str> {
    match (app.checkout.livemode, text) {
        (false, text) if text.starts_with("cs_live_") => {
            Some("Another environment: this is a checkout of live mode, and this service runs in test mode.")
        }
        (true, text) if text.starts_with("cs_test_") => {
            Some("Another environment: this is a checkout of test mode, and this service runs in live mode.")
        }
        _ => None,
    }
}

fn not_known(what: &str, error: &ProviderError) -> String {
    match error {
        ProviderError::Unknown(_) => {
            format!(
                "Neither this service nor its Stripe account knows this {what}: it belongs to another account, or to \
                    the other mode."
            )
        }
        error => format!("No such {what} is known here, and Stripe could not be asked ({error})."),
    }
}

async fn by_reversal(app: &App, text: &str) -> Result<Found, StoreError> {
    let none = "No such refund or dispute is known here.";
    let Some(reversal) = app.db.reversal(app.provider.name, text).await? else { return Ok(Found::note(none)) };
    let payment = PaymentId::parse(app.provider.name, reversal.provider_payment_id);
    let Ok(payment) = payment else { return Ok(Found::note(none)) };
    match app.db.payment(&payment).await? {
        Some(stored) => of_ids(app, vec![stored.topup_id], none).await,
        None => Ok(Found::note(none)),
    }
}

async fn by_event(app: &App, text: &str) -> Result<Found, StoreError> {
    let failure = app.db.failed_event(text).await?.map(|delivery| delivery.event);
    let topup = app.db.topup_of_event(text).await?;
    let none = "No such event has an effect here, and none failed: it never came, or it was not about a top-up of \
        this service.";
    let mut found = match topup {
        Some(topup) => of_ids(app, vec![topup], none).await?,
        None if failure.is_some() => Found::default(),
        None => Found::note(none),
    };
    found.failure = failure;
    Ok(found)
}

/// Our own ids of other things lead to their account.
async fn by_own_id(app: &App, text: &str) -> Result<Found, StoreError> {
    let account = match HoldId::parse(text) {
        Ok(id) => app.db.hold(&id).await?.map(|hold| hold.account_id),
        Err(_) => match app.db.grant(text).await? {
            Some(grant) => Some(grant.account_id),
            None => app.db.account_of_own_id(text).await?,
        },
    };
    match account {
        Some(account) => Ok(Found { accounts: accounts(app, &account).await?, ..Found::default() }),
        None => by_other(app, text).await,
    }
}

/// An account, the last four digits of a card, or an amount with a day.
async fn by_other(app: &App, text: &str) -> Result<Found, StoreError> {
    let mut found = Found { accounts: accounts(app, text).await?, ..Found::default() };
    if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let ids = app.db.topups_by_card(text, TOPUPS_SHOWN).await?;
        let by_card = of_ids(app, ids, "No payment with a card that ends in these digits is known.").await?;
        (found.topup, found.topups, found.note) = (by_card.topup, by_card.topups, by_card.note);
    }
    if found.is_nothing()
        && let Some((amount, day_ms)) = amount_and_day(app, text)
    {
        let until_ms = day_ms.saturating_add(DAY_MS);
        found.topups = app.db.topups_by_amount(amount, (day_ms, until_ms), TOPUPS_SHOWN).await?;
        found.note =
            found.topups.is_empty().then(|| "No checkout over this amount was opened on that day (UTC).".to_owned());
    }
    if found.is_nothing() && found.note.is_none() {
        found.note = Some("Nothing is known under this text.".to_owned());
    }
    Ok(found)
}

/// The account with this id, and those whose ids begin like it.
async fn accounts(app: &App, text: &str) -> Result<Vec<ListedAccount>, StoreError> {
    if AccountId::parse(text).is_err() || text.chars().count() > MAX_PROVIDER_ID_CHARACTERS {
        return Ok(Vec::new());
    }
    let mut accounts = app.db.accounts_like(text, ACCOUNTS_SHOWN).await?;
    if !accounts.iter().any(|account| account.id == text) {
        accounts.extend(app.db.listed_account(text).await?);
    }
    Ok(accounts)
}

/// An amount and a day, separated by a space or `on`, in either order.
fn amount_and_day(app: &App, text: &str) -> Option<(i64, i64)> {
    let sold_in = || app.pricing.all().map(Pricing::currency);
    // One that is named counts; an amount without a currency is in the main one.
    let names = |currency: &Currency| text.split_whitespace().any(|word| word.eq_ignore_ascii_case(currency.as_str()));
    let (now_ms, currency) = (app.clock.now_ms(), sold_in().find(names).unwrap_or(app.pricing.main().currency()));
    let text = text.replace(" on ", " ");
    let words: Vec<&str> =
        text.split_whitespace().filter(|word| !word.eq_ignore_ascii_case(currency.as_str())).collect();
    let (first, rest) = words.split_first()?;
    if let (Some(amount), Some(day_ms)) = (parse_money(first, currency), parse_day(&rest.join(" "), now_ms)) {
        return Some((amount, day_ms));
    }
    let (last, rest) = words.split_last()?;
    parse_money(last, currency).zip(parse_day(&rest.join(" "), now_ms))
}
