//! One top-up: the agreement, what the provider reports about it, and whether the two match. This comparison is made
//! only here, whether the report came by webhook or in answer to a query from the return page.

use super::account::AccountId;
use super::currency::Currency;
use super::expiry::ExpiryDays;
use super::ids::{EventId, PaymentId, SessionId, TopupId};
use crate::domain::provider::ProviderName;
use crate::domain::tax::TaxBehavior;

/// The value of the metadata key `purpose` that distinguishes our payments from all others on the Stripe account.
pub const PURPOSE: &str = "credits_topup";

/// The state of a top-up. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopupState {
    /// Stored, not yet known to be at the provider.
    Creating,
    /// The customer can pay.
    Open,
    /// The customer has finished, the money is on its way (delayed payment methods).
    Processing,
    /// The money arrived and the credits are in the books. Final.
    Paid,
    /// The time to pay is over. A payment that is reported later still wins.
    Expired,
    /// The payment failed, or the provider refused the checkout. A payment that is reported later still wins.
    Failed,
}

impl TopupState {
    /// The name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Open => "open",
            Self::Processing => "processing",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// Parses the name used in the database.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Creating, Self::Open, Self::Processing, Self::Paid, Self::Expired, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// What was agreed before the provider was called. Never changes afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The top-up.
    pub topup: TopupId,
    /// The account that gets the credits.
    pub account: AccountId,
    /// The number of credits.
    pub credits: i64,
    /// The credits given on top.
    pub bonus_credits: i64,
    /// How long the credits are good; `None` for ever.
    pub expiry: Option<ExpiryDays>,
    /// The currency of the charge.
    pub currency: Currency,
    /// What the customer is charged, in minor units, before tax that comes on top.
    pub total_amount_minor: i64,
    /// How the provider taxes it; `None` if it shall not.
    pub tax: Option<TaxBehavior>,
    /// The provider of the checkout.
    pub provider: ProviderName,
    /// Whether real money moves.
    pub livemode: bool,
    /// The checkout session, once known.
    pub session: Option<SessionId>,
    /// A different charged amount that an operator has accepted, in minor units.
    pub accepted_amount_minor: Option<i64>,
}

/// What the provider reports about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurchaseProgress {
    /// The money has arrived.
    Paid,
    /// The customer has finished, the money has not arrived yet.
    Processing,
    /// A delayed payment failed.
    Failed,
    /// The checkout session ended without a payment.
    Expired,
    /// Nothing relevant: the session is still open, or the payment is zero, which never credits.
    Nothing,
}

/// A provider's report about one of our checkout sessions, as it was read. Nothing in it has been verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseReport {
    /// The webhook event that delivered it, and its type; `None` if it answers a query.
    pub event: Option<(EventId, String)>,
    /// When that event was made, in milliseconds since 1970, if it says so. Only measured.
    pub event_created_ms: Option<i64>,
    /// Whether real money moves.
    pub livemode: bool,
    /// The checkout session's id.
    pub session: SessionId,
    /// The top-up named in its metadata.
    pub topup: TopupId,
    /// What happened.
    pub progress: PurchaseProgress,
    /// The account in its metadata.
    pub account: Option<String>,
    /// The account in `client_reference_id`.
    pub client_reference: Option<String>,
    /// The credits in its metadata, as text.
    pub credits: Option<String>,
    /// The bonus in its metadata, as text; `None` for no bonus.
    pub bonus: Option<String>,
    /// For how many days the credits are good by its metadata, as text; `None` for ever.
    pub expire_days: Option<String>,
    /// The session's mode: `payment`, if it is what we requested.
    pub mode: Option<String>,
    /// The currency, in lower case.
    pub currency: Option<String>,
    /// The sum of the lines before tax that comes on top, in minor units, if reported.
    pub amount_subtotal_minor: Option<i64>,
    /// The charged amount, in minor units.
    pub amount_total_minor: Option<i64>,
    /// The tax included in it, in minor units, if reported.
    pub amount_tax_minor: Option<i64>,
    /// The payment's id, once there is one.
    pub payment: Option<PaymentId>,
    /// The seal from the metadata, if the report answers a query; an event's seal is not read.
    pub seal: Option<Box<Seal>>,
}

