//! The rows of plans and of their prices.

use std::collections::BTreeMap;

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::currency::Currency;
use crate::domain::ids::PriceId;
use crate::domain::period_credits::PlanCredits;
use crate::domain::plan::{Interval, IntervalUnit, Plan, PlanId, Rollover};
use crate::domain::provider::ProviderName;
use crate::domain::tax::TaxBehavior;

/// More plans than a price list has.
const MAX_PLANS: i64 = 500;

statements! {
    PLANS = "SELECT id, name, interval_unit, interval_count, credits_per_period, rollover, rollover_cap, trial_days, \
        trial_credits, is_active, provider_product_id, created_at, updated_at FROM plans ORDER BY id LIMIT :limit";
    PLAN = "SELECT id, name, interval_unit, interval_count, credits_per_period, rollover, rollover_cap, trial_days, \
        trial_credits, is_active, provider_product_id, created_at, updated_at FROM plans WHERE id = :plan";
    CURRENT_PRICES = "SELECT provider_price_id, plan_id, currency, amount, fee_amount, tax_behavior, \
        provider_fee_price_id FROM \
        plan_prices WHERE is_current = 1 AND provider = :provider ORDER BY plan_id, currency LIMIT :limit";
    CURRENT_PRICES_OF = "SELECT provider_price_id, plan_id, currency, amount, fee_amount, tax_behavior, \
        provider_fee_price_id FROM \
        plan_prices WHERE is_current = 1 AND provider = :provider AND plan_id = :plan ORDER BY currency LIMIT :limit";
    PRICE = "SELECT provider_price_id, plan_id, currency, amount, fee_amount, tax_behavior, \
        provider_fee_price_id FROM plan_prices \
        WHERE provider_price_id = :price AND provider = :provider";
    PUT = "INSERT INTO plans (id, name, interval_unit, interval_count, credits_per_period, rollover, rollover_cap, \
        trial_days, trial_credits, is_active, provider, provider_product_id, created_at, updated_at) VALUES (:id, :name, \
        :unit, :count, :credits, :rollover, :cap, :trial_days, :trial_credits, :is_active, :provider, :product, :now_ms, \
        :now_ms) ON CONFLICT (id) DO UPDATE SET name = excluded.name, interval_unit = excluded.interval_unit, \
        interval_count = excluded.interval_count, credits_per_period = excluded.credits_per_period, \
        rollover = excluded.rollover, rollover_cap = excluded.rollover_cap, trial_days = excluded.trial_days, \
        trial_credits = excluded.trial_credits, is_active = excluded.is_active, \
        provider_product_id = excluded.provider_product_id, updated_at = excluded.updated_at";
    RETIRE_PRICES = "UPDATE plan_prices SET is_current = 0 WHERE plan_id = :plan AND is_current = 1";
    PUT_PRICE = "INSERT INTO plan_prices (provider_price_id, provider, plan_id, currency, amount, fee_amount, \
        tax_behavior, provider_fee_price_id, is_current, created_at) VALUES (:price, :provider, :plan, :currency, :amount, \
        :fee_amount, :tax, :fee_price, 1, :now_ms) ON CONFLICT (provider_price_id, provider) DO UPDATE SET \
        is_current = 1, fee_amount = excluded.fee_amount, tax_behavior = excluded.tax_behavior, \
        provider_fee_price_id = excluded.provider_fee_price_id";
    CREDITS_OF_PRICE = "SELECT p.id, p.credits_per_period, p.trial_credits, p.rollover, p.rollover_cap \
        FROM plan_prices c JOIN plans p ON p.id = c.plan_id \
        WHERE c.provider_price_id = :price AND c.provider = :provider";
}

