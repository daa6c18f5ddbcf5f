//! Acme behind the port: it takes orders and gives money back.

use async_trait::async_trait;
use topup::domain::checkout::{PurchaseProgress, PurchaseReport, Seal};
use topup::domain::ids::{PaymentId, RefundId, SessionId, TopupId};
use topup::domain::reversal::{RefundReport, RefundStatus};
use topup::providers::port::{
    CheckoutOps, CheckoutRequest, OpenedCheckout, ProviderError, ProviderFailure, RefundOps, RefundOrder,
};

use super::orders::{No, Order, Return, Status};
use super::{Acme, NAME};

#[async_trait]
impl CheckoutOps for Acme {
    async fn open_checkout(&self, request: &CheckoutRequest, key: &str) -> Result<OpenedCheckout, ProviderError> {
        let now_ms = self.now_ms();
        self.lock().order(request, key, now_ms).map(opened).map_err(failure)
    }

    async fn find_checkout(
        &self,
        topup: &TopupId,
        (from_ms, to_ms): (i64, i64),
    ) -> Result<Option<OpenedCheckout>, ProviderError> {
        let order = self.lock().newest_of(topup.as_str()).cloned();
        Ok(order.filter(|order| (from_ms..=to_ms).contains(&order.made_at_ms)).map(opened))
    }

    async fn read_checkout(&self, session: &SessionId) -> Result<Option<PurchaseReport>, ProviderError> {
        let order = self.lock().find(session.as_str()).cloned();
        order.map(|order| Some(report(order))).ok_or_else(|| failure(No::Unknown))
    }
}

#[async_trait]
impl RefundOps for Acme {
    async fn create_refund(&self, order: &RefundOrder, key: &str) -> Result<RefundReport, ProviderError> {
        self.lock().refund_once(order, key).map(|made| refund(&made)).map_err(failure)
    }

    async fn find_refund(&self, payment: &PaymentId, request_id: &str) -> Result<Option<RefundReport>, ProviderError> {
        let account = self.lock();
        let mut returns = account.returns_of(payment.as_str());
        Ok(returns.find(|made| made.note.as_deref() == Some(request_id)).map(refund))
    }

    async fn refunds_of(&self, payment: &PaymentId) -> Result<Vec<RefundReport>, ProviderError> {
        Ok(self.lock().returns_of(payment.as_str()).map(refund).collect())
    }
}

fn failure(no: No) -> ProviderError {
    let failure = |status, code: &str| ProviderFailure {
        status,
        code: code.to_owned(),
        message: format!("Acme says {no:?}"),
        permission: None,
        request_id: None,
    };
    match no {
        No::Unknown => ProviderError::Unknown(failure(404, "no_such_thing")),
        No::TooMuch => ProviderError::Refused(failure(422, "too_much")),
        No::OtherRequest => ProviderError::Refused(failure(422, "key_used")),
    }
}

fn opened(order: Order) -> OpenedCheckout {
    OpenedCheckout {
        session: session(&order.number),
        url: (order.status == Status::Waiting).then(|| format!("https://acme.example/orders/{}", order.number)),
        expires_at_seconds: order.request.expires_at_seconds,
        report: Some(report(order)),
    }
}

fn report(order: Order) -> PurchaseReport {
    let total_minor = order.total_minor();
    let Order { number, request, status, payment, .. } = order;
    let seal = request.terms.zip(request.signature);
    PurchaseReport {
        event: None,
        event_created_ms: None,
        livemode: false,
        session: session(&number),
        topup: TopupId::parse(&request.topup_id).expect("an id"),
        progress: progress(status),
        account: Some(request.account_id.clone()),
        client_reference: Some(request.account_id),
        credits: Some(request.credits.to_string()),
        bonus: request.bonus_credits.map(|credits| credits.to_string()),
        expire_days: request.credits_expire_days.map(|days| days.to_string()),
        mode: Some("payment".to_owned()),
        currency: Some(request.currency),
        amount_subtotal_minor: Some(total_minor),
        amount_total_minor: Some(total_minor),
        amount_tax_minor: None,
        payment: payment.map(|payment| PaymentId::parse(NAME, payment).expect("an id")),
        seal: seal.map(|(terms, signature)| Box::new(Seal { terms, signature })),
    }
}

/// What the port calls an order's status.
fn progress(status: Status) -> PurchaseProgress {
    match status {
        Status::Waiting => PurchaseProgress::Nothing,
        Status::Paid => PurchaseProgress::Paid,
        Status::Lapsed => PurchaseProgress::Expired,
    }
}

fn refund(made: &Return) -> RefundReport {
    RefundReport {
        stranger: None,
        id: RefundId::parse(NAME, made.number.as_str()).expect("an id"),
        payment: Some(PaymentId::parse(NAME, made.payment.as_str()).expect("an id")),
        amount_minor: made.amount_minor,
        currency: made.currency.clone(),
        // Acme gives money back at once.
        status: RefundStatus::Succeeded,
        reason: None,
        request: made.note.clone(),
    }
}

fn session(number: &str) -> SessionId {
    SessionId::parse(NAME, number).expect("an id")
}
