//! Fetches the provider's fee for each payment in the background.
//!
//! Invariant: nothing waits for it, and it moves no credits. Only one process at a time asks for a fee. A fee that is
//! not available is retried with growing pauses, and in the end left to the reconciliation. While the provider fails,
//! few requests are sent.

use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::fee_pause::backoff;
use crate::app::schedule::Job;
use crate::db::{StoreError, Tx, Write};
use crate::domain::fees::RealFee;
use crate::domain::ids::{FeeId, PaymentId};
use crate::providers::port::ProviderError;
use crate::purchases::fee::fees::{self, DueFee, StoreFee};
use crate::purchases::topups;

/// How many due fees are read at once.
const PAGE: i64 = 100;
/// How many fees are requested in parallel.
const AT_ONCE: usize = 4;
/// The pause after each batch: at most ten requests per second.
const PAUSE: Duration = Duration::from_millis(400);
/// How long a process may work on a fee it claimed.
const CLAIM_MS: i64 = 300_000;
/// After this many tries, a fee is left to the reconciliation.
const MAX_TRIES: i64 = 10;
/// The pause after the first failed try; doubled after each further one.
const FIRST_BACKOFF_MS: i64 = 60_000;
const LONGEST_BACKOFF_MS: i64 = 6 * 3_600_000;
/// How often a process checks for due fees.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Fetches the due fees in small batches with a pause after each, until none are due, the provider fails, or `stop` is
/// cancelled. Returns how many were stored.
///
/// # Errors
/// When the database fails. A failure of the provider is not an error.
pub async fn learn_fees(app: &App, pause: Duration, stop: &CancellationToken) -> Result<u64, StoreError> {
    let mut learned = 0_u64;
    while !stop.is_cancelled() && app.fees.is_over(app.clock.now_ms()) {
        let due = app.db.due_fees(app.clock.now_ms(), PAGE).await?;
        if due.is_empty() {
            break;
        }
        for some in due.chunks(AT_ONCE) {
            let asked = join_all(some.iter().map(|fee| ask(app, fee))).await;
            let asked = asked.into_iter().collect::<Result<Vec<FeeAnswer>, StoreError>>()?;
            let stored = asked.iter().filter(|asked| matches!(asked, FeeAnswer::Stored)).count();
            learned = learned.saturating_add(u64::try_from(stored).unwrap_or(u64::MAX));
            if asked.iter().any(|asked| matches!(asked, FeeAnswer::ProviderFailed)) {
                return Ok(learned);
            }
            app.fees.went_well();
            if stop.is_cancelled() {
                return Ok(learned);
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }
    Ok(learned)
}

/// The result of one request.
enum FeeAnswer {
    /// The fee is stored.
    Stored,
    /// Another process asks for it, or the provider does not know this fee.
    Nothing,
    /// The provider cannot be asked at the moment, or not with this API key.
    ProviderFailed,
}

async fn ask(app: &App, fee: &DueFee) -> Result<FeeAnswer, StoreError> {
    let payment = topups::payment_id(&fee.provider, &fee.provider_payment_id)?;
    let fee_id = FeeId::parse(*payment.provider(), fee.provider_fee_id.as_str());
    let fee_id = fee_id.map_err(|_| StoreError::corrupt("id of a fee", &fee.provider_fee_id))?;
    let until_ms = app.clock.now_ms().saturating_add(CLAIM_MS);
    if !app.db.write(ClaimFee { fee: fee.clone(), until_ms }).await? {
        return Ok(FeeAnswer::Nothing);
    }
    let error = match app.provider.payments.read_fee(&fee_id).await {
        Ok(real) => return store(app, payment, real).await,
        Err(error) => error,
    };
    postpone(app, payment.clone(), fee.fee_tries.saturating_add(1)).await?;
    if let ProviderError::Unknown(_) = error {
        tracing::warn!(%payment, %error, "Stripe does not know the balance transaction that says what it kept of a payment");
        return Ok(FeeAnswer::Nothing);
    }
    let failures = app.fees.failed(app.clock.now_ms());
    if failures == 1 {
        tracing::warn!(%payment, %error, "Stripe does not say what it kept of a payment; it is asked again later");
    }
    Ok(FeeAnswer::ProviderFailed)
}

async fn store(app: &App, payment: PaymentId, fee: RealFee) -> Result<FeeAnswer, StoreError> {
    let now_ms = app.clock.now_ms();
    app.db.write(StoreFee { payment, charge: None, fee, now_ms }).await?;
    Ok(FeeAnswer::Stored)
}

async fn postpone(app: &App, payment: PaymentId, tries: i64) -> Result<(), StoreError> {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0);
    let again_ms = app.clock.now_ms().saturating_add(backoff(FIRST_BACKOFF_MS, doublings, LONGEST_BACKOFF_MS));
    let until_ms = (tries < MAX_TRIES).then_some(again_ms);
    app.db.write(PostponeFee { payment, until_ms }).await
}

/// Claims a fee until a time, to ask for it. Returns `false` if another process claimed it.
struct ClaimFee {
    fee: DueFee,
    until_ms: i64,
}

impl Write for ClaimFee {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        fees::claim(tx, &self.fee, self.until_ms).await
    }
}

/// Sets when the provider is asked again; without a time, the fee is left to the reconciliation.
struct PostponeFee {
    payment: PaymentId,
    until_ms: Option<i64>,
}

impl Write for PostponeFee {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        fees::postpone(tx, &self.payment, self.until_ms).await
    }
}

/// The background job that fetches fees.
#[must_use]
pub fn learning_job() -> Job {
    Job::new("learn what Stripe kept", LOOK_EVERY, LOOK_EVERY, |app, stop| async move {
        learn_fees(&app, PAUSE, &stop).await.map(drop)
    })
}
