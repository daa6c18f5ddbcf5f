//! Calling Stripe until it opened the checkout, refused it, or the time is over.
//!
//! Which idempotency key a repetition uses follows from what may have been done: unknown means the same key, so that
//! there is one session at most that anybody pays; an answer of Stripe's that it would replay for ever (a 500) means the
//! next key. The key is the top-up's id and a number that is stored before it is used.

use std::time::Duration;

use futures_util::FutureExt;

use super::{App, CheckoutSettings};
use crate::domain::account::AccountId;
use crate::domain::checkout::Agreement;
use crate::domain::currency::Currency;
use crate::domain::ids::{SessionId, TopupId};
use crate::ports::{CheckoutRequest, GatewayError, OpenedCheckout};
use crate::store::topups;

/// How often Stripe is called for one checkout.
const MAX_TRIES: u32 = 4;
/// Stripe wants 30 minutes from its own clock's now; a minute is for the way and for clocks that differ.
const SHORTEST_LIFE_SECONDS: i64 = 31 * 60;

/// A checkout as Stripe opened it.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub session: SessionId,
    pub url: Option<String>,
    pub expires_at_ms: i64,
}

/// Why Stripe opened no checkout, as far as the caller may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StripeTrouble {
    /// It refused the request. Final.
    #[error("Stripe refused the checkout")]
    Refused,
    /// It wants a larger charge. Final.
    #[error("Stripe needs a larger charge")]
    AmountTooSmall,
    /// It failed or cannot be reached.
    #[error("Stripe is not available")]
    Unavailable,
    /// It wants us to wait.
    #[error("Stripe is limiting our requests")]
    Limited,
    /// It did not answer in time.
    #[error("Stripe did not answer in time")]
    TooSlow,
    /// It opened a session that nobody can pay.
    #[error("Stripe gave a checkout without a page")]
    NoUrl,
    /// It opened another checkout than was agreed. Final: nobody is sent there.
    #[error("Stripe opened another checkout than was agreed")]
    Mismatch,
    /// Our own database failed between two tries.
    #[error("the database failed between two calls to Stripe")]
    StoreFailed,
}

impl StripeTrouble {
    /// Whether trying again is pointless.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Refused | Self::AmountTooSmall | Self::Mismatch)
    }

    /// A stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "stripe_refused",
            Self::AmountTooSmall => "amount_too_small",
            Self::Unavailable => "stripe_unavailable",
            Self::StoreFailed => "internal_error",
            Self::Limited => "stripe_rate_limited",
            Self::TooSlow => "stripe_timeout",
            Self::NoUrl => "stripe_no_url",
            Self::Mismatch => "stripe_mismatch",
        }
    }
}

impl CheckoutSettings {
    /// When a checkout that is opened now ends, in seconds since 1970.
    pub(super) const fn expires_at_seconds(&self, now_ms: i64) -> i64 {
        // Stripe counts from its own clock and refuses less than 30 minutes: the shortest setting gets a minute more.
        let minutes = if self.expires_minutes < 31 { 31 } else { self.expires_minutes };
        // At most 24 hours: the longest setting gets a minute less.
        let minutes = if minutes > 1439 { 1439 } else { minutes };
        now_ms.div_euclid(1_000).saturating_add(minutes.saturating_mul(60))
    }
}

/// Opens the checkout. Everything that happens is logged with Stripe's request id.
pub(super) async fn open(
    app: &App,
    topup: &TopupId,
    request: CheckoutRequest,
    attempt: i64,
    written_at_ms: i64,
) -> Result<Opened, StripeTrouble> {
    // When the time is over, what went wrong last is told; "too slow" only if nothing else is known.
    let mut last = StripeTrouble::TooSlow;
    let tries = try_to_open(app, topup, request, attempt, written_at_ms, &mut last);
    match tokio::time::timeout(app.checkout.budget, tries).await {
        Ok(result) => result,
        Err(_) => Err(last),
    }
}

