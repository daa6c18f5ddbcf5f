//! One purchase: what was agreed, what Stripe says of it, and what follows. The judgement is made here and nowhere
//! else, whether the news came by webhook or because the customer's page asked.

use super::account::AccountId;
use super::currency::Currency;
use super::ids::{EventId, PaymentId, SessionId, TopupId};
use crate::domain::provider::ProviderName;

/// The value of the metadata key `purpose` by which our payments are told from all others on the Stripe account.
pub const PURPOSE: &str = "credits_topup";

/// How far a purchase has come. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopupState {
    /// Written down, not yet known to be at Stripe.
    Creating,
    /// The customer can pay.
    Open,
    /// The customer is done, the money is on its way (delayed payment methods).
    Processing,
    /// The money came and the credits are in the books. Final.
    Paid,
    /// The time to pay is over. A payment that is reported later still wins.
    Expired,
    /// The payment failed, or Stripe refused the checkout. A payment that is reported later still wins.
    Failed,
}

impl TopupState {
    /// The word used in the database.
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

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Creating, Self::Open, Self::Processing, Self::Paid, Self::Expired, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// What was agreed before Stripe was called. It never changes afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Which purchase.
    pub topup: TopupId,
    /// Who gets the credits.
    pub account: AccountId,
    /// How many.
    pub credits: i64,
    /// The currency of the charge.
    pub currency: Currency,
    /// What the customer is charged, in minor units.
    pub total_amount_minor: i64,
    /// Which provider opened its checkout.
    pub provider: ProviderName,
    /// Whether real money moves.
    pub livemode: bool,
    /// The session that Stripe made for it, when it is known.
    pub session: Option<SessionId>,
    /// What was charged instead, in minor units, if an operator has accepted that.
    pub accepted_amount_minor: Option<i64>,
}

/// What Stripe says happened to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurchaseProgress {
    /// The money is there.
    Paid,
    /// The customer is done, the money is not there yet.
    Processing,
    /// A delayed payment did not come through.
    Failed,
    /// The session ended without a payment.
    Expired,
    /// Nothing that matters: still open, or a payment of zero, which never credits.
    Nothing,
}

/// A statement of Stripe's about a Checkout Session of ours, as it was read: nothing in it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseReport {
    /// The webhook event that brought it, with its type; none if we asked.
    pub event: Option<(EventId, String)>,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The session's id.
    pub session: SessionId,
    /// The purchase that its metadata names.
    pub topup: TopupId,
    /// What happened.
    pub progress: PurchaseProgress,
    /// The account in its metadata.
    pub account: Option<String>,
    /// The account in `client_reference_id`.
    pub client_reference: Option<String>,
    /// The credits in its metadata, as text.
    pub credits: Option<String>,
    /// `payment`, if it is what we asked for.
    pub mode: Option<String>,
    /// The currency, in lower case.
    pub currency: Option<String>,
    /// What was charged, in minor units.
    pub amount_total_minor: Option<i64>,
    /// How much of that is tax, in minor units, if it is said.
    pub amount_tax_minor: Option<i64>,
    /// The payment's id, once there is one.
    pub payment: Option<PaymentId>,
    /// The seal in its metadata, when Stripe was asked; an event's is not read.
    pub seal: Option<Box<Seal>>,
}

/// What an installation wrote into a checkout's metadata about what it sells, and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The terms.
    pub terms: String,
    /// The signature over them, and over what the checkout says otherwise.
    pub signature: String,
}

/// An attempt to pay that was declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// The event.
    pub event: (EventId, String),
    /// Whether it is about real money.
    pub livemode: bool,
    /// The purchase that the payment's metadata names.
    pub topup: TopupId,
    /// Why, in Stripe's word: the decline code, or the code of the error.
    pub code: String,
}

/// A statement that contradicts what was agreed. It is rejected for good: Stripe sending it again would change nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {reported} but {agreed} was agreed{}", self.hint())]
pub struct Mismatch {
    /// Which part.
    pub field: &'static str,
    /// What Stripe says.
    pub reported: String,
    /// What we stored.
    pub agreed: String,
    /// Only the amount differs, and it leaves us at least what was agreed: an operator may credit it all the same.
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

/// The fields whose values are accounts.
const ACCOUNT_FIELDS: [&str; 2] = ["metadata.accountId", "client_reference_id"];

impl Mismatch {
    /// An event of a connected account about a purchase that was made on the account itself.
    #[must_use]
    pub fn other_account(account: String) -> Self {
        Self { field: "account", reported: account, agreed: "none".to_owned(), can_be_accepted: false }
    }

