//! The seal on a checkout: what it sells and at which terms, signed with a key that exists only in this installation's
//! database.
//!
//! It is stored in the provider's metadata, so that a top-up can be adopted after a restore. Invariant: a seal that
//! verifies was made by this installation for exactly this top-up, account, number of credits, currency and mode. It
//! can be neither changed nor moved to another checkout, not even with the provider's API key.

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::books::instance;
use crate::db::{Db, StoreError, Tx, Write};
use crate::domain::checkout::{PurchaseReport, Seal};
use crate::domain::credit_unit::CreditUnit;
use crate::domain::expiry::ExpiryDays;
use crate::domain::fees::{AssumedTax, FeeMode, FeePolicy, RatePercent};
use crate::domain::tax::TaxBehavior;
use crate::ports::IdGenerator;
use crate::providers::port::CheckoutRequest;

const VERSION: &str = "v1";

/// This installation's key.
#[derive(Clone)]
pub struct SealKey {
    key: [u8; 32],
    installation: String,
}

/// Omits the secret key.
impl std::fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SealKey").field("installation", &self.installation).finish_non_exhaustive()
    }
}

/// The terms of a top-up that the checkout session itself does not contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldTerms {
    /// When it was created, in milliseconds since 1970.
    pub sold_at_ms: i64,
    /// The unit that the credits were priced by.
    pub unit: CreditUnit,
    /// The fee line, in minor units.
    pub fee_amount_minor: i64,
    /// The fee policy behind it.
    pub fees: FeePolicy,
    /// The credits given on top.
    pub bonus_credits: i64,
    /// How long the credits are good; `None` for ever.
    pub expiry: Option<ExpiryDays>,
}

/// The result of verifying a checkout's seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// This installation sold it at these terms.
    Ours(SoldTerms),
    /// There is no seal: it was sold by an earlier version, or not by this software.
    Unsigned,
    /// Another installation sold it; its short name.
    OtherInstallation(String),
    /// The seal names this installation but does not verify: something was changed at the provider.
    Changed,
}

#[derive(Serialize, Deserialize)]
struct TermsText {
    at: i64,
    /// The price of a unit, in minor units.
    unit: i64,
    /// The number of credits in a unit.
    per: i64,
    fee: i64,
    mode: String,
    rate: String,
    fixed: i64,
    label: String,
    /// The bonus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bonus: Option<i64>,
    /// For how many days the credits are good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
    /// How it is taxed, and the rate that the fee line was computed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assumed: Option<String>,
}

impl SealKey {
    /// Makes a key from 256 random bits.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let digest = hex::encode(Sha256::digest([b"installation:".as_slice(), &key].concat()));
        Self { key, installation: digest.get(..12).unwrap_or_default().to_owned() }
    }

    /// The short name of this installation; not a secret.
    #[must_use]
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// Seals a request before it is stored. `None` if the terms cannot be serialised, which does not happen.
    #[must_use]
    pub fn seal(&self, request: &CheckoutRequest, fees: &FeePolicy, livemode: bool, sold_at_ms: i64) -> Option<Seal> {
        let terms = serde_json::to_string(&TermsText {
            at: sold_at_ms,
            unit: request.credit_unit_amount_minor,
            per: request.credit_unit_credits,
            fee: request.fee_amount_minor,
            mode: fees.mode.as_str().to_owned(),
            rate: fees.rate.to_string(),
            fixed: fees.fixed_minor,
            label: fees.label.clone(),
            bonus: request.bonus_credits,
            days: request.credits_expire_days,
            tax: fees.tax_behavior().map(|behavior| behavior.as_str().to_owned()),
            assumed: fees.tax.map(|tax| tax.rate.to_string()),
        })
        .ok()?;
        let credits = request.credits.to_string();
        let about = [request.topup_id.as_str(), &request.account_id, &credits, &request.currency, mode(livemode)];
        let signature = hex::encode(self.mac(&about, &terms)?.finalize().into_bytes());
        Some(Seal { terms, signature: format!("{VERSION}.{}.{signature}", self.installation) })
    }

    /// Verifies the seal in a report against the report's own fields.
    #[must_use]
    pub fn verify(&self, report: &PurchaseReport) -> Proof {
        let Some(seal) = &report.seal else { return Proof::Unsigned };
        let mut parts = seal.signature.splitn(3, '.');
        let (Some(VERSION), Some(installation), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
            return Proof::Changed;
        };
        if installation != self.installation {
            return Proof::OtherInstallation(printable(installation));
        }
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let (account, credits, currency) = (text(&report.account), text(&report.credits), text(&report.currency));
        let about = [report.topup.as_str(), &account, &credits, &currency, mode(report.livemode)];
        let holds = hex::decode(signature)
            .ok()
            .zip(self.mac(&about, &seal.terms))
            .is_some_and(|(signature, mac)| mac.verify_slice(&signature).is_ok());
        match read_terms(&seal.terms).filter(|_| holds) {
            Some(terms) => Proof::Ours(terms),
            None => Proof::Changed,
        }
    }

    /// Each part is preceded by its length, so that different top-ups never produce the same input.
    fn mac(&self, about: &[&str], terms: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for part in ["topup purchase", VERSION].iter().chain(about).chain([&terms]) {
            mac.update(part.len().to_string().as_bytes());
            mac.update(b":");
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}

const fn mode(livemode: bool) -> &'static str {
    if livemode { "live" } else { "test" }
}

fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(12).collect()
}

fn read_terms(text: &str) -> Option<SoldTerms> {
    let terms: TermsText = serde_json::from_str(text).ok()?;
    // An unreadable number of days must not become "for ever".
    let expiry = match terms.days {
        Some(days) => Some(ExpiryDays::new(days)?),
        None => None,
    };
    let tax = match (terms.tax, terms.assumed) {
        (Some(behavior), Some(rate)) => {
            Some(AssumedTax { behavior: TaxBehavior::parse(&behavior)?, rate: RatePercent::parse(&rate).ok()? })
        }
        (None, None) => None,
        _ => return None,
    };
    Some(SoldTerms {
        sold_at_ms: terms.at,
        unit: CreditUnit::new(terms.per, terms.unit)?,
        fee_amount_minor: terms.fee,
        fees: FeePolicy {
            mode: FeeMode::parse(&terms.mode)?,
            rate: RatePercent::parse(&terms.rate).ok()?,
            fixed_minor: terms.fixed,
            label: terms.label,
            tax,
        },
        bonus_credits: terms.bonus.unwrap_or(0),
        expiry,
    })
}

/// Loads the installation's key, or generates and stores one. `None` if the operating system provides no randomness.
///
/// # Errors
/// When the database fails.
pub async fn load_or_make(db: &Db, ids: &dyn IdGenerator) -> Result<Option<SealKey>, StoreError> {
    if let Some(key) = load(db).await? {
        return Ok(Some(key));
    }
    let Ok(made) = ids.secret_bytes() else { return Ok(None) };
    db.write(RememberSealKey { key: hex::encode(made) }).await?;
    load(db).await
}

/// Stores a key unless one is stored already.
struct RememberSealKey {
    key: String,
}

impl Write for RememberSealKey {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        instance::remember_seal_key(tx, &self.key).await
    }
}

/// Loads the installation's key, if one has been stored.
///
/// # Errors
/// When the database fails or the stored key is invalid.
pub async fn load(db: &Db) -> Result<Option<SealKey>, StoreError> {
    let Some(text) = db.seal_key().await? else { return Ok(None) };
    let key = hex::decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    key.map(|key| Some(SealKey::new(key))).ok_or_else(|| StoreError::corrupt("seal key", "of another length"))
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
