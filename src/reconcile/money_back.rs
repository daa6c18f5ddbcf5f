//! Compares refunds and disputes: those the provider lists, and those here that are not final.

use futures_util::FutureExt;

use crate::db::StoreError;
use crate::domain::ids::{DisputeId, PaymentId, TopupId};
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::providers::port::{ProviderError, Resource};
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::apply_reversal::{ReversalSource, apply_dispute, apply_refund};
use crate::reconcile::comparison::OpenReversal;
use crate::reconcile::same_reversal::{Compared, compare_dispute, compare_refund};
use crate::reconcile::{Comparison, ROWS};

/// How long before the period a dispute may have been opened and is still compared. Closed disputes can be corrected,
/// appealed and decided again for months, and a list of old disputes costs no more than one of new ones.
const DISPUTES_WATCHED_SECONDS: i64 = 180 * 86_400;

impl Comparison<'_> {
    /// Compares every refund that the provider made since the start of the period.
    pub(crate) async fn listed_refunds(&mut self) -> Result<(), StoreError> {
        let (app, since, mut after) = (self.app, self.since_seconds(), None::<String>);
        for _ in 0..self.max_pages {
            let page = self.asker.ask(|| {
                let after = after.clone();
                async move { app.provider.lists.list_refunds(since, after.as_deref()).await }.boxed()
            });
            let page = match page.await {
                Ok(page) => page,
                Err(error) => {
                    self.list_failed("refunds", Resource::Refunds, &error);
                    return Ok(());
                }
            };
            for unreadable in page.unreadable {
                self.report.unreadable.add_left("refund", None, unreadable);
            }
            for refund in page.items {
                self.refund(refund).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
        self.list_too_long("refunds");
        Ok(())
    }

    /// Compares every dispute opened since the start of the period, and every stored one that can still be decided
    /// again or corrected.
    pub(crate) async fn listed_disputes(&mut self) -> Result<(), StoreError> {
        let since = self.since_seconds().saturating_sub(DISPUTES_WATCHED_SECONDS).max(0);
        let (app, mut after) = (self.app, None::<String>);
        for _ in 0..self.max_pages {
            let page = self.asker.ask(|| {
                let after = after.clone();
                async move { app.provider.lists.list_disputes(since, after.as_deref()).await }.boxed()
            });
            let page = match page.await {
                Ok(page) => page,
                Err(error) => {
                    self.list_failed("disputes", Resource::Disputes, &error);
                    return Ok(());
                }
            };
            for unreadable in page.unreadable {
                self.report.unreadable.add_left("dispute", None, unreadable);
            }
            for dispute in page.items {
                // For older disputes the owner is not asked for: that was done when they were new.
                if dispute.created_seconds >= self.since_seconds() || self.is_known(dispute.id.as_str()).await? {
                    self.dispute(dispute).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
        self.list_too_long("disputes");
        Ok(())
    }

    async fn is_known(&self, reversal: &str) -> Result<bool, StoreError> {
        let (db, provider) = (&self.app.db, self.app.provider.name);
        Ok(db.reversal(provider, reversal).await?.is_some()
            || db.invoice_dispute_version(provider, reversal).await?.is_some())
    }

    /// Checks stored refunds and disputes that were recorded in the period or are not final, and were not listed
    /// because they are older.
    pub(crate) async fn open_reversals(&mut self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = self.app.db.open_reversals(&after, self.since_ms, ROWS, self.app.provider.name).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.provider_reversal_id);
            for reversal in page {
                let is_in = if reversal.kind == "refund" { "refunds" } else { "disputes" };
                if !self.reversals_seen.contains(&reversal.provider_reversal_id)
                    && !self.refused.contains(is_in)
                    && self.may_ask()
                {
                    self.ask_for_reversal(&reversal).await?;
                }
            }
        }
    }

    async fn ask_for_reversal(&mut self, reversal: &OpenReversal) -> Result<(), StoreError> {
        let app = self.app;
        let failed = if reversal.kind == "refund" {
            let payment = PaymentId::parse(app.provider.name, reversal.provider_payment_id.as_str());
            let payment = payment.map_err(|_| StoreError::corrupt("payment of", &reversal.provider_reversal_id))?;
            match self.asker.ask(|| app.provider.refunds.refunds_of(&payment)).await {
                Ok(refunds) => {
                    for refund in refunds {
                        self.refund(refund).await?;
                    }
                    None
                }
                Err(error) => Some(error),
            }
        } else {
            let dispute = DisputeId::parse(app.provider.name, reversal.provider_reversal_id.as_str());
            let dispute = dispute.map_err(|_| StoreError::corrupt("dispute id", &reversal.provider_reversal_id))?;
            match self.asker.ask(|| app.provider.disputes.read_dispute(&dispute)).await {
                Ok(report) => {
                    self.dispute(report).await?;
                    None
                }
                Err(error) => Some(error),
            }
        };
        match failed {
            None if self.reversals_seen.contains(&reversal.provider_reversal_id) => {}
            None | Some(ProviderError::Unknown(_)) => {
                let detail = format!("a {} that Stripe does not know", reversal.kind);
                self.report.differences.add_left(&reversal.provider_reversal_id, None, detail);
            }
            Some(error) => self.report.not_asked.add_left(&reversal.provider_reversal_id, None, error.to_string()),
        }
        Ok(())
    }

    async fn refund(&mut self, refund: RefundReport) -> Result<(), StoreError> {
        let Some(payment) = refund.payment.clone() else { return Ok(()) };
        if let Some(customer) = &refund.stranger {
            let is_ours = self.app.db.account_of_customer(customer).await?.is_some();
            return if is_ours { self.refund_of_invoice(refund, &payment).await } else { Ok(()) };
        }
        let Some(topup) = self.owner(&payment, refund.id.as_str()).await? else {
            return self.refund_of_invoice(refund, &payment).await;
        };
        if !self.reversals_seen.insert(refund.id.as_str().to_owned()) {
            return Ok(());
        }
        self.report.refunds = self.report.refunds.saturating_add(1);
        let stored = self.app.db.reversal(*refund.id.provider(), refund.id.as_str()).await?;
        match compare_refund(&refund, stored.as_ref()) {
            Compared::Same => Ok(()),
            Compared::News(detail) => self.bring_refund(refund, &topup, detail).await,
            Compared::Contradiction(_) => self.contradicting_refund(&refund, &payment, &topup).await,
        }
    }

    /// The list may be older than what a webhook brought meanwhile, so the refund is fetched again.
    async fn contradicting_refund(
        &mut self,
        listed: &RefundReport,
        payment: &PaymentId,
        topup: &TopupId,
    ) -> Result<(), StoreError> {
        let (app, id) = (self.app, listed.id.as_str());
        if !self.may_ask() {
            return Ok(());
        }
        let refunds = match self.asker.ask(|| app.provider.refunds.refunds_of(payment)).await {
            Ok(refunds) => refunds,
            Err(error) => {
                self.report.not_asked.add_left(id, Some(topup.as_str()), error.to_string());
                return Ok(());
            }
        };
        let Some(refund) = refunds.into_iter().find(|refund| refund.id == listed.id) else {
            self.report.differences.add_left(
                id,
                Some(topup.as_str()),
                "listed by Stripe, and no refund of its payment",
            );
            return Ok(());
        };
        match compare_refund(&refund, app.db.reversal(app.provider.name, id).await?.as_ref()) {
            Compared::Same => Ok(()),
            Compared::News(detail) => self.bring_refund(refund, topup, detail).await,
            Compared::Contradiction(detail) => {
                self.report.differences.add_left(id, Some(topup.as_str()), detail);
                Ok(())
            }
        }
    }

    async fn bring_refund(&mut self, refund: RefundReport, topup: &TopupId, detail: String) -> Result<(), StoreError> {
        let (app, livemode) = (self.app, self.app.checkout.livemode);
        let apply = || {
            let refund = refund.clone();
            async move { apply_refund(app, ReversalSource { event: None, livemode }, refund).await }.boxed()
        };
        let applied = if self.dry_run { None } else { Some(self.asker.ask(apply).await) };
        self.reversal_applied(refund.id.as_str(), topup, detail, applied)
    }

    async fn dispute(&mut self, dispute: DisputeReport) -> Result<(), StoreError> {
        let Some(payment) = dispute.payment.clone() else { return Ok(()) };
        if let Some(customer) = &dispute.stranger {
            let is_ours = self.app.db.account_of_customer(customer).await?.is_some();
            return if is_ours { self.dispute_of_invoice(&dispute, &payment).await } else { Ok(()) };
        }
        let Some(topup) = self.owner(&payment, dispute.id.as_str()).await? else {
            return self.dispute_of_invoice(&dispute, &payment).await;
        };
        let id = dispute.id.as_str().to_owned();
        if !self.reversals_seen.insert(id.clone()) {
            return Ok(());
        }
        self.report.disputes = self.report.disputes.saturating_add(1);
        if let Some(doubt) = dispute.doubt() {
            // The effect is applied like any other; an operator may know better.
            let taken = dispute.reversed_minor();
            let detail = format!("{doubt}; counted as gone: {taken} of {}", dispute.amount_minor);
            self.report.differences.add_settled(&id, Some(topup.as_str()), detail);
        }
        let detail = match compare_dispute(&dispute, self.app.db.reversal(self.app.provider.name, &id).await?.as_ref())
        {
            Compared::Same => return Ok(()),
            Compared::News(detail) => detail,
            Compared::Contradiction(detail) => {
                self.report.differences.add_left(&id, Some(topup.as_str()), detail);
                return Ok(());
            }
        };
        let (app, livemode) = (self.app, dispute.livemode);
        let apply = || {
            let (dispute, payment) = (dispute.id.clone(), payment.clone());
            async move { apply_dispute(app, ReversalSource { event: None, livemode }, &dispute, &payment).await }
                .boxed()
        };
        let applied = if self.dry_run { None } else { Some(self.asker.ask(apply).await) };
        self.reversal_applied(&id, &topup, detail, applied)
    }

    fn reversal_applied(
        &mut self,
        id: &str,
        topup: &TopupId,
        detail: String,
        applied: Option<Result<EventOutcome, ApplyEventError>>,
    ) -> Result<(), StoreError> {
        match applied {
            None => Self::add_applied(true, &mut self.report.missing_reversals, id, topup, detail),
            Some(Ok(EventOutcome::Decided(outcome))) => {
                let detail = format!("{detail}: {outcome}");
                Self::add_applied(false, &mut self.report.missing_reversals, id, topup, detail);
            }
            Some(Ok(EventOutcome::Rejected(mismatch))) => {
                self.report.differences.add_left(id, Some(topup.as_str()), mismatch.to_string());
            }
            Some(Ok(EventOutcome::Foreign(_))) => {}
            Some(Err(ApplyEventError::Store(error))) => return Err(error),
            Some(Err(error)) => {
                self.report.not_asked.add_left(id, Some(topup.as_str()), crate::app::with_causes(&error));
            }
        }
        Ok(())
    }

    /// The top-up that a payment belongs to. The provider is asked, once per payment, only if the payment is neither
    /// stored here nor among the listed checkout sessions.
    async fn owner(&mut self, payment: &PaymentId, of: &str) -> Result<Option<TopupId>, StoreError> {
        if let Some(known) = self.app.db.payment(payment).await? {
            let topup = TopupId::parse(&known.topup_id);
            return topup.map(Some).map_err(|_| StoreError::corrupt("top-up id", &known.topup_id));
        }
        if let Some(topup) = self.payments_seen.get(payment) {
            return Ok(Some(topup.clone()));
        }
        if let Some(owner) = self.owners.get(payment) {
            return Ok(owner.clone());
        }
        if !self.may_ask() {
            return Ok(None);
        }
        let app = self.app;
        let owner = match self.asker.ask(|| app.provider.payments.read_payment(payment)).await {
            Ok(Some(owner)) => app.db.topup(&owner.topup).await?.map(|topup| topup.id),
            Ok(None) | Err(ProviderError::Unknown(_)) => None,
            Err(error) => {
                self.report.not_asked.add_left(of, None, format!("whose payment {payment} is: {error}"));
                return Ok(None);
            }
        };
        self.owners.insert(payment.clone(), owner.clone());
        Ok(owner)
    }

    /// Reports the surplus payments that were not fully refunded.
    pub(crate) async fn surplus_payments(&mut self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = self.app.db.surplus_payments(&after, ROWS, self.app.provider.name).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.provider_payment_id);
            for payment in page {
                let detail = format!("{} came, {} went back", payment.total_amount, payment.reversed);
                let topup = Some(payment.topup_id.as_str());
                self.report.surplus_payments.add_left(&payment.provider_payment_id, topup, detail);
            }
        }
    }
}
