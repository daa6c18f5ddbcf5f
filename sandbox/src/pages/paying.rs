//! A payment as the pages show it: a checkout session with its payment intent, or a payment intent without a session.

use super::{
    view::View,
    words::{self, State},
};
use crate::model::{
    currency,
    dispute::Dispute,
    payment::{Charge, IntentStatus, PaymentIntent, PaymentMethod},
    session::{Mode, Session, SessionStatus},
    setup_intent::{SetupIntent, SetupStatus},
};

/// A payment, or a checkout that saves a card. A session or a payment intent is there.
#[derive(Clone, Copy)]
pub(super) struct Paying<'a> {
    pub(super) session: Option<&'a Session>,
    pub(super) intent: Option<&'a PaymentIntent>,
    /// Of a checkout that saves a card.
    pub(super) setup: Option<&'a SetupIntent>,
}

/// The actions possible on a payment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Can {
    Expire,
    Authenticate,
    Settle,
    ComeBack,
    Nothing,
}

/// All payments, newest first.
pub(super) fn all<'a>(view: &View<'a>) -> Vec<Paying<'a>> {
    let state = view.state();
    let sessions = state.sessions.iter().rev().map(|session| of_session(view, session));
    let bare = state.payment_intents.iter().rev().filter(|intent| intent.session.is_none());
    let bare = bare.map(|intent| Paying { session: None, intent: Some(intent), setup: None });
    let mut all: Vec<_> = sessions.chain(bare).collect();
    all.sort_by_key(|paying| std::cmp::Reverse(paying.created()));
    all
}

/// The payment of a session or of a payment intent.
pub(super) fn find<'a>(view: &View<'a>, id: &str) -> Option<Paying<'a>> {
    let state = view.state();
    if let Some(session) = state.sessions.get(id) {
        return Some(of_session(view, session));
    }
    let intent = state.payment_intents.get(id)?;
    Some(Paying { session: view.session_of(intent), intent: Some(intent), setup: None })
}

/// The payment of a charge, if it is known.
pub(super) fn of_charge<'a>(view: &View<'a>, charge: &str) -> Option<Paying<'a>> {
    find(view, &view.charge(Some(charge))?.payment_intent)
}

fn of_session<'a>(view: &View<'a>, session: &'a Session) -> Paying<'a> {
    let setup = session.setup_intent.as_deref().and_then(|id| view.state().setup_intents.get(id));
    Paying { session: Some(session), intent: view.intent(session.payment_intent.as_deref()), setup }
}

