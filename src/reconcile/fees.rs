//! The provider's real fees: fetches missing ones and compares the sums with the expected fees.

use std::collections::BTreeMap;

use crate::db::StoreError;
use crate::domain::fee_fit::FeeSums;
use crate::domain::fees::RealFee;
use crate::domain::ids::PaymentId;
use crate::providers::port::PaymentOwner;
use crate::purchases::fee::fees::StoreFee;
use crate::reconcile::comparison::ComparedTopup;
use crate::reconcile::report::{CurrencyFees, FeeCase, FeeTruth};
use crate::reconcile::{App, Comparison};

/// The most fees to fetch in a run.
const MAX_FEES_LEARNED: i64 = 500;
/// The most charges to list whose fee differs from the expected one.
const MAX_WORST: usize = 10;

impl Comparison<'_> {
    /// Fetches the fees that no event announced. Fees move no credits: a missing fee is not reported as a difference.
    pub(crate) async fn learn_fees(&mut self) -> Result<(), StoreError> {
        if self.dry_run {
            return Ok(());
        }
        for payment in self.app.db.unknown_fees(self.since_ms, MAX_FEES_LEARNED, self.app.provider.name).await? {
            if self.asker.has_given_up() {
                return Ok(());
            }
            let id = PaymentId::parse(self.app.provider.name, payment.as_str());
            let id = id.map_err(|_| StoreError::corrupt("payment id", &payment))?;
            let app = self.app;
            match self.asker.ask(|| app.provider.payments.read_payment(&id)).await {
                Ok(Some(PaymentOwner { charge, fee: Some(fee), .. })) => {
                    store(app, &id, charge.map(|charge| charge.as_str().to_owned()), fee).await?;
                    self.report.fees.learned = self.report.fees.learned.saturating_add(1);
                }
                Ok(_) => {}
                // This applies to every payment, and the list of checkouts reports it.
                Err(error) if error.is_missing_permission() => return Ok(()),
                Err(error) => tracing::warn!(%payment, %error, "Stripe does not say what it kept of a payment"),
            }
        }
        Ok(())
    }
}

async fn store(app: &App, payment: &PaymentId, charge: Option<String>, fee: RealFee) -> Result<(), StoreError> {
    let (payment, now_ms) = (payment.clone(), app.clock.now_ms());
    app.db.write(StoreFee { payment, charge, fee, now_ms }).await
}

/// Sums of fees, added one top-up at a time. Those of different currencies never meet.
#[derive(Debug, Default)]
pub(crate) struct FeeCount {
    truth: FeeTruth,
    sums: BTreeMap<String, (CurrencyFees, FeeSums)>,
}

impl FeeCount {
    /// # Errors
    /// When a sum overflows.
    pub(crate) fn add(&mut self, topup: &ComparedTopup) -> Result<(), StoreError> {
        if topup.state != "paid" {
            return Ok(());
        }
        let Some(real) = topup.real_fee else {
            self.truth.unknown = self.truth.unknown.saturating_add(1);
            return Ok(());
        };
        if topup.real_fee_currency.as_deref() != Some(topup.currency.as_str()) {
            self.truth.in_other_currency = self.truth.in_other_currency.saturating_add(1);
            return Ok(());
        }
        let (fees, sums) = self.sums.entry(topup.currency.clone()).or_default();
        fees.charges = fees.charges.saturating_add(1);
        let too_large = || StoreError::corrupt("fees out of range at", &topup.id);
        fees.expected_minor = fees.expected_minor.checked_add(topup.expected_fee).ok_or_else(too_large)?;
        fees.real_minor = fees.real_minor.checked_add(real).ok_or_else(too_large)?;
        sums.add(i128::from(topup.total_amount), i128::from(real));
        if real != topup.expected_fee {
            fees.worst.push(FeeCase {
                topup_id: topup.id.clone(),
                charge_minor: topup.total_amount,
                expected_minor: topup.expected_fee,
                real_minor: real,
            });
            fees.worst.sort_by_key(|case| std::cmp::Reverse(case.real_minor.abs_diff(case.expected_minor)));
            fees.worst.truncate(MAX_WORST);
        }
        Ok(())
    }

    pub(crate) fn conclude(self, report: &mut FeeTruth) {
        let currencies = self.sums.into_iter().map(|(currency, (fees, sums))| {
            let fees = CurrencyFees { currency, ..fees };
            match sums.fit() {
                Ok(fit) => CurrencyFees {
                    fitting_rate_percent: Some(fit.rate_percent()),
                    fitting_fixed_minor: Some(fit.fixed_minor()),
                    ..fees
                },
                Err(reason) => CurrencyFees { no_fit: Some(reason.to_string()), ..fees },
            }
        });
        *report = FeeTruth { learned: report.learned, currencies: currencies.collect(), ..self.truth };
    }
}