#[derive(sqlx::FromRow)]
struct PlanRow {
    id: String,
    name: String,
    interval_unit: String,
    interval_count: i64,
    credits_per_period: i64,
    rollover: String,
    rollover_cap: Option<i64>,
    trial_days: i64,
    trial_credits: i64,
    is_active: i64,
    provider_product_id: String,
    created_at: i64,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct PriceRow {
    provider_price_id: String,
    plan_id: String,
    currency: String,
    amount: i64,
    fee_amount: i64,
    tax_behavior: Option<String>,
    provider_fee_price_id: Option<String>,
}

#[derive(sqlx::FromRow)]
struct CreditsRow {
    id: String,
    credits_per_period: i64,
    trial_credits: i64,
    rollover: String,
    rollover_cap: Option<i64>,
}

/// A price of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanPrice {
    /// The provider's price.
    pub id: PriceId,
    /// The plan.
    pub plan: PlanId,
    /// The currency.
    pub currency: Currency,
    /// What a period costs, in minor units.
    pub amount_minor: i64,
    /// The fee line beside it; 0 for none.
    pub fee_minor: i64,
    /// Whether both contain tax; `None` if none is charged.
    pub tax: Option<TaxBehavior>,
    /// The price of the fee line.
    pub fee_price: Option<PriceId>,
}

/// A plan as it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedPlan {
    /// The plan.
    pub plan: Plan,
    /// Its product at the provider.
    pub product: String,
    /// Its prices in force, in the order of currencies.
    pub prices: Vec<PlanPrice>,
    /// When it was first applied, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it was last applied with a change.
    pub updated_at_ms: i64,
}

impl AppliedPlan {
    /// The price in a currency.
    #[must_use]
    pub fn price_in(&self, currency: Currency) -> Option<&PlanPrice> {
        self.prices.iter().find(|price| price.currency == currency)
    }
}

fn rollover(plan: &str, name: &str, cap: Option<i64>) -> Result<Rollover, StoreError> {
    Rollover::of(name, cap).ok_or_else(|| StoreError::corrupt("rollover of plan", plan))
}

fn plan_id(text: &str) -> Result<PlanId, StoreError> {
    PlanId::parse(text).map_err(|_| StoreError::corrupt("id of a plan:", text))
}

impl PlanRow {
    fn applied(self, prices: Vec<PlanPrice>) -> Result<AppliedPlan, StoreError> {
        let unit = IntervalUnit::parse(&self.interval_unit);
        let unit = unit.ok_or_else(|| StoreError::corrupt("interval of plan", &self.id))?;
        let plan = Plan {
            id: plan_id(&self.id)?,
            interval: Interval { unit, count: self.interval_count },
            credits_per_period: self.credits_per_period,
            rollover: rollover(&self.id, &self.rollover, self.rollover_cap)?,
            trial_days: self.trial_days,
            trial_credits: self.trial_credits,
            is_active: self.is_active == 1,
            amounts: prices.iter().map(|price| (price.currency, price.amount_minor)).collect::<BTreeMap<_, _>>(),
            name: self.name,
        };
        let (created_at_ms, updated_at_ms) = (self.created_at, self.updated_at);
        Ok(AppliedPlan { plan, product: self.provider_product_id, prices, created_at_ms, updated_at_ms })
    }
}

impl PriceRow {
    fn read(self, provider: ProviderName) -> Result<PlanPrice, StoreError> {
        let price = |id: String| PriceId::parse(provider, id).map_err(|error| StoreError::corrupt("price", error));
        Ok(PlanPrice {
            id: price(self.provider_price_id)?,
            plan: plan_id(&self.plan_id)?,
            currency: Currency::parse(&self.currency).map_err(|error| StoreError::corrupt("currency", error))?,
            amount_minor: self.amount,
            fee_minor: self.fee_amount,
            tax: self
                .tax_behavior
                .map(|text| TaxBehavior::parse(&text).ok_or_else(|| StoreError::corrupt("tax behaviour", &text)))
                .transpose()?,
            fee_price: self.provider_fee_price_id.map(price).transpose()?,
        })
    }
}