async fn try_to_open(
    app: &App,
    topup: &TopupId,
    mut request: CheckoutRequest,
    mut attempt: i64,
    written_at_ms: i64,
    last: &mut StripeTrouble,
) -> Result<Opened, StripeTrouble> {
    let is_old = app.clock.now_ms().saturating_sub(written_at_ms) > 60_000;
    let mut renewed = false;
    for number in 0..MAX_TRIES {
        if number > 0 {
            tokio::time::sleep(pause(app, number)).await;
        }
        let error = match app.gateway.open_checkout(&request, &format!("{topup}-{attempt}")).await {
            Ok(opened) => {
                tracing::info!(%topup, session = %opened.session, attempt, "checkout opened");
                return accept(app, topup, &request, opened);
            }
            Err(error) => error,
        };
        tracing::warn!(%topup, attempt, %error, "Stripe did not open the checkout");
        *last = match &error {
            GatewayError::AmountTooSmall(_) => return Err(StripeTrouble::AmountTooSmall),
            // An old request that never arrived ends too soon for Stripe. That it is refused proves that it never
            // arrived, for otherwise Stripe would have repeated its first answer: so it is safe to write it anew.
            GatewayError::Refused(_) | GatewayError::Unknown(_) if is_old && !renewed => StripeTrouble::Unavailable,
            GatewayError::Refused(_) | GatewayError::Unknown(_) => return Err(StripeTrouble::Refused),
            GatewayError::Failed(_) | GatewayError::Unreachable(_) => StripeTrouble::Unavailable,
            GatewayError::Limited(_) => StripeTrouble::Limited,
            GatewayError::TimedOut => StripeTrouble::TooSlow,
        };
        let needs_new_key =
            !matches!(error, GatewayError::Unreachable(_) | GatewayError::Limited(_) | GatewayError::TimedOut);
        if needs_new_key {
            renewed = true;
            attempt = next_attempt(app, topup, &mut request, attempt).await?;
        }
    }
    Err(*last)
}

/// Compares what Stripe opened with what was agreed, before anybody is sent there: what differs now would be rejected
/// when it is paid, and the customer would have paid for nothing.
fn accept(
    app: &App,
    topup: &TopupId,
    request: &CheckoutRequest,
    opened: OpenedCheckout,
) -> Result<Opened, StripeTrouble> {
    let agreement = agreement(topup, request, app.checkout.livemode).ok_or(StripeTrouble::Mismatch)?;
    let checked = match &opened.report {
        Some(report) if report.topup == *topup => agreement.check(report).map_err(|mismatch| mismatch.to_string()),
        _ => Err("its metadata does not name the top-up".to_owned()),
    };
    if let Err(reason) = checked {
        tracing::error!(%topup, session = %opened.session, reason, "Stripe opened another checkout than was agreed");
        return Err(StripeTrouble::Mismatch);
    }
    let expires_at_ms = opened.expires_at_seconds.saturating_mul(1_000);
    Ok(Opened { session: opened.session, url: opened.url, expires_at_ms })
}

/// What was agreed, as the stored request says; `None` if that is no agreement.
fn agreement(topup: &TopupId, request: &CheckoutRequest, livemode: bool) -> Option<Agreement> {
    let credits_amount_minor = request.credits.checked_mul(request.credit_unit_amount_minor)?;
    Some(Agreement {
        topup: topup.clone(),
        account: AccountId::parse(request.account_id.as_str()).ok()?,
        credits: request.credits,
        currency: Currency::parse(&request.currency).ok()?,
        total_amount_minor: credits_amount_minor.checked_add(request.fee_amount_minor)?,
        livemode,
        session: None,
    })
}

/// Moves to the next key, and stores it before it is used.
async fn next_attempt(
    app: &App,
    topup: &TopupId,
    request: &mut CheckoutRequest,
    attempt: i64,
) -> Result<i64, StripeTrouble> {
    let now_ms = app.clock.now_ms();
    if request.expires_at_seconds < now_ms.div_euclid(1_000).saturating_add(SHORTEST_LIFE_SECONDS) {
        request.expires_at_seconds = app.checkout.expires_at_seconds(now_ms);
    }
    let (id, stored) = (topup.clone(), request.clone());
    let moved = app
        .db
        .write(move |tx| {
            let (id, stored) = (id.clone(), stored.clone());
            async move { topups::next_attempt(tx, &id, attempt, &stored, now_ms).await }.boxed()
        })
        .await;
    match moved {
        Ok(true) => Ok(attempt.saturating_add(1)),
        // Another process took the key over while this one was stuck: it goes on, this one gives up.
        Ok(false) => Err(StripeTrouble::Unavailable),
        Err(error) => {
            tracing::error!(%topup, error = super::with_causes(&error), "the next attempt cannot be stored");
            Err(StripeTrouble::StoreFailed)
        }
    }
}

/// Doubles with each try; half of it is random, so that many callers do not come back together.
pub(super) fn pause(app: &App, number: u32) -> Duration {
    let longest = app.checkout.first_pause.saturating_mul(1_u32.checked_shl(number).unwrap_or(u32::MAX));
    let random = u32::try_from(app.ids.id_bits() & 0xffff).unwrap_or(0);
    (longest / 2).saturating_add(longest.saturating_mul(random) / 0x1_0000 / 2)
}
