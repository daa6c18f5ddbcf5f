//! Compares subscriptions and their paid invoices with the provider's lists, and brings what an event has not. Does nothing
//! where no plan is sold.

use futures_util::FutureExt;

use crate::app::with_causes;
use crate::db::StoreError;
use crate::domain::subscription::{InvoiceReport, SubscriptionReport};
use crate::providers::port::{ProviderError, Resource};
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::reconcile::report::{Findings, Report};
use crate::reconcile::{Comparison, ROWS};
use crate::subscriptions::grant_rows::PeriodGrant;
use crate::subscriptions::refresh::{refresh, refresh_invoice};
use crate::subscriptions::subscription_rows::{Subscription, subscription_id};

/// Stripe's longest window of tries, in seconds.
const LONGEST_UNPAID_SECONDS: i64 = 62 * 86_400;

impl Comparison<'_> {
    /// Compares subscriptions first: an invoice of one that is not known yet is found by its subscription.
    pub(crate) async fn subscriptions(&mut self) -> Result<(), StoreError> {
        if !self.app.provider.capabilities.subscriptions || self.app.db.plans(self.app.provider.name).await?.is_empty()
        {
            return Ok(());
        }
        self.listed_subscriptions().await?;
        self.unfinished_subscriptions().await?;
        self.listed_invoices().await
    }

    async fn listed_subscriptions(&mut self) -> Result<(), StoreError> {
        let (app, since, mut after) = (self.app, self.since_seconds(), None::<String>);
        for _ in 0..self.max_pages {
            let page = self.asker.ask(|| {
                let after = after.clone();
                async move { app.provider.subscriptions.list_subscriptions(since, after.as_deref()).await }.boxed()
            });
            let page = match page.await {
                Ok(page) => page,
                Err(error) => {
                    self.list_failed("subscriptions", Resource::Subscriptions, &error);
                    return Ok(());
                }
            };
            for unreadable in page.unreadable {
                self.report.unreadable.add_left("subscription", None, unreadable);
            }
            for report in page.items {
                self.subscription(&report).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
        self.list_too_long("subscriptions");
        Ok(())
    }

    /// Reads those that were not listed because they are older, and can still change.
    async fn unfinished_subscriptions(&mut self) -> Result<(), StoreError> {
        let mut after = (i64::MIN, String::new());
        loop {
            let page = self.app.db.unfinished_subscriptions((after.0, &after.1), ROWS).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.created_at, last.provider_subscription_id.clone());
            for row in page {
                self.unfinished_subscription(&row).await?;
            }
        }
    }

    async fn unfinished_subscription(&mut self, row: &Subscription) -> Result<(), StoreError> {
        let id = subscription_id(self.app.provider.name, &row.provider_subscription_id)?;
        if self.subscriptions_seen.contains(id.as_str()) || !self.may_ask() {
            return Ok(());
        }
        let app = self.app;
        match self.asker.ask(|| app.provider.subscriptions.read_subscription(&id)).await {
            Ok(report) => self.subscription(&report).await,
            Err(ProviderError::Unknown(_)) => {
                let detail = format!("{} here, and Stripe does not know it", row.status);
                self.report.unknown_at_provider.add_left(id.as_str(), None, detail);
                Ok(())
            }
            Err(error) => {
                self.report.not_asked.add_left(id.as_str(), None, error.to_string());
                Ok(())
            }
        }
    }

    async fn subscription(&mut self, report: &SubscriptionReport) -> Result<(), StoreError> {
        let id = report.id.as_str();
        if !self.subscriptions_seen.insert(id.to_owned()) {
            return Ok(());
        }
        let row = self.app.db.subscription(&report.id).await?;
        if row.is_none() && self.app.db.account_of_customer(&report.customer).await?.is_none() {
            return Ok(());
        }
        self.report.subscriptions = self.report.subscriptions.saturating_add(1);
        let there = report.status.as_str();
        let detail = match &row {
            Some(row) if is_same(report, row) => return Ok(()),
            Some(row) if row.status != there => format!("subscription: {} here, {there} at Stripe", row.status),
            Some(_) => "subscription: its period or its end differs".to_owned(),
            None => format!("subscription: not here, {there} at Stripe"),
        };
        let app = self.app;
        let applied = if self.dry_run { None } else { Some(self.asker.ask(|| refresh(app, &report.id).boxed()).await) };
        if let Some(detail) = self.outcome(id, detail, applied)? {
            self.add(|report| &mut report.missing_states, id, detail);
        }
        Ok(())
    }

    async fn listed_invoices(&mut self) -> Result<(), StoreError> {
        // They are listed by when they were made, and paid after up to two months of tries.
        let since = self.since_seconds().saturating_sub(LONGEST_UNPAID_SECONDS);
        let (app, mut after) = (self.app, None::<String>);
        for _ in 0..self.max_pages {
            let page = self.asker.ask(|| {
                let after = after.clone();
                async move { app.provider.invoices.list_paid_invoices(since, after.as_deref()).await }.boxed()
            });
            let page = match page.await {
                Ok(page) => page,
                Err(error) => {
                    self.list_failed("invoices", Resource::Invoices, &error);
                    return Ok(());
                }
            };
            for unreadable in page.unreadable {
                self.report.unreadable.add_left("invoice", None, unreadable);
            }
            // The list begins with the latest.
            for report in page.items.into_iter().rev() {
                self.invoice(&report).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
        self.list_too_long("invoices");
        Ok(())
    }

    /// An invoice of another application, or of something else than a subscription, is none of ours.
    async fn invoice(&mut self, report: &InvoiceReport) -> Result<(), StoreError> {
        let (app, id) = (self.app, report.id.as_str());
        let Some(subscription) = &report.subscription else { return Ok(()) };
        let is_listed_only = self.dry_run && self.subscriptions_seen.contains(subscription.as_str());
        if app.db.subscription(subscription).await?.is_none() && !is_listed_only {
            return Ok(());
        }
        self.report.invoices = self.report.invoices.saturating_add(1);
        if app.db.invoice(&report.id).await?.is_some_and(|stored| stored.status == report.status.as_str()) {
            return Ok(());
        }
        let before = brought_by(&app.db.period_grants_of(subscription.as_str()).await?, id);
        let applied = if self.dry_run {
            None
        } else {
            Some(self.asker.ask(|| refresh_invoice(app, subscription, &report.id).boxed()).await)
        };
        let detail = format!("invoice paid at Stripe, of {subscription}");
        let Some(detail) = self.outcome(id, detail, applied)? else { return Ok(()) };
        let after = brought_by(&app.db.period_grants_of(subscription.as_str()).await?, id);
        let credits = after.saturating_sub(before);
        self.report.missing_credits_sum = self.report.missing_credits_sum.saturating_add(credits);
        let detail = format!("{detail}: {} credits", app.pricing.decimals().format(credits));
        self.add(|report| &mut report.missing_credits, id, detail);
        Ok(())
    }

    /// What to write down of something that was applied; `None` if it is written down already, or concerns nobody here.
    pub(super) fn outcome(
        &mut self,
        id: &str,
        detail: String,
        applied: Option<Result<EventOutcome, ApplyEventError>>,
    ) -> Result<Option<String>, StoreError> {
        match applied {
            None | Some(Ok(EventOutcome::Decided(_))) => Ok(Some(detail)),
            Some(Ok(EventOutcome::Foreign(_))) => Ok(None),
            Some(Ok(EventOutcome::Rejected(mismatch))) => {
                self.report.differences.add_left(id, None, mismatch.to_string());
                Ok(None)
            }
            Some(Err(ApplyEventError::Store(error))) => Err(error),
            Some(Err(error)) => {
                self.report.not_asked.add_left(id, None, with_causes(&error));
                Ok(None)
            }
        }
    }

    /// A dry run leaves the finding unsettled.
    pub(super) fn add(&mut self, findings: impl FnOnce(&mut Report) -> &mut Findings, id: &str, detail: String) {
        let is_left = self.dry_run;
        let findings = findings(&mut self.report);
        if is_left {
            findings.add_left(id, None, detail);
        } else {
            findings.add_settled(id, None, detail);
        }
    }
}

fn brought_by(grants: &[PeriodGrant], invoice: &str) -> i64 {
    let of_invoice = grants.iter().filter(|grant| grant.provider_invoice_id == invoice);
    of_invoice.fold(0_i64, |sum, grant| sum.saturating_add(grant.credits))
}

fn is_same(report: &SubscriptionReport, row: &Subscription) -> bool {
    let ms = |seconds: Option<i64>| seconds.map(|seconds| seconds.saturating_mul(1_000));
    let period_end = report.items.first().and_then(|item| item.period_end_seconds);
    let price = |text: &String| report.items.iter().any(|item| item.price.as_str() == text);
    row.status == report.status.as_str()
        && row.cancel_at == ms(report.cancel_at_seconds)
        && row.period_end == ms(period_end)
        && row.provider_price_id.as_ref().is_none_or(price)
}
