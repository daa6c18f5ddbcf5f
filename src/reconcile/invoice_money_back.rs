//! Compares refunds and disputes of payments of invoices, which belong to no top-up.

use futures_util::FutureExt;

use crate::db::StoreError;
use crate::domain::ids::PaymentId;
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::providers::port::ProviderError;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::apply_reversal::ReversalSource;
use crate::purchases::reversal::inquiry::Inquiry;
use crate::reconcile::Comparison;
use crate::reconcile::same_reversal::{Compared, compare_dispute, compare_refund};
use crate::subscriptions::apply_reversal as of_invoice;

type Applied = Option<Result<EventOutcome, ApplyEventError>>;

impl Comparison<'_> {
    /// Compares a refund of a payment that belongs to no top-up.
    pub(crate) async fn refund_of_invoice(
        &mut self,
        refund: RefundReport,
        payment: &PaymentId,
    ) -> Result<(), StoreError> {
        let (app, id) = (self.app, refund.id.as_str());
        if !self.is_of_invoice(payment, id).await? || !self.reversals_seen.insert(id.to_owned()) {
            return Ok(());
        }
        let stored = app.db.reversal_of_invoice(app.provider.name, id).await?;
        let (refund, compared) = match compare_refund(&refund, stored.as_ref()) {
            // The list may be older than what a webhook brought meanwhile, so the refund is fetched again.
            Compared::Contradiction(_) if self.may_ask() => {
                match self.asker.ask(|| app.provider.refunds.refunds_of(payment)).await {
                    Ok(refunds) => {
                        let again = refunds.into_iter().find(|again| again.id == refund.id).unwrap_or(refund);
                        let stored = app.db.reversal_of_invoice(app.provider.name, again.id.as_str()).await?;
                        let compared = compare_refund(&again, stored.as_ref());
                        (again, compared)
                    }
                    Err(error) => {
                        self.report.not_asked.add_left(id, None, error.to_string());
                        return Ok(());
                    }
                }
            }
            compared => (refund, compared),
        };
        self.report.refunds = self.report.refunds.saturating_add(1);
        let livemode = app.checkout.livemode;
        let apply = || {
            let refund = refund.clone();
            async move {
                let source = ReversalSource { event: None, livemode };
                of_invoice::refund(&Inquiry::paced(app), source, refund).await
            }
            .boxed()
        };
        let applied = match compared {
            Compared::News(_) if !self.dry_run => Some(self.asker.ask(apply).await),
            _ => None,
        };
        self.of_invoice_compared(refund.id.as_str(), compared, applied)
    }

    /// Compares a dispute of a payment that belongs to no top-up.
    pub(crate) async fn dispute_of_invoice(
        &mut self,
        dispute: &DisputeReport,
        payment: &PaymentId,
    ) -> Result<(), StoreError> {
        let (app, id) = (self.app, dispute.id.as_str());
        if !self.is_of_invoice(payment, id).await? || !self.reversals_seen.insert(id.to_owned()) {
            return Ok(());
        }
        self.report.disputes = self.report.disputes.saturating_add(1);
        let compared = compare_dispute(dispute, app.db.reversal_of_invoice(app.provider.name, id).await?.as_ref());
        let livemode = dispute.livemode;
        let apply = || {
            async move {
                let source = ReversalSource { event: None, livemode };
                of_invoice::dispute(&Inquiry::paced(app), source, &dispute.id, payment).await
            }
            .boxed()
        };
        let applied = match compared {
            Compared::News(_) if !self.dry_run => Some(self.asker.ask(apply).await),
            _ => None,
        };
        self.of_invoice_compared(id, compared, applied)
    }

    fn of_invoice_compared(&mut self, id: &str, compared: Compared, applied: Applied) -> Result<(), StoreError> {
        match compared {
            Compared::Same => {}
            Compared::Contradiction(detail) => self.report.differences.add_left(id, None, detail),
            Compared::News(detail) => {
                if let Some(detail) = self.outcome(id, detail, applied)? {
                    self.add(|report| &mut report.missing_reversals, id, detail);
                }
            }
        }
        Ok(())
    }

    /// Whether a payment is known to be for an invoice of a subscription. The provider is asked, once for each payment,
    /// only if nothing of the payment is stored here. A dry run brings no invoice, so it compares those that are here.
    async fn is_of_invoice(&mut self, payment: &PaymentId, of: &str) -> Result<bool, StoreError> {
        let app = self.app;
        if !app.provider.capabilities.subscriptions {
            return Ok(false);
        }
        if let Some(known) = self.of_invoices.get(payment) {
            return Ok(*known);
        }
        let is_known = app.db.known_invoice_of(payment).await?.is_some();
        let sells_plans = is_known || !app.db.plans(app.provider.name).await?.is_empty();
        if is_known || !sells_plans || !self.may_ask() {
            return Ok(is_known);
        }
        let found = match self.asker.ask(|| app.provider.invoices.invoice_of_payment(payment)).await {
            Ok(Some(invoice)) => !self.dry_run || app.db.invoice(&invoice).await?.is_some(),
            Ok(None) | Err(ProviderError::Unknown(_) | ProviderError::Unsupported(_)) => false,
            Err(error) => {
                self.report.not_asked.add_left(of, None, format!("the invoice of {payment}: {error}"));
                return Ok(false);
            }
        };
        self.of_invoices.insert(payment.clone(), found);
        Ok(found)
    }
}
