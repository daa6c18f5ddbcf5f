//! The objects of a payment: payment method, payment intent, charge. `confirm` and `intent` create them; `refund` and
//! `dispute` only change what was refunded of a charge and whether it is disputed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Context,
    address::Address,
    card::{Aftermath, Decline, OffSession, Outcome, Risk},
    iban::SepaDebit,
    session::PaymentIntentData,
    table::Row,
};

/// A payment method.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is there or not, whatever the others are")]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// Absent for a delayed payment by bank debit.
    pub(crate) card: Option<Card>,
    #[serde(default)]
    pub(crate) sepa_debit: Option<SepaDebit>,
    /// The outcome of a charge while the customer is there.
    pub(crate) outcome: Outcome,
    /// What follows a successful charge.
    #[serde(default)]
    pub(crate) after: Aftermath,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) phone: Option<String>,
    #[serde(default)]
    pub(crate) address: Option<Address>,
    /// The customer it is attached to.
    #[serde(default)]
    pub(crate) customer: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    /// `always`, `limited` or `unspecified`: whether a later checkout may show it.
    #[serde(default = "unspecified")]
    pub(crate) allow_redisplay: String,
    #[serde(default)]
    pub(crate) off_session: OffSession,
    /// The customer agreed to charges off session and, where the bank wants that, authenticated for them.
    #[serde(default)]
    pub(crate) set_up: bool,
    /// A bank that declines its charges still lets it be attached.
    #[serde(default)]
    pub(crate) attaches_anyway: bool,
    /// It was used without a customer, or detached: it cannot be used again.
    #[serde(default)]
    pub(crate) spent: bool,
    /// The customer ticked the box that saves it.
    #[serde(default)]
    pub(crate) to_save: bool,
    /// The customer's cash balance, which bank transfers fill.
    #[serde(default)]
    pub(crate) bank_transfer: bool,
}

fn unspecified() -> String {
    "unspecified".to_owned()
}

impl PaymentMethod {
    /// A new one that is neither a card nor a debit yet.
    pub(crate) fn new(context: &mut Context<'_>, outcome: Outcome) -> Self {
        Self {
            id: context.ids.next("pm_1", 23),
            created: context.now(),
            card: None,
            sepa_debit: None,
            outcome,
            after: Aftermath::Nothing,
            email: None,
            name: None,
            phone: None,
            address: None,
            customer: None,
            metadata: BTreeMap::new(),
            allow_redisplay: unspecified(),
            off_session: OffSession::default(),
            set_up: false,
            attaches_anyway: false,
            spent: false,
            to_save: false,
            bank_transfer: false,
        }
    }

    /// Stripe's `type`.
    pub(crate) fn kind(&self) -> &'static str {
        match (&self.card, &self.sepa_debit) {
            (Some(_), _) => "card",
            (None, Some(_)) => "sepa_debit",
            (None, None) if self.bank_transfer => "customer_balance",
            (None, None) => "us_bank_account",
        }
    }

    /// The outcome of a charge. Off session the customer cannot answer a challenge.
    pub(crate) fn charge_outcome(&self, off_session: bool) -> Outcome {
        let Outcome::Challenge(after) = self.outcome else { return self.outcome };
        let is_exempt = match self.off_session {
            OffSession::Refused => false,
            OffSession::OnceSetUp => self.set_up,
            OffSession::Allowed => true,
        };
        match (off_session, is_exempt, after) {
            (false, _, _) => self.outcome,
            (true, false, _) => Outcome::Declined(Decline::AuthenticationRequired),
            (true, true, Some(decline)) => Outcome::Declined(decline),
            (true, true, None) => Outcome::Succeeds,
        }
    }

    /// The outcome of setting it up for later charges, for which nothing is charged.
    pub(crate) fn setup_outcome(&self) -> Outcome {
        match self.outcome {
            Outcome::Declined(decline) if !self.attaches_anyway => Outcome::Declined(decline),
            Outcome::Challenge(_) => Outcome::Challenge(None),
            _ => Outcome::Succeeds,
        }
    }
}

/// The displayed details of a card. The number itself is not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) brand: String,
    pub(crate) last4: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) country: String,
    pub(crate) funding: String,
    pub(crate) cvc_check: Option<String>,
    pub(crate) risk: Risk,
    /// The same for the same number.
    #[serde(default)]
    pub(crate) fingerprint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    RequiresCapture,
    Processing,
    Succeeded,
    Canceled,
}

/// One payment, across all its attempts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// The session it belongs to; `None` if the API created it.
    pub(crate) session: Option<String>,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: IntentStatus,
    pub(crate) data: PaymentIntentData,
    pub(crate) client_secret: String,
    pub(crate) payment_method: Option<String>,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) last_error: Option<Decline>,
    pub(crate) canceled_at: Option<i64>,
    #[serde(default)]
    pub(crate) cancellation_reason: Option<String>,
    #[serde(default)]
    pub(crate) allowed_payment_method_types: Option<Vec<String>>,
    /// `allow_redirects`, if the payment methods are chosen automatically.
    #[serde(default)]
    pub(crate) automatic_payment_methods: Option<String>,
    #[serde(default)]
    pub(crate) customer: Option<String>,
    /// It waits for a bank transfer, of which so much has come.
    #[serde(default)]
    pub(crate) awaits_transfer: bool,
    #[serde(default)]
    pub(crate) amount_funded: i64,
    /// The invoice that it pays.
    #[serde(default)]
    pub(crate) invoice: Option<String>,
}

impl PaymentIntent {
    pub(crate) fn is_captured_by_hand(&self) -> bool {
        self.data.capture_method.as_deref() == Some("manual")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Pending,
    Succeeded,
    Failed,
}

/// One attempt to charge a payment method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: ChargeStatus,
    pub(crate) payment_intent: String,
    pub(crate) payment_method: String,
    pub(crate) failure: Option<Decline>,
    /// The customer passed 3-D Secure.
    pub(crate) authenticated: bool,
    /// Set after `charge.succeeded`, as on Stripe.
    pub(crate) balance_transaction: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    /// The sum of the refunds that neither failed nor were canceled.
    #[serde(default)]
    pub(crate) amount_refunded: i64,
    #[serde(default)]
    pub(crate) disputed: bool,
    /// Authorized, but not captured yet.
    #[serde(default)]
    pub(crate) uncaptured: bool,
    #[serde(default)]
    pub(crate) customer: Option<String>,
    /// The page with the receipt, if the charge succeeds.
    #[serde(default)]
    pub(crate) receipt_url: Option<String>,
}

impl Charge {
    /// Whether the charge succeeded and was captured, regardless of later refunds and disputes.
    pub(crate) fn is_paid(&self) -> bool {
        self.status == ChargeStatus::Succeeded && !self.uncaptured
    }

    /// The amount that can still be refunded.
    pub(crate) fn left(&self) -> i64 {
        self.amount.saturating_sub(self.amount_refunded).max(0)
    }
}

macro_rules! rows {
    ($($row:ty),*) => {$(
        impl Row for $row {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )*};
}
rows!(PaymentMethod, PaymentIntent, Charge);
