//! One purchase: what was agreed, what Stripe says of it, and what follows. The judgement is made here and nowhere
//! else, whether the news came by webhook or because the customer's page asked.

use super::account::AccountId;
use super::currency::Currency;
use super::ids::{EventId, PaymentIntentId, SessionId, TopupId};

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
    /// Whether real money moves.
    pub livemode: bool,
    /// The session that Stripe made for it, when it is known.
    pub session: Option<SessionId>,
}

/// What Stripe says happened to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentProgress {
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
pub struct PaymentReport {
    /// The webhook event that brought it, with its type; none if we asked.
    pub event: Option<(EventId, String)>,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The session's id.
    pub session: SessionId,
    /// The purchase that its metadata names.
    pub topup: TopupId,
    /// What happened.
    pub progress: PaymentProgress,
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
    /// The payment's id, once there is one.
    pub payment_intent: Option<PaymentIntentId>,
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
#[error("{field} is {reported} but {agreed} was agreed")]
pub struct Mismatch {
    /// Which part.
    pub field: &'static str,
    /// What Stripe says.
    pub reported: String,
    /// What we stored.
    pub agreed: String,
}

/// The fields whose values are accounts.
const ACCOUNT_FIELDS: [&str; 2] = ["metadata.accountId", "client_reference_id"];

impl Mismatch {
    /// An event of a connected account about a purchase that was made on the account itself.
    #[must_use]
    pub fn other_account(account: String) -> Self {
        Self { field: "account", reported: account, agreed: "none".to_owned() }
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
    pub fn check(&self, report: &PaymentReport) -> Result<(), Mismatch> {
        let account = Some(self.account.as_str());
        let credits = self.credits.to_string();
        same("livemode", Some(report.livemode), Some(self.livemode))?;
        same("mode", report.mode.as_deref(), Some("payment"))?;
        same("metadata.accountId", report.account.as_deref(), account)?;
        same("client_reference_id", report.client_reference.as_deref(), account)?;
        same("metadata.credits", report.credits.as_deref(), Some(credits.as_str()))?;
        same("currency", report.currency.as_deref(), Some(self.currency.as_str()))?;
        same("amount_total", report.amount_total_minor, Some(self.total_amount_minor))?;
        match &self.session {
            None => Ok(()),
            Some(session) => same("session", Some(report.session.as_str()), Some(session.as_str())),
        }
    }
}

impl Agreement {
    /// Compares the mode in which an event happened with the purchase's.
    ///
    /// # Errors
    /// When they differ.
    pub fn check_mode(&self, livemode: bool) -> Result<(), Mismatch> {
        same("livemode", Some(livemode), Some(self.livemode))
    }

    /// Compares what Stripe says of refunds or a dispute with the purchase.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_reversal(&self, livemode: bool, currencies: &[&str]) -> Result<(), Mismatch> {
        self.check_mode(livemode)?;
        currencies.iter().try_for_each(|currency| same("currency", Some(*currency), Some(self.currency.as_str())))
    }
}

fn same<T: PartialEq + ToString>(field: &'static str, reported: Option<T>, agreed: Option<T>) -> Result<(), Mismatch> {
    if reported == agreed {
        return Ok(());
    }
    let text = |value: Option<T>| value.map_or_else(|| "missing".to_owned(), |value| value.to_string());
    Err(Mismatch { field, reported: text(reported), agreed: text(agreed) })
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
            session: Some(SessionId::parse("cs_1").expect("an id")),
        }
    }

    fn report() -> PaymentReport {
        PaymentReport {
            event: None,
            livemode: false,
            session: SessionId::parse("cs_1").expect("an id"),
            topup: TopupId::from_bits(1),
            progress: PaymentProgress::Paid,
            account: Some("user_1".to_owned()),
            client_reference: Some("user_1".to_owned()),
            credits: Some("250".to_owned()),
            mode: Some("payment".to_owned()),
            currency: Some("usd".to_owned()),
            amount_total_minor: Some(289),
            payment_intent: None,
            seal: None,
        }
    }

    #[test]
    fn a_report_that_says_what_was_agreed_passes_also_when_the_session_is_not_known_yet() {
        assert_eq!(agreement().check(&report()), Ok(()));
        assert_eq!(Agreement { session: None, ..agreement() }.check(&report()), Ok(()));
    }

    #[test]
    fn any_single_difference_is_named() {
        type Change = fn(&mut PaymentReport);
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
            ("session", |report| report.session = SessionId::parse("cs_2").expect("an id")),
        ];
        for (field, change) in changes {
            let mut report = report();
            change(&mut report);
            assert_eq!(agreement().check(&report).map_err(|mismatch| mismatch.field), Err(field));
        }
    }
}
