//! Adopts a paid top-up that is missing from the database, for example after a restore: from the provider's records,
//! once, and only if it certainly belongs to this installation.
//!
//! Invariant: a top-up whose seal verifies is adopted at the sealed terms. Any other needs explicit permission for this
//! one top-up and must cost exactly what it would cost today: another installation on the same provider account may
//! have sold and credited it. A top-up that the provider does not report as paid, that is already in the database, or
//! whose payment belongs to another top-up is never adopted.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::checkout::{PurchaseProgress, PurchaseReport};
use crate::domain::currency::Currency;
use crate::domain::expiry::ExpiryDays;
use crate::domain::ids::{LedgerEntryId, PaymentId, SessionId};
use crate::domain::pricing::{Credits, Quote};
use crate::providers::port::{CheckoutRequest, ProviderError};
use crate::purchases::adopt::adoption::{Adopted, Adoption};
use crate::purchases::adopt::seal::{Proof, SoldTerms};
use crate::purchases::payment::apply::ApplyPayment;
use crate::purchases::reversal::reversals::{ApplyReversals, ReversalNews};
use crate::purchases::topups::NewTopup;

/// An operator's permission to adopt, and its limits.
#[derive(Debug, Clone)]
pub struct AdoptionOptions {
    /// The operator, for the record.
    pub by: String,
    /// Whether to adopt a top-up that is not proved to be this installation's.
    pub unverified: bool,
    /// Whether to report only what would be done.
    pub dry_run: bool,
}

/// A top-up that was, or would be, adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptionCase {
    /// The provider's report.
    pub report: PurchaseReport,
    /// A description of the installation that sold it.
    pub seller: String,
    /// The result; `None` for a dry run.
    pub adopted: Option<Adopted>,
}

/// Why a top-up was not adopted. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The provider does not know the checkout session, or it is not for a top-up.
    #[error("Stripe knows no checkout of credits by that id")]
    Unknown,
    /// It is not paid.
    #[error("Stripe does not call it paid")]
    NotPaid,
    /// It is not proved to be this installation's.
    #[error("{0}; it is adopted only with the word for an unverified purchase, for this one alone")]
    Unverified(String),
    /// The top-up and the payment do not match.
    #[error("{0}; nothing is adopted, and an adjustment can put right what is")]
    DoesNotFit(String),
    /// The session or the payment belongs to another top-up here.
    #[error("its session or its payment belongs to another top-up here")]
    Taken,
    /// The provider cannot be asked.
    #[error("Stripe cannot be asked about it")]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AdoptError {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_at_provider",
            Self::NotPaid => "not_paid",
            Self::Unverified(_) => "unverified",
            Self::DoesNotFit(_) => "does_not_fit",
            Self::Taken => "belongs_to_another",
            Self::Provider(_) => "not_asked",
            Self::Store(_) => "internal_error",
        }
    }
}

/// What the seal proves about the seller, with a description for reports.
#[must_use]
pub fn seller(app: &App, report: &PurchaseReport) -> (Proof, String) {
    let proof = match &app.seal {
        Some(key) => key.verify(report),
        None if report.seal.is_none() => Proof::Unsigned,
        None => Proof::OtherInstallation("unknown".to_owned()),
    };
    let ours = app.seal.as_ref().map_or("none yet", |key| key.installation());
    let words = match &proof {
        Proof::Ours(_) => "sold by this installation".to_owned(),
        Proof::Unsigned => "it does not say which installation sold it".to_owned(),
        Proof::OtherInstallation(name) => format!("sold by installation {name}, and this one is {ours}"),
        Proof::Changed => "its seal names this installation and does not fit: it was changed at Stripe".to_owned(),
    };
    (proof, words)
}

