//! Proves that the books are consistent: every balance follows from the ledger, every entry from its cause, every
//! top-up's credits from its payment, refunds and disputes. Does not use payloads, which are erased after some time.
//!
//! Invariants: it writes nothing, holds one page in memory, and may run while others write. Each page is a snapshot of
//! its own; a row that looks wrong is read again before it is reported.

use futures_util::future::BoxFuture;

use crate::books::audit_limits::AuditedLimit;
use crate::books::audit_queries::{AuditedAccount, AuditedAdjustment, AuditedEntry, AuditedReversal, AuditedTopup};
use crate::books::audit_report::{AuditReport, Difference, PAGE};
use crate::books::audit_spending::{AuditedFunds, AuditedSpend};
use crate::books::audit_subscriptions::AuditedPeriod;
use crate::books::audited::{Audited, first_broken};
use crate::books::auto_topup_rules;
use crate::books::replay::replay;
use crate::books::usage::audit_usage::audit_usage;
use crate::db::{Db, StoreError};
use crate::domain::bonus::bonus_taken;
use crate::domain::checkout::TopupState;
use crate::domain::credit_unit::CreditUnit;
use crate::domain::ledger::EntryKind;
use crate::domain::payment::PaymentRole;
use crate::domain::reversal::{DisputeReport, RefundStatus, credits_taken};
use crate::domain::tax::Charged;
use crate::messages::message_rules;

/// Recomputes everything. With `is_replay`, also every part of every spend from the burn order.
///
/// # Errors
/// When the database fails.
pub async fn audit(db: &Db, is_replay: bool) -> Result<AuditReport, StoreError> {
    let mut report = AuditReport::default();
    report.accounts = walk::<AuditedAccount>(db, &mut report).await?;
    report.entries = walk::<AuditedEntry>(db, &mut report).await?;
    report.topups = walk::<AuditedTopup>(db, &mut report).await?;
    report.reversals = walk::<AuditedReversal>(db, &mut report).await?;
    report.adjustments = walk::<AuditedAdjustment>(db, &mut report).await?;
    report.spends = walk::<AuditedSpend>(db, &mut report).await?;
    walk::<AuditedFunds>(db, &mut report).await?;
    walk::<AuditedLimit>(db, &mut report).await?;
    walk::<AuditedPeriod>(db, &mut report).await?;
    report.usage_hours = audit_usage(db, &mut report).await?;
    audit_rules(db, &mut report).await?;
    if is_replay {
        replay(db, &mut report).await?;
    }
    Ok(report)
}

/// Checks that a message exists exactly if its cause does, and that charges of saved cards agree with their purchases.
async fn audit_rules(db: &Db, report: &mut AuditReport) -> Result<(), StoreError> {
    for (about, rules) in [("messages", &message_rules::RULES[..]), ("auto top-ups", &auto_topup_rules::RULES)] {
        for (rule, wrong) in db.broken_among(rules).await? {
            report.add(Difference { id: about.to_owned(), detail: format!("not so for {wrong}: {rule}") });
        }
    }
    Ok(())
}

/// Reads all rows of one type, page by page. Returns their number.
async fn walk<T: Audited>(db: &Db, report: &mut AuditReport) -> Result<u64, StoreError> {
    let (mut from, mut count, mut is_first) = (T::Key::default(), 0_u64, true);
    loop {
        let mut page = T::read(db, from.clone(), PAGE).await?;
        // A page begins with the last row of the previous one.
        if !is_first && page.first().is_some_and(|row| row.key() == from) {
            page.remove(0);
        }
        let Some(last) = page.last() else { return Ok(count) };
        (from, is_first) = (last.key(), false);
        for row in page {
            count = count.saturating_add(1);
            if row.judge().is_some() {
                look_again::<T>(db, &row.key(), report).await?;
            }
        }
    }
}

async fn look_again<T: Audited>(db: &Db, key: &T::Key, report: &mut AuditReport) -> Result<(), StoreError> {
    let row = T::read(db, key.clone(), 1).await?.into_iter().next();
    let Some((row, detail)) = row.filter(|row| row.key() == *key).and_then(|row| row.judge().map(|why| (row, why)))
    else {
        return Ok(());
    };
    report.add(Difference { id: row.name(), detail });
    Ok(())
}

impl Audited for AuditedAccount {
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn read(db: &Db, from: String, limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.audited_accounts(&from, limit).await })
    }

    fn name(&self) -> String {
        format!("account {}", self.id)
    }

    fn judge(&self) -> Option<String> {
        first_broken([
            (self.balance == self.sum, format!("has {}, its entries add up to {}", self.balance, self.sum)),
            (self.used_credits == self.spent, format!("spent {}, its entries say {}", self.used_credits, self.spent)),
            (
                self.entries == self.count && self.count == self.highest,
                format!("{} entries are counted, {} are there, the last is {}", self.entries, self.count, self.highest),
            ),
            (self.broken == 0, format!("{} entries do not follow from the one before", self.broken)),
        ])
    }
}

