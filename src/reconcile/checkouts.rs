//! Compares checkout sessions: the provider's list with our top-ups, and our top-ups with the list.

use futures_util::FutureExt;

use crate::db::StoreError;
use crate::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use crate::domain::ids::{SessionId, TopupId};
use crate::domain::judge::AgreedTopup;
use crate::domain::judge::{Applied, judge};
use crate::providers::port::{ProviderError, Resource};
use crate::purchases::adopt::adopt_purchase::seller;
use crate::purchases::adopt::seal::Proof;
use crate::purchases::payment::apply_report::apply;
use crate::reconcile::comparison::ComparedTopup;
use crate::reconcile::{Comparison, ROWS};

impl Comparison<'_> {
    /// Compares every checkout session in the provider's list, newest first.
    pub(crate) async fn listed_checkouts(&mut self) -> Result<(), StoreError> {
        let (app, since, mut after) = (self.app, self.since_seconds(), None::<String>);
        for _ in 0..self.max_pages {
            let page = self.asker.ask(|| {
                let after = after.clone();
                async move { app.provider.lists.list_checkouts(since, after.as_deref()).await }.boxed()
            });
            let page = match page.await {
                Ok(page) => page,
                Err(error) => {
                    self.list_failed("checkouts", Resource::CheckoutSessions, &error);
                    return Ok(());
                }
            };
            for unreadable in page.unreadable {
                self.report.unreadable.add_left("checkout", None, unreadable);
            }
            for report in page.items {
                self.checkout(report).await?;
            }
            after = page.next;
            if after.is_none() {
                self.checkouts_are_listed = true;
                return Ok(());
            }
        }
        self.list_too_long("checkouts");
        Ok(())
    }

    /// Compares every payment that a saved card made without a checkout session, in the same way.
    pub(crate) async fn listed_charges(&mut self) -> Result<(), StoreError> {
        let (app, since, mut after) = (self.app, self.since_seconds(), None::<String>);
        let may_have = app.recurring.auto_topup || app.db.has_auto_topups_since(self.since_ms).await?;
        if !app.provider.capabilities.off_session || !may_have {
            return Ok(());
        }
        for _ in 0..self.max_pages {
            let page = self.asker.ask(|| {
                let after = after.clone();
                async move { app.provider.off_session.list_charges(since, after.as_deref()).await }.boxed()
            });
            let page = match page.await {
                Ok(page) => page,
                Err(error) => {
                    self.list_failed("payments", Resource::PaymentIntents, &error);
                    return Ok(());
                }
            };
            for unreadable in page.unreadable {
                self.report.unreadable.add_left("payment", None, unreadable);
            }
            for report in page.items {
                self.checkout(report).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
        self.list_too_long("payments");
        Ok(())
    }

    /// Compares one checkout session.
    async fn checkout(&mut self, report: PurchaseReport) -> Result<(), StoreError> {
        if !self.sessions_seen.insert(report.session.clone()) {
            return Ok(());
        }
        let Some(found) = self.app.db.agreement(&report.topup).await? else {
            self.checkout_of_nobody(&report);
            return Ok(());
        };
        self.report.sessions = self.report.sessions.saturating_add(1);
        match judge(&report, &found) {
            Applied::Surplus if self.is_known_surplus(&report).await? => Ok(()),
            outcome @ (Applied::Credited { .. } | Applied::Moved(_) | Applied::Surplus | Applied::Rejected(_)) => {
                self.bring_checkout(report, outcome).await
            }
            _ if contradicts(&report, &found) => self.contradiction(&report).await,
            _ => Ok(()),
        }
    }

    fn checkout_of_nobody(&mut self, report: &PurchaseReport) {
        let (session, topup) = (report.session.as_str(), Some(report.topup.as_str()));
        let findings = &mut self.report.unknown_here;
        match report.progress {
            PurchaseProgress::Paid => {
                let (proof, seller) = seller(self.app, report);
                let account = report.account.clone();
                let credits = report.credits.as_ref().and_then(|credits| credits.parse().ok());
                let shown = credits.map(|credits| self.app.pricing.decimals().format(credits));
                let detail = format!(
                    "paid: {} credits of {}; its top-up is not in this database; {seller}",
                    shown.as_deref().unwrap_or("?"),
                    account.as_deref().unwrap_or("?")
                );
                self.report.adoptable =
                    self.report.adoptable.saturating_add(u64::from(matches!(proof, Proof::Ours(_))));
                findings.add_lost(session, report.topup.as_str(), account, credits, detail);
            }
            PurchaseProgress::Processing => {
                findings.add_left(session, topup, "being paid, and its top-up is not in this database");
            }
            _ => findings.add_settled(session, topup, "not paid; its top-up is not in this database"),
        }
    }

    async fn is_known_surplus(&self, report: &PurchaseReport) -> Result<bool, StoreError> {
        let Some(payment) = &report.payment else { return Ok(false) };
        Ok(self.app.db.payment(payment).await?.is_some_and(|payment| payment.state == "surplus"))
    }

    /// Applies a report, or only reports what it would change.
    async fn bring_checkout(&mut self, report: PurchaseReport, judged: Applied) -> Result<(), StoreError> {
        let (session, topup) = (report.session.clone(), report.topup.clone());
        if let Some(payment) = report.payment.clone().filter(|_| self.dry_run) {
            self.payments_seen.insert(payment, topup.clone());
        }
        let outcome = if self.dry_run { judged } else { apply(self.app, report).await? };
        let (session, dry_run, found) = (session.as_str(), self.dry_run, &mut self.report);
        match outcome {
            Applied::Credited { credits, .. } => {
                let sum = found.missing_credits_sum.checked_add(credits);
                found.missing_credits_sum =
                    sum.ok_or_else(|| StoreError::corrupt("credits out of range at", &topup))?;
                let detail = format!("paid at Stripe: {} credits", self.app.pricing.decimals().format(credits));
                Self::add_applied(dry_run, &mut found.missing_credits, session, &topup, detail);
            }
            Applied::Moved(state) => {
                let detail = format!("{} at Stripe", state.as_str());
                Self::add_applied(dry_run, &mut found.missing_states, session, &topup, detail);
            }
            Applied::Rejected(mismatch) => {
                found.differences.add_left(session, Some(topup.as_str()), mismatch.to_string());
            }
            // Surplus payments are listed together at the end.
            Applied::Surplus if !dry_run => {}
            Applied::Surplus => {
                let detail = "a second payment of a purchase that is paid already";
                found.surplus_payments.add_left(session, Some(topup.as_str()), detail);
            }
            // A webhook was faster.
            _ => {}
        }
        Ok(())
    }

    /// The top-up is credited, but the listed session is not paid. The list may be older than our row, so the session
    /// is fetched again.
    async fn contradiction(&mut self, listed: &PurchaseReport) -> Result<(), StoreError> {
        let (app, session) = (self.app, listed.session.clone());
        if !self.may_ask() {
            return Ok(());
        }
        let asked = self.asker.ask(|| app.provider.checkouts.read_checkout(&session)).await;
        let topup = Some(listed.topup.as_str());
        match asked {
            Ok(Some(report)) if report.progress == PurchaseProgress::Paid => {}
            Ok(_) => {
                let detail = "credited here, but Stripe does not say that it is paid";
                self.report.differences.add_left(session.as_str(), topup, detail);
            }
            Err(error) => self.report.not_asked.add_left(session.as_str(), topup, error.to_string()),
        }
        Ok(())
    }

    /// Checks that each of our top-ups in the period with a session was listed. Adds up their fees on the way.
    pub(crate) async fn topups_of_the_period(&mut self) -> Result<(), StoreError> {
        let mut fees = crate::reconcile::fees::FeeCount::default();
        let mut after = (self.since_ms, String::new());
        loop {
            let page =
                self.app.db.compared_topups((after.0, &after.1), self.until_ms, ROWS, self.app.provider.name).await?;
            let Some(last) = page.last() else { break };
            after = (last.created_at, last.id.clone());
            for topup in page {
                fees.add(&topup)?;
                // If the list was not read to its end, nothing can be called missing; but top-ups that may have been
                // paid are checked.
                let may_be_paid = matches!(topup.state.as_str(), "open" | "processing");
                if self.checkouts_are_listed || (may_be_paid && !self.refused.contains("checkouts")) {
                    self.check_listed(&topup).await?;
                }
            }
        }
        fees.conclude(&mut self.report.fees);
        Ok(())
    }

    /// Checks top-ups from before the period that have no final state.
    pub(crate) async fn unfinished_topups(&mut self) -> Result<(), StoreError> {
        let mut after = (i64::MIN, String::new());
        loop {
            let page =
                self.app.db.unfinished_topups((after.0, &after.1), self.since_ms, ROWS, self.app.provider.name).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.created_at, last.id.clone());
            for topup in page {
                self.check_listed(&topup).await?;
            }
        }
    }

    async fn check_listed(&mut self, topup: &ComparedTopup) -> Result<(), StoreError> {
        let Some(session) = &topup.provider_session_id else { return Ok(()) };
        let session = SessionId::parse(self.app.provider.name, session.as_str())
            .map_err(|_| StoreError::corrupt("session id", session))?;
        let id = TopupId::parse(&topup.id).map_err(|_| StoreError::corrupt("top-up id", &topup.id))?;
        if self.sessions_seen.contains(&session) || !self.may_ask() {
            return Ok(());
        }
        let app = self.app;
        let asked = self.asker.ask(|| app.provider.checkouts.read_checkout(&session)).await;
        let name = Some(topup.id.as_str());
        match asked {
            Ok(Some(report)) if report.topup == id => self.checkout(report).await?,
            Ok(_) => {
                let detail = "Stripe says that this checkout belongs to something else";
                self.report.differences.add_left(session.as_str(), name, detail);
            }
            Err(ProviderError::Unknown(_)) => {
                let detail = format!("{} here, and Stripe does not know it", topup.state);
                self.report.unknown_at_provider.add_left(session.as_str(), name, detail);
            }
            Err(error) => self.report.not_asked.add_left(session.as_str(), name, error.to_string()),
        }
        Ok(())
    }
}

/// Whether a top-up is credited although its listed session is not paid.
fn contradicts(report: &PurchaseReport, found: &AgreedTopup) -> bool {
    found.state == TopupState::Paid
        && found.agreement.session.as_ref() == Some(&report.session)
        && report.progress != PurchaseProgress::Paid
}