/// Adopts a paid top-up by its checkout session id. Fetches the session, its refunds and its disputes.
///
/// # Errors
/// See [`AdoptError`].
pub async fn adopt_purchase(
    app: &App,
    session: &SessionId,
    word: &AdoptionOptions,
) -> Result<AdoptionCase, AdoptError> {
    let report = match app.provider.checkouts.read_checkout(session).await {
        Ok(Some(report)) => report,
        Ok(None) | Err(ProviderError::Unknown(_)) => return Err(AdoptError::Unknown),
        Err(error) => return Err(error.into()),
    };
    let (proof, seller) = seller(app, &report);
    let found = |adopted| AdoptionCase { report: report.clone(), seller: seller.clone(), adopted };
    if app.db.topup(&report.topup).await?.is_some() {
        return Ok(found(Some(Adopted::AlreadyHere)));
    }
    if report.progress != PurchaseProgress::Paid {
        return Err(AdoptError::NotPaid);
    }
    let terms = match proof {
        Proof::Ours(terms) => Some(terms),
        _ if word.unverified => None,
        _ => return Err(AdoptError::Unverified(seller)),
    };
    let payment = report.payment.clone().ok_or_else(|| AdoptError::DoesNotFit("it names no payment".to_owned()))?;
    let topup = agreed(app, &report, terms).map_err(AdoptError::DoesNotFit)?;
    let is_taken = app.db.payment(&payment).await?.is_some() || app.db.topup_by_session(session).await?.is_some();
    if is_taken {
        // It may be the top-up itself, if another process adopted it meanwhile.
        let is_here = app.db.topup(&report.topup).await?.is_some();
        return if is_here { Ok(found(Some(Adopted::AlreadyHere))) } else { Err(AdoptError::Taken) };
    }
    if word.dry_run {
        return Ok(found(None));
    }
    let adoption = adoption(app, &report, topup, payment, word).await?;
    let adopted = store(app, adoption).await?;
    tracing::info!(topup = %report.topup, %session, by = word.by, ?adopted, "a purchase was adopted from Stripe");
    Ok(found(Some(adopted)))
}

/// The agreement, from the checkout session; or why it does not match the payment.
fn agreed(app: &App, report: &PurchaseReport, terms: Option<SoldTerms>) -> Result<NewTopup, String> {
    let account = report.account.as_deref().and_then(|account| AccountId::parse(account).ok());
    let account = account.filter(|account| report.client_reference.as_deref() == Some(account.as_str()));
    let account = account.ok_or("its account is not one, or is said in two ways")?;
    let number = report.credits.as_deref().and_then(|text| text.parse::<i64>().ok().filter(|n| n.to_string() == text));
    let credits = number.and_then(Credits::new).ok_or("its number of credits is none")?;
    if report.livemode != app.checkout.livemode || report.mode.as_deref() != Some("payment") {
        return Err("it is of another mode".to_owned());
    }
    let currency = report.currency.as_deref().and_then(|currency| Currency::parse(currency).ok());
    let currency = currency.ok_or("it is in no currency")?;
    let (quote, fees, sold_at_ms) = if let Some(terms) = terms {
        let quote = sealed_quote(&terms, credits, currency).ok_or("its sealed terms make no price")?;
        (quote, terms.fees, terms.sold_at_ms)
    } else {
        let prices = app.pricing.of(Some(currency)).map_err(|error| error.to_string())?;
        let quote = prices.quote(credits.get()).map_err(|error| error.to_string())?;
        (quote, prices.fees().clone(), app.clock.now_ms())
    };
    let bonus = (quote.bonus_credits != 0).then_some(quote.bonus_credits);
    let days = quote.expiry.map(ExpiryDays::get);
    for (what, said, sold) in [("bonus", &report.bonus, bonus), ("number of days", &report.expire_days, days)] {
        let sold = sold.map(|number| number.to_string());
        if *said != sold {
            let text = |number: &Option<String>| number.clone().unwrap_or_else(|| "none".to_owned());
            return Err(format!("its {what} is {}, and the terms say {}", text(said), text(&sold)));
        }
    }
    // How the tax was charged is compared when the payment is applied.
    let paid = if quote.tax.is_some() { report.amount_subtotal_minor } else { report.amount_total_minor };
    let paid = paid.ok_or("it has no amount")?;
    if quote.total_amount_minor != paid {
        let (credits, total) = (app.pricing.decimals().format(credits.get()), quote.total_amount_minor);
        return Err(format!("{credits} credits cost {total}, and {paid} was paid"));
    }
    let expected_fee_minor = fees.expected_processor_fee_minor(paid).ok_or("its fee cannot be told")?;
    let request = CheckoutRequest {
        topup_id: report.topup.as_str().to_owned(),
        account_id: account.as_str().to_owned(),
        credits: credits.get(),
        currency: currency.as_str().to_owned(),
        credit_unit_credits: quote.unit.credits(),
        credit_unit_amount_minor: quote.unit.amount_minor(),
        credit_display_decimals: app.pricing.decimals().get().into(),
        fee_amount_minor: quote.fee_amount_minor,
        fee_label: fees.label.clone(),
        bonus_credits: bonus,
        credits_expire_days: days,
        // The request is never sent again.
        success_url: String::new(),
        cancel_url: None,
        expires_at_seconds: sold_at_ms.div_euclid(1_000),
        payment_methods: Vec::new(),
        customer: None,
        saves_card: false,
        tax: None,
        makes_invoice: false,
        payment_method: None,
        terms: report.seal.as_ref().map(|seal| seal.terms.clone()),
        signature: report.seal.as_ref().map(|seal| seal.signature.clone()),
    };
    let (id, livemode, provider) = (report.topup.clone(), report.livemode, *report.session.provider());
    Ok(NewTopup { id, account, quote, fees, expected_fee_minor, livemode, provider, request, now_ms: sold_at_ms })
}