/// A signed description of what a checkout sells, which the installation stored in the checkout's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The terms.
    pub terms: String,
    /// The signature over the terms and the checkout's other data.
    pub signature: String,
}

/// A declined attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// The event's id and type.
    pub event: (EventId, String),
    /// Whether real money moves.
    pub livemode: bool,
    /// The top-up named in the payment's metadata.
    pub topup: TopupId,
    /// The reason: Stripe's decline code, or its error code.
    pub code: String,
}

/// A report that contradicts the agreement. The rejection is final, because a repeated delivery would not change it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {reported} but {agreed} was agreed{}", self.hint())]
pub struct Mismatch {
    /// The field that differs.
    pub field: &'static str,
    /// The reported value.
    pub reported: String,
    /// The stored value.
    pub agreed: String,
    /// Whether only the amount differs and at least the agreed amount is left for us, so that an operator may credit it
    /// anyway.
    pub can_be_accepted: bool,
}

impl Mismatch {
    const fn hint(&self) -> &'static str {
        if self.can_be_accepted {
            "; apart from tax that is not less than agreed, so an operator can accept the event, which credits it"
        } else {
            ""
        }
    }
}

/// The fields that contain account ids.
const ACCOUNT_FIELDS: [&str; 2] = ["metadata.accountId", "client_reference_id"];

impl Mismatch {
    /// An event of a connected account about a top-up that was made on the main account.
    #[must_use]
    pub fn other_account(account: String) -> Self {
        Self { field: "account", reported: account, agreed: "none".to_owned(), can_be_accepted: false }
    }

    /// The message for the log, without account ids, and with what the operator can do.
    #[must_use]
    pub fn without_accounts(&self) -> String {
        if ACCOUNT_FIELDS.contains(&self.field) {
            return format!("{} is not what was agreed; `topup webhooks show` says both", self.field);
        }
        match self.way_out() {
            Some(way_out) => format!("{self}; {way_out}"),
            None => self.to_string(),
        }
    }

    /// What the operator can do, where the mismatch alone does not make it obvious.
    #[must_use]
    pub fn way_out(&self) -> Option<&'static str> {
        (self.field == "account").then_some(
            "the endpoint at Stripe must listen to events of your account, not of connected accounts; if the money came \
            to your own account, `topup reconcile` credits it",
        )
    }
}