impl Db {
    /// All plans, in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plans(&self, provider: ProviderName) -> Result<Vec<AppliedPlan>, StoreError> {
        let rows: Vec<PlanRow> = self.read_all(&PLANS, &args![limit = MAX_PLANS]).await?;
        let limit = MAX_PLANS.saturating_mul(20);
        let prices: Vec<PriceRow> = self.read_all(&CURRENT_PRICES, &args![provider = provider.as_str(), limit]).await?;
        let mut by_plan: BTreeMap<String, Vec<PlanPrice>> = BTreeMap::new();
        for price in prices {
            by_plan.entry(price.plan_id.clone()).or_default().push(price.read(provider)?);
        }
        rows.into_iter()
            .map(|row| {
                let prices = by_plan.remove(&row.id).unwrap_or_default();
                row.applied(prices)
            })
            .collect()
    }

    /// A plan.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan(&self, provider: ProviderName, plan: &PlanId) -> Result<Option<AppliedPlan>, StoreError> {
        let row: Option<PlanRow> = self.read_optional(&PLAN, &args![plan = plan.as_str()]).await?;
        let Some(row) = row else { return Ok(None) };
        let values = args![provider = provider.as_str(), plan = plan.as_str(), limit = MAX_PLANS];
        let prices: Vec<PriceRow> = self.read_all(&CURRENT_PRICES_OF, &values).await?;
        let prices = prices.into_iter().map(|price| price.read(provider)).collect::<Result<Vec<_>, _>>()?;
        row.applied(prices).map(Some)
    }

    /// A price of a plan, also a former one; `None` if it is no plan's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan_price(&self, price: &PriceId) -> Result<Option<PlanPrice>, StoreError> {
        let values = args![price = price.as_str(), provider = price.provider().as_str()];
        let row: Option<PriceRow> = self.read_optional(&PRICE, &values).await?;
        row.map(|row| row.read(*price.provider())).transpose()
    }
}

/// The plan that a price belongs to, and what decides about its credits; `None` if it is no plan's.
///
/// # Errors
/// When the database fails.
pub(crate) async fn credits_of_price(
    tx: &mut Tx,
    price: &PriceId,
) -> Result<Option<(PlanId, PlanCredits)>, StoreError> {
    let values = args![price = price.as_str(), provider = price.provider().as_str()];
    let row: Option<CreditsRow> = tx.fetch_optional(&CREDITS_OF_PRICE, &values).await?;
    let Some(row) = row else { return Ok(None) };
    let credits = PlanCredits {
        per_period: row.credits_per_period,
        trial: row.trial_credits,
        rollover: rollover(&row.id, &row.rollover, row.rollover_cap)?,
    };
    Ok(Some((plan_id(&row.id)?, credits)))
}

/// Stores a plan and its prices in force. Former prices stay, because subscriptions may run on them.
///
/// # Errors
/// When the database fails.
pub(crate) async fn put(
    tx: &mut Tx,
    plan: &Plan,
    product: &str,
    provider: ProviderName,
    prices: &[PlanPrice],
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        id = plan.id.as_str(),
        name = plan.name.as_str(),
        unit = plan.interval.unit.as_str(),
        count = plan.interval.count,
        credits = plan.credits_per_period,
        rollover = plan.rollover.as_str(),
        cap = plan.rollover.cap(),
        trial_days = plan.trial_days,
        trial_credits = plan.trial_credits,
        is_active = plan.is_active,
        provider = provider.as_str(),
        product,
        now_ms
    ];
    tx.execute(&PUT, &values).await?;
    tx.execute(&RETIRE_PRICES, &args![plan = plan.id.as_str()]).await?;
    for price in prices {
        let values = args![
            price = price.id.as_str(),
            provider = provider.as_str(),
            plan = plan.id.as_str(),
            currency = price.currency.as_str(),
            amount = price.amount_minor,
            fee_amount = price.fee_minor,
            tax = price.tax.map(TaxBehavior::as_str),
            fee_price = price.fee_price.as_ref().map(PriceId::as_str),
            now_ms
        ];
        tx.execute(&PUT_PRICE, &values).await?;
    }
    Ok(())
}