fn sealed_quote(terms: &SoldTerms, credits: Credits, currency: Currency) -> Option<Quote> {
    let credits_amount_minor = terms.unit.price_minor(credits.get())?;
    (terms.fee_amount_minor >= 0 && (0..=credits.get()).contains(&terms.bonus_credits)).then_some(())?;
    Some(Quote {
        credits,
        currency,
        unit: terms.unit,
        credits_amount_minor,
        fee_amount_minor: terms.fee_amount_minor,
        total_amount_minor: credits_amount_minor.checked_add(terms.fee_amount_minor)?,
        tax: terms.fees.tax_behavior(),
        bonus_credits: terms.bonus_credits,
        expiry: terms.expiry,
    })
}

/// Everything to write: the top-up, its payment, its refunds and disputes.
async fn adoption(
    app: &App,
    report: &PurchaseReport,
    topup: NewTopup,
    payment: PaymentId,
    word: &AdoptionOptions,
) -> Result<Adoption, AdoptError> {
    let provider = &app.provider;
    let (refunds, disputes) = (provider.refunds.refunds_of(&payment).await?, provider.disputes_of(&payment).await?);
    let now_ms = app.clock.now_ms();
    let entry = || LedgerEntryId::from_bits(app.ids.id_bits());
    let news = disputes.into_iter().map(|dispute| ReversalNews::Dispute(Box::new(dispute), None));
    let refunds = (!refunds.is_empty()).then_some(ReversalNews::Refunds(refunds));
    let reversals = refunds.into_iter().chain(news).map(|news| ApplyReversals {
        event: None,
        topup: report.topup.clone(),
        payment: payment.clone(),
        livemode: report.livemode,
        news,
        entry: entry(),
        now_ms,
    });
    let payment = ApplyPayment { report: report.clone(), entry: entry(), reversal_entry: entry(), now_ms };
    let ended_at_ms = topup.request.expires_at_seconds.saturating_mul(1_000);
    Ok(Adoption { topup, ended_at_ms, payment, reversals: reversals.collect(), by: word.by.clone() })
}

async fn store(app: &App, adoption: Adoption) -> Result<Adopted, StoreError> {
    let id = adoption.topup.id.clone();
    match app.db.write(adoption).await {
        // Another process adopted it at the same time: the database lets only one succeed.
        Err(StoreError::Database(_)) if app.db.topup(&id).await?.is_some() => Ok(Adopted::AlreadyHere),
        written => written,
    }
}