impl Agreement {
    /// Compares a report with the agreement. Everything must be equal, except that the stored session may be missing:
    /// our write after the provider's answer can be lost.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, report: &PurchaseReport) -> Result<(), Mismatch> {
        let account = Some(self.account.as_str());
        let credits = self.credits.to_string();
        self.check_mode(report.session.provider(), report.livemode)?;
        same("mode", report.mode.as_deref(), Some("payment"))?;
        same("metadata.accountId", report.account.as_deref(), account)?;
        same("client_reference_id", report.client_reference.as_deref(), account)?;
        same("metadata.credits", report.credits.as_deref(), Some(credits.as_str()))?;
        let bonus = (self.bonus_credits != 0).then(|| self.bonus_credits.to_string());
        same("metadata.bonusCredits", report.bonus.as_deref(), bonus.as_deref())?;
        let days = self.expiry.map(|days| days.get().to_string());
        same("metadata.creditsExpireDays", report.expire_days.as_deref(), days.as_deref())?;
        same("currency", report.currency.as_deref(), Some(self.currency.as_str()))?;
        if self.accepted_amount_minor.is_none() || report.amount_total_minor != self.accepted_amount_minor {
            let amount = self.check_amount(report);
            amount.map_err(|mismatch| Mismatch { can_be_accepted: self.leaves_enough(report), ..mismatch })?;
        }
        self.check_session(report)
    }

    /// Where tax was agreed, the lines must be as agreed. The charge is theirs and the tax that comes on top, or theirs if
    /// they contain it. So no discount was taken off, and no line added.
    fn check_amount(&self, report: &PurchaseReport) -> Result<(), Mismatch> {
        let Some(behavior) = self.tax else {
            return same("amount_total", report.amount_total_minor, Some(self.total_amount_minor));
        };
        same("amount_subtotal", report.amount_subtotal_minor, Some(self.total_amount_minor))?;
        let tax = report.amount_tax_minor.unwrap_or(0);
        let charged = self.total_amount_minor.checked_add(behavior.added_minor(tax));
        // No rate is above 100 %; and a lie in this field must not make sums of it too large.
        if tax < 0 || tax > self.total_amount_minor {
            return Err(Mismatch {
                field: "total_details.amount_tax",
                reported: tax.to_string(),
                agreed: "at most as much as the lines".to_owned(),
                can_be_accepted: false,
            });
        }
        same("amount_total", report.amount_total_minor, charged)
    }

    /// The tax in a charge that is as agreed, in minor units. Of an amount that an operator accepted, the acceptance
    /// says it.
    #[must_use]
    pub fn agreed_tax_minor(&self, report: &PurchaseReport) -> i64 {
        let is_agreed = self.tax.is_some() && self.check_amount(report).is_ok();
        report.amount_tax_minor.filter(|_| is_agreed).unwrap_or(0)
    }

    fn check_session(&self, report: &PurchaseReport) -> Result<(), Mismatch> {
        match &self.session {
            None => Ok(()),
            Some(session) => same("session", Some(report.session.as_str()), Some(session.as_str())),
        }
    }

    /// Whether the money has arrived, everything but the amount is as agreed, and the amount without tax is at least
    /// the agreed one.
    fn leaves_enough(&self, report: &PurchaseReport) -> bool {
        report.progress == PurchaseProgress::Paid && self.check_leaves_enough(report).is_ok()
    }

    /// Compares a report with the agreement like [`Self::check`], but accepts an amount that, less the tax in it, is at
    /// least the agreed one. Returns the charged amount in minor units; `None` if it is the agreed one, so that there
    /// is nothing to accept.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_leaves_enough(&self, report: &PurchaseReport) -> Result<Option<i64>, Mismatch> {
        let (mismatch, charged) = match (self.check_amount(report), report.amount_total_minor) {
            (Ok(()), _) => return self.check(report).map(|()| None),
            (Err(mismatch), None) => return Err(mismatch),
            (Err(mismatch), Some(charged)) => (mismatch, charged),
        };
        let tax = report.amount_tax_minor.unwrap_or(0);
        // Of prices that contain their tax, tax is a part of what was agreed.
        let beside = self.tax.map_or(tax, |behavior| behavior.added_minor(tax));
        let is_enough = tax >= 0 && charged.checked_sub(beside).is_some_and(|left| left >= self.total_amount_minor);
        if !is_enough {
            return Err(mismatch);
        }
        let agreed = Some(self.total_amount_minor);
        self.check(&PurchaseReport {
            amount_subtotal_minor: agreed,
            amount_total_minor: agreed,
            amount_tax_minor: Some(0),
            ..report.clone()
        })?;
        Ok(Some(charged))
    }
}

impl Agreement {
    /// Compares a report's provider and mode (live or test) with the agreement's.
    ///
    /// # Errors
    /// When one differs.
    pub fn check_mode(&self, provider: &ProviderName, livemode: bool) -> Result<(), Mismatch> {
        same("provider", Some(provider), Some(&self.provider))?;
        same("livemode", Some(livemode), Some(self.livemode))
    }

    /// Compares a report about refunds or a dispute with the agreement.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_reversal(&self, provider: &ProviderName, livemode: bool, currencies: &[&str]) -> Result<(), Mismatch> {
        self.check_mode(provider, livemode)?;
        currencies.iter().try_for_each(|currency| same("currency", Some(*currency), Some(self.currency.as_str())))
    }
}

fn same<T: PartialEq + ToString>(field: &'static str, reported: Option<T>, agreed: Option<T>) -> Result<(), Mismatch> {
    if reported == agreed {
        return Ok(());
    }
    let text = |value: Option<T>| value.map_or_else(|| "missing".to_owned(), |value| value.to_string());
    Err(Mismatch { field, reported: text(reported), agreed: text(agreed), can_be_accepted: false })
}

#[cfg(test)]
#[path = "checkout_tests.rs"]
mod tests;