impl Audited for AuditedEntry {
    type Key = (String, i64);

    fn key(&self) -> (String, i64) {
        (self.account_id.clone(), self.sequence)
    }

    fn read(db: &Db, from: (String, i64), limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.audited_entries((&from.0, from.1), limit).await })
    }

    fn name(&self) -> String {
        format!("entry {} (account {}, number {})", self.id, self.account_id, self.sequence)
    }

    fn judge(&self) -> Option<String> {
        let (account, source) = (Some(self.account_id.as_str()), &self.source);
        let is_topups = self.topup_account.as_deref() == account;
        let is_paid = self.topup_state.as_deref() == Some(TopupState::Paid.as_str());
        let rule = if self.kind == EntryKind::Topup.as_str() {
            let holds = is_topups && is_paid && self.topup_credits == Some(self.credits);
            (holds, format!("grants {} credits, its top-up {source} says otherwise", self.credits))
        } else if self.kind == EntryKind::Bonus.as_str() {
            let of_topup = self.topup_id.as_ref() == Some(source) && self.topup_bonus == Some(self.credits);
            let holds = is_topups && is_paid && of_topup;
            (holds, format!("grants a bonus of {} credits, its top-up {source} says otherwise", self.credits))
        } else if [EntryKind::Reversal.as_str(), EntryKind::BonusReversal.as_str()].contains(&self.kind.as_str()) {
            let of_topup = self.topup_id.as_ref().is_some_and(|topup| source.starts_with(&format!("{topup}:")));
            (is_topups && is_paid && of_topup, format!("is no reversal of a paid top-up of this account: {source}"))
        } else if self.kind == EntryKind::Adjustment.as_str() {
            let holds = self.adjustment_account.as_deref() == account
                && self.adjustment_credits == Some(self.credits)
                && self.adjustment_balance == Some(self.balance_after);
            (holds, format!("moves {} credits, its adjustment {source} says otherwise", self.credits))
        } else if self.kind == EntryKind::Spend.as_str() {
            let is_part = self.spend_account.as_deref() == account
                && self
                    .spend_first
                    .zip(self.spend_parts)
                    .is_some_and(|(first, parts)| (first..first.saturating_add(parts)).contains(&self.sequence));
            (is_part && self.credits < 0, format!("is no part of its spend {source}"))
        } else if self.kind == EntryKind::SpendRefund.as_str() {
            let is_of_account = self.refund_account.as_deref() == account;
            let holds = is_of_account && self.refund_credits == Some(self.credits);
            (holds, format!("gives back {} credits, its refund {source} says otherwise", self.credits))
        } else if [EntryKind::Expiry.as_str(), EntryKind::Void.as_str()].contains(&self.kind.as_str()) {
            let of_grant = self.grant_id.as_ref().is_some_and(|grant| source.starts_with(&format!("{grant}:")));
            let is_of_account = self.grant_account.as_deref() == account;
            (of_grant && is_of_account && self.credits < 0, format!("ends no grant of this account: {source}"))
        } else if self.kind == EntryKind::Promotion.as_str() {
            let holds = self.promotion_account.as_deref() == account
                && self.promotion_credits == Some(self.credits)
                && self.promotion_balance == Some(self.balance_after);
            (holds, format!("gives {} credits, its promotion {source} says otherwise", self.credits))
        } else if self.kind == EntryKind::Subscription.as_str() {
            let holds = self.period_account.as_deref() == account && self.period_credits == Some(self.credits);
            (holds, format!("brings {} credits, its period {source} says otherwise", self.credits))
        } else if self.kind == EntryKind::SubscriptionReversal.as_str() {
            (self.period_account.as_deref() == account, format!("is no reversal of a period here: {source}"))
        } else {
            (false, format!("is of no known kind: {}", self.kind))
        };
        first_broken([rule])
    }
}