    /// What it says, without the names of accounts, and the way out: for the log.
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

    /// What the operator can do, where the difference alone does not say it.
    #[must_use]
    pub fn way_out(&self) -> Option<&'static str> {
        (self.field == "account").then_some(
            "the endpoint at Stripe must listen to events of your account, not of connected accounts; if the money came \
            to your own account, `topup reconcile` credits it",
        )
    }
}

impl Agreement {
    /// Compares what Stripe says with what was agreed. Everything must be equal; the session may be unknown to us,
    /// because our write after Stripe's answer can be lost.
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
        same("currency", report.currency.as_deref(), Some(self.currency.as_str()))?;
        if self.accepted_amount_minor.is_none() || report.amount_total_minor != self.accepted_amount_minor {
            let amount = same("amount_total", report.amount_total_minor, Some(self.total_amount_minor));
            amount.map_err(|mismatch| Mismatch { can_be_accepted: self.leaves_enough(report), ..mismatch })?;
        }
        self.check_session(report)
    }

    fn check_session(&self, report: &PurchaseReport) -> Result<(), Mismatch> {
        match &self.session {
            None => Ok(()),
            Some(session) => same("session", Some(report.session.as_str()), Some(session.as_str())),
        }
    }

    /// Whether the money is there and, apart from the amount, everything is as agreed, and the amount without tax is not
    /// less than agreed.
    fn leaves_enough(&self, report: &PurchaseReport) -> bool {
        report.progress == PurchaseProgress::Paid && self.check_leaves_enough(report).is_ok()
    }

    /// Compares a payment with what was agreed as [`Self::check`] does, but for an amount that leaves us at least what was
    /// agreed when the tax in it is paid. Gives the amount that was charged, in minor units; none if it is the one that was
    /// agreed, so that there is nothing to accept.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_leaves_enough(&self, report: &PurchaseReport) -> Result<Option<i64>, Mismatch> {
        let agreed = same("amount_total", report.amount_total_minor, Some(self.total_amount_minor));
        let (mismatch, charged) = match (agreed, report.amount_total_minor) {
            (Ok(()), _) => return self.check(report).map(|()| None),
            (Err(mismatch), None) => return Err(mismatch),
            (Err(mismatch), Some(charged)) => (mismatch, charged),
        };
        let tax = report.amount_tax_minor.unwrap_or(0);
        let is_enough = tax >= 0 && charged.checked_sub(tax).is_some_and(|left| left >= self.total_amount_minor);
        if !is_enough {
            return Err(mismatch);
        }
        self.check(&PurchaseReport { amount_total_minor: Some(self.total_amount_minor), ..report.clone() })?;
        Ok(Some(charged))
    }
}

impl Agreement {
    /// Compares the provider that reports something, and the mode in which it happened, with the purchase's.
    ///
    /// # Errors
    /// When they differ.
    pub fn check_mode(&self, provider: &ProviderName, livemode: bool) -> Result<(), Mismatch> {
        same("provider", Some(provider), Some(&self.provider))?;
        same("livemode", Some(livemode), Some(self.livemode))
    }

    /// Compares what Stripe says of refunds or a dispute with the purchase.
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
mod tests {
    use super::*;

    fn agreement() -> Agreement {
        Agreement {
            topup: TopupId::from_bits(1),
            account: AccountId::parse("user_1").expect("an account"),
            credits: 250,
            currency: Currency::USD,
            total_amount_minor: 289,
            livemode: false,
            provider: ProviderName::new("stripe"),
            session: Some(SessionId::parse(ProviderName::new("stripe"), "cs_1").expect("an id")),
            accepted_amount_minor: None,
        }
    }

