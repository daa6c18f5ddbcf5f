//! What can still be refunded of a payment: the amounts paid, refunded, disputed, and reserved by other requests.

use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};
use crate::domain::account::AccountId;
use crate::domain::currency::Currency;
use crate::domain::ids::{PaymentId, TopupId};
use crate::domain::refund::{PaidAs, Refundable};
use crate::domain::tax::Charged;
use crate::purchases::topups;

/// A top-up and one of its payments, as needed for a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundFacts {
    /// The account that bought the top-up.
    pub account: AccountId,
    /// The currency of the amounts, in lower case.
    pub currency: String,
    /// The payment; `None` if the top-up has none yet.
    pub payment: Option<PaymentId>,
    /// The amounts of the payment.
    pub refundable: Refundable,
}

statements! {
    /// A request counts while a process works on it, and while it is unknown whether its refund was made. After that
    /// the refund itself counts, or there is none. An open dispute blocks refunds; a lost one has taken its part. The
    /// charged amount is the agreed one, unless an operator accepted another.
    FACTS = "SELECT t.account_id, t.state, t.credits, t.bonus_credits, t.currency, t.credit_unit_credits, t.credit_unit_amount, \
        (SELECT MAX(a.charged_amount) FROM accepted_events a WHERE a.topup_id = t.id \
        AND (a.outcome = 'credited') = (p.state = 'credited')) AS accepted_amount, \
        t.total_amount, t.added_tax_amount, p.charged_amount, \
        p.provider, p.provider_payment_id, p.state AS role, \
        (SELECT CAST(COALESCE(SUM(r.amount), 0) AS BIGINT) FROM reversals r \
        WHERE r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider AND r.counts = 1 AND r.kind \
        = 'refund') AS refunded, \
        (SELECT CAST(COALESCE(SUM(r.amount - r.returned), 0) AS BIGINT) FROM reversals r \
        WHERE r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider AND r.counts = 1 AND r.kind \
        = 'dispute') AS disputed, \
        (SELECT COUNT(*) FROM reversals r \
        WHERE r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider AND r.kind = 'dispute' AND \
        r.status NOT IN ('won', 'lost', \
        'prevented', 'warning_needs_response', 'warning_under_review', 'warning_closed')) AS open_disputes, \
        (SELECT CAST(COALESCE(SUM(q.amount), 0) AS BIGINT) FROM refund_requests q \
        WHERE q.provider_payment_id = p.provider_payment_id AND q.provider = p.provider AND q.state = 'creating' \
        AND ((q.lease_until > :now_ms AND q.lease_until <= :latest_lease_ms) OR q.unknown_since IS NOT NULL OR \
        q.key_used_at IS NULL)) \
        AS pending, \
        COALESCE((SELECT g.remaining FROM grants g WHERE g.id = t.id), 0) AS unspent \
        FROM topups t LEFT JOIN payments p ON p.topup_id = t.id AND p.provider = t.provider \
        AND p.provider_payment_id = COALESCE(CAST(:payment AS TEXT), t.provider_payment_id) WHERE t.id = :topup";
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    provider: Option<String>,
    account_id: String,
    state: String,
    credits: i64,
    bonus_credits: i64,
    currency: String,
    credit_unit_credits: i64,
    credit_unit_amount: i64,
    accepted_amount: Option<i64>,
    total_amount: i64,
    added_tax_amount: i64,
    charged_amount: Option<i64>,
    provider_payment_id: Option<String>,
    role: Option<String>,
    refunded: i64,
    disputed: i64,
    open_disputes: i64,
    pending: i64,
    unspent: i64,
}

impl TryFrom<FactsRow> for RefundFacts {
    type Error = StoreError;

    fn try_from(row: FactsRow) -> Result<Self, StoreError> {
        let paid_as = match row.role.as_deref() {
            Some("credited") if row.state == "paid" => PaidAs::Credits,
            Some("surplus") => PaidAs::Surplus,
            _ => PaidAs::Nothing,
        };
        let currency = Currency::parse(&row.currency).map_err(|_| StoreError::corrupt("currency", &row.currency))?;
        let agreed = Charged::with_added_tax(row.total_amount, row.added_tax_amount);
        let of_surplus = row.charged_amount.filter(|_| paid_as == PaidAs::Surplus);
        let charged = of_surplus.or(row.accepted_amount).map_or(agreed, Charged::without_tax);
        let payment = row.provider.zip(row.provider_payment_id);
        let payment = payment.map(|(provider, id)| topups::payment_id(&provider, &id)).transpose()?;
        Ok(Self {
            account: topups::account(row.account_id)?,
            currency: row.currency,
            payment,
            refundable: Refundable {
                paid_as,
                credits: row.credits,
                bonus_credits: row.bonus_credits,
                unspent_credits: row.unspent,
                unit: topups::credit_unit(row.credit_unit_credits, row.credit_unit_amount)?,
                charged,
                refunded_minor: row.refunded,
                disputed_minor: row.disputed,
                has_open_dispute: row.open_disputes > 0,
                pending_minor: row.pending,
                step_minor: currency.step_minor(),
            },
        })
    }
}

/// The facts about the named payment, or else the one that credited the top-up. `None` if there is no such top-up.
///
/// # Errors
/// When the database fails.
pub async fn find(
    tx: &mut Tx,
    topup: &TopupId,
    payment: Option<&PaymentId>,
    now_ms: i64,
    latest_lease_ms: i64,
) -> Result<Option<RefundFacts>, StoreError> {
    let values = args![topup = topup.as_str(), payment = payment.map(PaymentId::as_str), now_ms, latest_lease_ms];
    tx.fetch_optional::<FactsRow>(&FACTS, &values).await?.map(RefundFacts::try_from).transpose()
}

impl Db {
    /// Like [`find`], outside a transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refund_facts(
        &self,
        topup: &TopupId,
        payment: Option<&PaymentId>,
        now_ms: i64,
        latest_lease_ms: i64,
    ) -> Result<Option<RefundFacts>, StoreError> {
        let values = args![topup = topup.as_str(), payment = payment.map(PaymentId::as_str), now_ms, latest_lease_ms];
        self.read_optional::<FactsRow>(&FACTS, &values).await?.map(RefundFacts::try_from).transpose()
    }
}