impl Audited for AuditedTopup {
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn read(db: &Db, from: String, limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.audited_topups(&from, limit).await })
    }

    fn name(&self) -> String {
        format!("top-up {}", self.id)
    }

    fn judge(&self) -> Option<String> {
        let is_paid = self.state == TopupState::Paid.as_str();
        // The table's own checks refuse any other unit.
        let Some(unit) = CreditUnit::new(self.credit_unit_credits, self.credit_unit_amount) else {
            return Some(format!("sells {} credits for {}", self.credit_unit_credits, self.credit_unit_amount));
        };
        let charged = Charged::with_added_tax(self.total_amount, self.added_tax_amount);
        let reversed = charged.net_minor(self.reversed);
        let taken = if is_paid { credits_taken(self.credits, unit, reversed) } else { 0 };
        let bonus = if is_paid { bonus_taken(self.bonus_credits, self.credits, self.taken_credits) } else { 0 };
        let is_credited = self.payment_state.as_deref() == Some(PaymentRole::Credited.as_str());
        let payment_known = is_paid && self.provider_payment_id.is_some();
        let of_this = self.payment_topup.as_ref().is_none_or(|topup| *topup == self.id);
        first_broken([
            (
                self.granted == i64::from(is_paid),
                format!("is {} and has {} entries that grant its credits", self.state, self.granted),
            ),
            (
                self.taken_credits == taken,
                format!(
                    "{} credits are taken back, its refunds and disputes of {} say {taken}",
                    self.taken_credits, self.reversed
                ),
            ),
            (
                self.taken_credits.checked_neg() == Some(self.moved),
                format!("{} credits are taken back, its entries moved {}", self.taken_credits, self.moved),
            ),
            (
                self.bonus_granted == i64::from(is_paid && self.bonus_credits > 0),
                format!(
                    "is {} with a bonus of {}, and has {} entries that grant it",
                    self.state, self.bonus_credits, self.bonus_granted
                ),
            ),
            (
                bonus.checked_neg() == Some(self.bonus_moved),
                format!(
                    "its entries moved {} of its bonus, the {} credits that are taken back say {bonus}",
                    self.bonus_moved, self.taken_credits
                ),
            ),
            (
                self.credited_payments == i64::from(payment_known) && is_credited == payment_known && of_this,
                format!("is {}, and its payments do not say so", self.state),
            ),
        ])
    }
}

impl Audited for AuditedReversal {
    type Key = (String, String);

    fn key(&self) -> (String, String) {
        (self.provider_reversal_id.clone(), self.provider.clone())
    }

    fn read(db: &Db, from: (String, String), limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.audited_reversals((&from.0, &from.1), limit).await })
    }

    fn name(&self) -> String {
        format!("{} {}", self.kind, self.provider_reversal_id)
    }

    fn judge(&self) -> Option<String> {
        let follows = if self.kind == "refund" {
            RefundStatus::parse(&self.status)
                .is_some_and(|status| i64::from(status.counts()) == self.counts && status.stage() == self.stage)
        } else {
            // The status alone does not tell where a chargeback's money is; but a won dispute never takes all of it.
            let can_take = !DisputeReport::never_takes(&self.status);
            self.counts == 0 || (can_take && (self.status != "won" || self.returned > 0))
        };
        let counts = if self.counts == 1 { "takes" } else { "does not take" };
        // Only a dispute's money can be partly back, and never all of it while the dispute counts.
        let can_be_returned = self.kind == "dispute" && self.counts == 1 && self.returned < self.amount;
        first_broken([
            (
                self.returned == 0 || can_be_returned,
                format!("is {} and {} of its {} are said to be back", self.status, self.returned, self.amount),
            ),
            (follows, format!("is {} and {counts} its money", self.status)),
            (
                self.currency == self.topup_currency,
                format!("is in {}, its purchase in {}", self.currency, self.topup_currency),
            ),
        ])
    }
}

impl Audited for AuditedAdjustment {
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn read(db: &Db, from: String, limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.audited_adjustments(&from, limit).await })
    }

    fn name(&self) -> String {
        format!("adjustment {}", self.id)
    }

    fn judge(&self) -> Option<String> {
        // Whether entry and adjustment agree is checked with the entry.
        first_broken([(self.booked == 1, format!("has {} entries", self.booked))])
    }
}

impl Audited for AuditedSpend {
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn read(db: &Db, from: String, limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.audited_spends(&from, limit).await })
    }

    fn name(&self) -> String {
        format!("spend {}", self.id)
    }

    fn judge(&self) -> Option<String> {
        first_broken(self.rules())
    }
}

impl Audited for AuditedFunds {
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn read(db: &Db, from: String, limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.audited_funds(&from, limit).await })
    }

    fn name(&self) -> String {
        format!("account {}", self.id)
    }

    fn judge(&self) -> Option<String> {
        first_broken(self.rules())
    }
}

impl Audited for AuditedLimit {
    type Key = (String, String, String);

    fn key(&self) -> (String, String, String) {
        (self.account_id.clone(), self.subject.clone(), self.period.clone())
    }

    fn read(db: &Db, from: (String, String, String), limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.audited_limits((&from.0, &from.1, &from.2), limit).await })
    }

    fn name(&self) -> String {
        let whose = if self.subject.is_empty() { String::new() } else { format!(" of {}", self.subject) };
        format!("{} limit{whose} (account {})", self.period, self.account_id)
    }

    fn judge(&self) -> Option<String> {
        first_broken(self.rules())
    }
}