    fn report() -> PurchaseReport {
        PurchaseReport {
            event: None,
            livemode: false,
            session: SessionId::parse(ProviderName::new("stripe"), "cs_1").expect("an id"),
            topup: TopupId::from_bits(1),
            progress: PurchaseProgress::Paid,
            account: Some("user_1".to_owned()),
            client_reference: Some("user_1".to_owned()),
            credits: Some("250".to_owned()),
            mode: Some("payment".to_owned()),
            currency: Some("usd".to_owned()),
            amount_total_minor: Some(289),
            amount_tax_minor: None,
            payment: None,
            seal: None,
        }
    }

    #[test]
    fn a_report_that_says_what_was_agreed_passes_also_when_the_session_is_not_known_yet() {
        assert_eq!(agreement().check(&report()), Ok(()));
        assert_eq!(Agreement { session: None, ..agreement() }.check(&report()), Ok(()));
    }

    /// Known mistake 36: customers who paid enough are not left without credits for good.
    #[test]
    fn an_amount_that_leaves_enough_can_be_accepted_and_no_other() {
        let paid = |total, tax| PurchaseReport { amount_total_minor: total, amount_tax_minor: tax, ..report() };
        let can = |report: &PurchaseReport| {
            let mismatch = agreement().check(report).expect_err("another amount");
            assert_eq!(agreement().check_leaves_enough(report).is_ok(), mismatch.can_be_accepted);
            assert_eq!(mismatch.to_string().contains("an operator can accept"), mismatch.can_be_accepted);
            mismatch.can_be_accepted
        };
        for (total, tax) in [(318, Some(29)), (290, None), (i64::MAX, Some(0)), (289 + 400, Some(400))] {
            assert!(can(&paid(Some(total), tax)), "{total} {tax:?}");
        }
        for (total, tax) in [(318, Some(30)), (288, None), (288, Some(-10)), (-1, Some(i64::MIN)), (0, Some(-289))] {
            assert!(!can(&paid(Some(total), tax)), "{total} {tax:?}");
        }
        assert!(!can(&paid(None, None)));
        // Nothing else may differ.
        let changes: [fn(&mut PurchaseReport); 5] = [
            |report| report.livemode = true,
            |report| report.account = Some("user_2".to_owned()),
            |report| report.currency = Some("jpy".to_owned()),
            |report| report.credits = Some("251".to_owned()),
            |report| report.session = SessionId::parse(ProviderName::new("stripe"), "cs_2").expect("an id"),
        ];
        for change in changes {
            let mut report = paid(Some(318), Some(29));
            change(&mut report);
            assert!(!can(&report), "{report:?}");
        }
        assert_eq!(agreement().check_leaves_enough(&report()), Ok(None));
        let accepted = Agreement { accepted_amount_minor: Some(318), ..agreement() };
        assert_eq!(accepted.check(&paid(Some(318), None)), Ok(()));
        assert_eq!(accepted.check(&report()), Ok(()));
        assert!(accepted.check(&paid(Some(317), None)).is_err());
    }

    #[test]
    fn any_single_difference_is_named() {
        type Change = fn(&mut PurchaseReport);
        let changes: [(&str, Change); 14] = [
            ("livemode", |report| report.livemode = true),
            ("mode", |report| report.mode = Some("setup".to_owned())),
            ("mode", |report| report.mode = None),
            ("metadata.accountId", |report| report.account = Some("user_2".to_owned())),
            ("metadata.accountId", |report| report.account = None),
            ("client_reference_id", |report| report.client_reference = None),
            ("metadata.credits", |report| report.credits = Some("251".to_owned())),
            ("metadata.credits", |report| report.credits = Some("0250".to_owned())),
            ("metadata.credits", |report| report.credits = None),
            ("currency", |report| report.currency = Some("jpy".to_owned())),
            ("amount_total", |report| report.amount_total_minor = Some(288)),
            ("amount_total", |report| report.amount_total_minor = Some(-289)),
            ("amount_total", |report| report.amount_total_minor = None),
            ("session", |report| {
                report.session = SessionId::parse(ProviderName::new("stripe"), "cs_2").expect("an id");
            }),
        ];
        for (field, change) in changes {
            let mut report = report();
            change(&mut report);
            assert_eq!(agreement().check(&report).map_err(|mismatch| mismatch.field), Err(field));
        }
    }
}