impl<'a> Paying<'a> {
    /// The session's id, or the payment intent's.
    pub(super) fn id(&self) -> &'a str {
        match (self.session, self.intent) {
            (Some(session), _) => &session.id,
            (None, Some(intent)) => &intent.id,
            (None, None) => "",
        }
    }

    pub(super) fn created(&self) -> i64 {
        self.session.map(|session| session.created).or(self.intent.map(|intent| intent.created)).unwrap_or_default()
    }

    /// The total and its currency.
    pub(super) fn amount(&self) -> (i64, &'a str) {
        match (self.session, self.intent) {
            (Some(session), _) => (session.amount_total, &session.currency),
            (None, Some(intent)) => (intent.amount, &intent.currency),
            (None, None) => (0, "usd"),
        }
    }

    /// Whether the checkout saves a card instead of charging one.
    pub(super) fn is_setup(&self) -> bool {
        self.session.is_some_and(|session| session.mode == Mode::Setup)
    }

    pub(super) fn total(&self) -> String {
        if self.is_setup() {
            return "Card".to_owned();
        }
        let (amount, currency) = self.amount();
        currency::format(amount, currency)
    }

    /// The buyer, as the shop or the customer named them.
    pub(super) fn who(&self) -> &'a str {
        let session = self.session;
        let named = session.and_then(|session| session.client_reference_id.as_deref());
        let asked = session.and_then(|session| session.customer_email.as_deref());
        named.or(asked).or_else(|| self.email()).unwrap_or("–")
    }

    /// The e-mail address that the shop gave or the customer typed.
    pub(super) fn email(&self) -> Option<&'a str> {
        let session = self.session?;
        let typed = session.customer.as_ref().and_then(|customer| customer.email.as_deref());
        typed.or(session.customer_email.as_deref())
    }

    /// The first item: `250 × Credits`.
    pub(super) fn what(&self) -> String {
        match self.session {
            Some(_) if self.is_setup() => "saves a card".to_owned(),
            Some(session) => {
                let first = session.line_items.first();
                first.map(|item| format!("{} × {}", item.quantity, item.name)).unwrap_or_default()
            }
            None => "without a checkout".to_owned(),
        }
    }

    pub(super) fn charge(&self, view: &View<'a>) -> Option<&'a Charge> {
        view.charge(self.intent?.latest_charge.as_deref())
    }

    pub(super) fn method(&self, view: &View<'a>) -> Option<&'a PaymentMethod> {
        let id = self.charge(view).map(|charge| charge.payment_method.as_str());
        id.or(self.intent?.payment_method.as_deref()).and_then(|id| view.state().payment_methods.get(id))
    }

    /// Its disputes, oldest first.
    pub(super) fn disputes(&self, view: &View<'a>) -> impl Iterator<Item = &'a Dispute> {
        let intent = self.intent.map(|intent| intent.id.as_str());
        view.state().disputes.iter().filter(move |dispute| Some(dispute.payment_intent.as_str()) == intent)
    }

    /// The customer it belongs to.
    pub(super) fn customer(&self) -> Option<&'a str> {
        let of_intent = self.intent.and_then(|intent| intent.customer.as_deref());
        of_intent.or(self.session.and_then(|session| session.customer_id.as_deref()))
    }

    pub(super) fn state(&self, view: &View<'a>) -> State {
        if let Some(session) = self.session.filter(|_| self.is_setup()) {
            return match (session.status, self.setup.map(|setup| setup.status)) {
                (SessionStatus::Open, Some(SetupStatus::RequiresAction)) => ("wait", "waits for 3-D Secure"),
                (SessionStatus::Open, _) => ("wait", "open"),
                (SessionStatus::Complete, _) => ("good", "saved"),
                (SessionStatus::Expired, _) => ("quiet", "expired"),
            };
        }
        let open = self.disputes(view).find(|dispute| !dispute.status.is_closed());
        words::payment(self.session, self.intent, self.charge(view), open)
    }

    pub(super) fn can(&self) -> Can {
        match self.intent.map(|intent| intent.status) {
            Some(IntentStatus::RequiresAction) => Can::Authenticate,
            None if self.setup.is_some_and(|setup| setup.status == SetupStatus::RequiresAction) => Can::Authenticate,
            Some(IntentStatus::Processing) => Can::Settle,
            Some(IntentStatus::Succeeded) => Can::ComeBack,
            _ if self.session.is_some_and(Session::is_open) => Can::Expire,
            _ => Can::Nothing,
        }
    }

    /// The path of its controls below `/_sandbox/`.
    pub(super) fn controls(&self) -> String {
        match self.session {
            Some(session) => format!("sessions/{}", session.id),
            None => format!("payment_intents/{}", self.id()),
        }
    }

    /// Whether a search finds it: by an id, the buyer, or the total.
    pub(super) fn is_found(&self, view: &View<'a>, wanted: &str) -> bool {
        let wanted = wanted.to_lowercase();
        let is_id = |id: Option<&str>| id.is_some_and(|id| id.eq_ignore_ascii_case(&wanted));
        let last4 = self.method(view).and_then(|method| method.card.as_ref()).map(|card| card.last4.as_str());
        let total = self.total().to_lowercase();
        is_id(Some(self.id()))
            || is_id(self.intent.map(|intent| intent.id.as_str()))
            || is_id(self.charge(view).map(|charge| charge.id.as_str()))
            || is_id(last4)
            || self.who().to_lowercase().contains(&wanted)
            || self.email().is_some_and(|email| email.to_lowercase().contains(&wanted))
            || total == wanted
            || total.trim_start_matches(|letter: char| !letter.is_ascii_digit()) == wanted
    }
}
