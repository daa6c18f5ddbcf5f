//! What can be sent to the bank about a dispute, in the terms of Stripe's evidence fields.
//!
//! Card networks ask who bought, from where, what was delivered and when, and that it was used. All of that is kept with
//! the purchase and in the books; personal data that was erased is missing.

use serde::Serialize;

use crate::console::words::{at, money, of_credits};
use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;
use crate::domain::credit_unit::DisplayDecimals;
use crate::domain::ids::TopupId;
use crate::domain::payer::Payer;
use crate::domain::timestamp::rfc3339;

/// How many uses of credits are listed: the first ones and the latest ones. Stripe takes 150,000 characters of text.
const FIRST_USES: i64 = 100;
const LATEST_USES: i64 = 200;
/// How many earlier purchases are listed.
const EARLIER: i64 = 25;

statements! {
    DISPUTE = "SELECT r.provider_reversal_id, r.provider_payment_id, r.amount, r.currency, r.status, r.reason, \
        r.evidence_due_at, r.created_at, t.id AS topup_id, t.account_id, t.credits, t.bonus_credits, t.credits_amount, \
        t.fee_amount, t.total_amount + t.added_tax_amount \
        AS total_amount, t.added_tax_amount, t.tax_amount, t.fee_label, t.created_at AS ordered_at, t.paid_at, t.provider_session_id, \
        a.consent_version, a.consented_at FROM reversals r CROSS JOIN payments p CROSS JOIN topups t \
        LEFT JOIN auto_topup_attempts a ON a.topup_id = t.id \
        WHERE r.provider_reversal_id = :id AND r.kind = 'dispute' \
        AND p.provider_payment_id = r.provider_payment_id AND p.provider = r.provider AND t.id = p.topup_id LIMIT 1";
    OF_TOPUP = "SELECT r.provider_reversal_id AS name FROM payments p CROSS JOIN reversals r WHERE p.topup_id = :topup \
        AND r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider AND r.kind = 'dispute' \
        ORDER BY r.created_at DESC, r.provider_reversal_id DESC LIMIT 1";
    FIRST = "SELECT created_at, credits, refunded_credits, operation, subject FROM spends \
        WHERE account_id = :account AND created_at >= :from_ms ORDER BY created_at, id LIMIT :limit";
    LATEST = "SELECT created_at, credits, refunded_credits, operation, subject FROM spends \
        WHERE account_id = :account AND created_at > :from_ms ORDER BY created_at DESC, id DESC LIMIT :limit";
    /// Purchases of the same account that nobody disputes.
    EARLIER_PURCHASES = "SELECT t.id, t.provider_payment_id, t.paid_at, t.total_amount + t.added_tax_amount AS total_amount, t.currency, y.email, \
        y.client_ip, y.user_agent, y.card_last4 FROM topups t LEFT JOIN payers y ON y.topup_id = t.id \
        WHERE t.account_id = :account AND t.created_at < :before_ms AND t.state || '' = 'paid' AND NOT EXISTS \
        (SELECT 1 FROM payments p CROSS JOIN reversals r WHERE p.topup_id = t.id \
        AND r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider AND r.kind = 'dispute') \
        ORDER BY t.created_at DESC, t.id DESC LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct DisputeRow {
    provider_reversal_id: String,
    provider_payment_id: String,
    amount: i64,
    currency: String,
    status: String,
    reason: Option<String>,
    evidence_due_at: Option<i64>,
    created_at: i64,
    topup_id: String,
    account_id: String,
    credits: i64,
    bonus_credits: i64,
    credits_amount: i64,
    fee_amount: i64,
    total_amount: i64,
    added_tax_amount: i64,
    tax_amount: i64,
    fee_label: String,
    ordered_at: i64,
    paid_at: Option<i64>,
    provider_session_id: Option<String>,
    /// The consent that the saved card was charged with, without a page.
    consent_version: Option<String>,
    consented_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Named {
    name: String,
}

#[derive(sqlx::FromRow)]
struct UseRow {
    created_at: i64,
    credits: i64,
    refunded_credits: i64,
    operation: String,
    subject: String,
}

#[derive(sqlx::FromRow)]
struct EarlierRow {
    id: String,
    provider_payment_id: Option<String>,
    paid_at: Option<i64>,
    total_amount: i64,
    currency: String,
    email: Option<String>,
    client_ip: Option<String>,
    user_agent: Option<String>,
    card_last4: Option<String>,
}

/// The evidence for one dispute. The names of `evidence` are Stripe's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DisputeEvidence {
    /// The dispute.
    pub dispute_id: String,
    /// The payment.
    pub payment_id: String,
    /// The top-up.
    pub topup_id: String,
    /// The account.
    pub account_id: String,
    /// The disputed amount, in minor units.
    pub amount: i64,
    /// Its currency.
    pub currency: String,
    /// The provider's status.
    pub status: String,
    /// The provider's code for the reason.
    pub reason: Option<String>,
    /// Until when evidence can be sent.
    pub evidence_due_at: Option<String>,
    /// The fields to send.
    pub evidence: EvidenceFields,
}

/// Stripe's fields for evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EvidenceFields {
    /// What was sold.
    pub product_description: String,
    /// The day on which it was delivered.
    pub service_date: Option<String>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The customer's e-mail address.
    pub customer_email_address: Option<String>,
    /// The address that the purchase was made from.
    pub customer_purchase_ip: Option<String>,
    /// When and for what the credits were used.
    pub access_activity_log: String,
    /// Everything else: account, program, card, order, earlier purchases.
    pub uncategorized_text: String,
}

/// Collects the evidence for a dispute, by the id of the dispute or of its top-up. `None` if there is none.
///
/// # Errors
/// When the database fails.
pub async fn dispute_evidence(
    db: &Db,
    id: &str,
    decimals: DisplayDecimals,
) -> Result<Option<DisputeEvidence>, StoreError> {
    let of_topup: Option<Named> = match TopupId::parse(id) {
        Ok(topup) => db.read_optional(&OF_TOPUP, &args![topup = topup.as_str()]).await?,
        Err(_) => None,
    };
    let id = of_topup.map_or_else(|| id.to_owned(), |row| row.name);
    let found: Option<DisputeRow> = db.read_optional(&DISPUTE, &args![id = id.as_str()]).await?;
    let Some(row) = found else { return Ok(None) };
    let topup = TopupId::parse(&row.topup_id).map_err(|_| StoreError::corrupt("top-up id", &row.topup_id))?;
    let payer = db.payer_of(&topup).await?.unwrap_or_default();
    let account = AccountId::parse(&row.account_id).map_err(|_| StoreError::corrupt("account", &row.account_id))?;
    let account = account.as_str();
    let delivered_ms = row.paid_at.unwrap_or(row.ordered_at);
    let values = args![account, from_ms = delivered_ms, limit = FIRST_USES];
    let first: Vec<UseRow> = db.read_all(&FIRST, &values).await?;
    let after_ms = first.last().map_or(delivered_ms, |last| last.created_at);
    let mut latest: Vec<UseRow> =
        db.read_all(&LATEST, &args![account, from_ms = after_ms, limit = LATEST_USES]).await?;
    latest.reverse();
    let values = args![account, before_ms = row.ordered_at, limit = EARLIER];
    let earlier: Vec<EarlierRow> = db.read_all(&EARLIER_PURCHASES, &values).await?;
    let evidence = EvidenceFields {
        product_description: product(&row, decimals),
        service_date: row.paid_at.and_then(rfc3339).and_then(|time| time.get(..10).map(str::to_owned)),
        customer_name: payer.name.clone(),
        customer_email_address: payer.email.clone(),
        customer_purchase_ip: payer.client_ip.clone(),
        access_activity_log: activity(&row, &first, &latest, decimals),
        uncategorized_text: rest(&row, &payer, &earlier),
    };
    Ok(Some(DisputeEvidence {
        dispute_id: row.provider_reversal_id,
        payment_id: row.provider_payment_id,
        topup_id: row.topup_id,
        account_id: row.account_id,
        amount: row.amount,
        currency: row.currency,
        status: row.status,
        reason: row.reason,
        evidence_due_at: row.evidence_due_at.and_then(rfc3339),
        evidence,
    }))
}

fn product(row: &DisputeRow, decimals: DisplayDecimals) -> String {
    let bonus = if row.bonus_credits > 0 {
        format!(" and {} as a bonus", of_credits(row.bonus_credits, decimals))
    } else {
        String::new()
    };
    let fee = if row.fee_amount > 0 {
        format!(" and {} \"{}\"", money(row.fee_amount, &row.currency), row.fee_label)
    } else {
        String::new()
    };
    let tax = match (row.added_tax_amount, row.tax_amount) {
        (0, 0) => String::new(),
        (0, tax) => format!(", with {} tax in it", money(tax, &row.currency)),
        (tax, _) => format!(" and {} tax", money(tax, &row.currency)),
    };
    format!(
        "{}{bonus}, prepaid credits for an online service, for {}: {} for the credits{fee}{tax}. They are delivered \
         electronically, to the customer's account {}, at the moment of the payment. Nothing is shipped.",
        of_credits(row.credits, decimals),
        money(row.total_amount, &row.currency),
        money(row.credits_amount, &row.currency),
        row.account_id
    )
}

fn activity(row: &DisputeRow, first: &[UseRow], latest: &[UseRow], decimals: DisplayDecimals) -> String {
    let mut lines = vec![format!("{}  ordered by account {}", at(row.ordered_at), row.account_id)];
    lines.extend(row.paid_at.map(|paid_ms| {
        format!("{}  paid; {} delivered to the account", at(paid_ms), of_credits(row.credits, decimals))
    }));
    if first.is_empty() {
        lines.push("No credits of the account were used since.".to_owned());
    }
    lines.extend(first.iter().map(|use_row| used(use_row, decimals)));
    if i64::try_from(latest.len()) == Ok(LATEST_USES) {
        lines.push("… (the latest uses follow)".to_owned());
    }
    lines.extend(latest.iter().map(|use_row| used(use_row, decimals)));
    lines.join("\n")
}

fn used(row: &UseRow, decimals: DisplayDecimals) -> String {
    let named = |label: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!(", {label} {}", plain(text)) }
    };
    let back = if row.refunded_credits > 0 {
        format!(", {} of them given back", of_credits(row.refunded_credits, decimals))
    } else {
        String::new()
    };
    let (operation, subject) = (named("for", &row.operation), named("by", &row.subject));
    format!("{}  used {}{operation}{subject}{back}", at(row.created_at), of_credits(row.credits, decimals))
}

fn rest(row: &DisputeRow, payer: &Payer, earlier: &[EarlierRow]) -> String {
    let unknown = || "not known".to_owned();
    let card = payer.card_last4.as_ref().map(|last4| {
        let (brand, country) = (payer.card_brand.as_deref(), payer.card_country.as_deref());
        format!("{} ending in {last4}, issued in {}", brand.unwrap_or("card"), country.unwrap_or("an unknown country"))
    });
    let (order, consent) = match row.consented_at {
        Some(consented_ms) => (
            "Ordered automatically, because the account's credits ran low".to_owned(),
            format!(
                "Consent: on {} the customer agreed, while signed in to the account, that the saved card is charged \
                 whenever the credits run low (version {} of the text).",
                at(consented_ms),
                plain(row.consent_version.as_deref().unwrap_or("unknown"))
            ),
        ),
        None => (
            format!("Checkout session: {}", row.provider_session_id.clone().unwrap_or_else(unknown)),
            "Consent: the customer asked for the purchase while signed in to the account, was shown the price, and \
             confirmed it on the payment page of the payment provider."
                .to_owned(),
        ),
    };
    let mut lines = vec![
        format!("Account: {}", row.account_id),
        format!("Order: {} of {}", row.topup_id, at(row.ordered_at)),
        order,
        format!("Payment: {}, disputed {}", row.provider_payment_id, at(row.created_at)),
        format!("Card: {}", card.unwrap_or_else(unknown)),
        format!("Program that ordered (user agent): {}", payer.user_agent.clone().unwrap_or_else(unknown)),
        consent,
    ];
    lines.push(if earlier.is_empty() {
        "Earlier undisputed purchases of the account: none.".to_owned()
    } else {
        "Earlier undisputed purchases of the account:".to_owned()
    });
    lines.extend(earlier.iter().map(|purchase| {
        let same =
            |label, one: &Option<String>, other: &Option<String>| (one.is_some() && one == other).then_some(label);
        let common: Vec<&str> = [
            same("e-mail", &purchase.email, &payer.email),
            same("IP address", &purchase.client_ip, &payer.client_ip),
            same("program", &purchase.user_agent, &payer.user_agent),
            same("card", &purchase.card_last4, &payer.card_last4),
        ]
        .into_iter()
        .flatten()
        .collect();
        let common = if common.is_empty() { String::new() } else { format!(", same {}", common.join(", ")) };
        format!(
            "{}  {}  {}  {}{common}",
            purchase.paid_at.map_or_else(unknown, at),
            money(purchase.total_amount, &purchase.currency),
            purchase.provider_payment_id.clone().unwrap_or_default(),
            purchase.id
        )
    }));
    lines.join("\n")
}

/// One line without control characters: the product wrote it.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

impl DisputeEvidence {
    /// The file's name.
    #[must_use]
    pub fn file_name(&self) -> String {
        let id = self.dispute_id.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_', "-");
        format!("evidence-{id}.txt")
    }

    /// Everything as one text, with a heading for each of Stripe's fields.
    #[must_use]
    pub fn text(&self) -> String {
        let fields = &self.evidence;
        let unknown = "(not known, or erased)";
        let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| unknown.to_owned());
        let due = self.evidence_due_at.as_deref().unwrap_or("not said");
        let head = format!(
            "Evidence for dispute {} over {}\nReason: {}. Status: {}. Evidence is due by: {due}.\nThe headings are the \
             names of Stripe's fields for evidence.\n",
            self.dispute_id,
            money(self.amount, &self.currency),
            self.reason.as_deref().unwrap_or("not said"),
            self.status
        );
        let sections = [
            ("product_description", fields.product_description.clone()),
            ("service_date", or_unknown(&fields.service_date)),
            ("customer_name", or_unknown(&fields.customer_name)),
            ("customer_email_address", or_unknown(&fields.customer_email_address)),
            ("customer_purchase_ip", or_unknown(&fields.customer_purchase_ip)),
            ("access_activity_log", fields.access_activity_log.clone()),
            ("uncategorized_text", fields.uncategorized_text.clone()),
        ];
        let sections = sections.map(|(name, text)| format!("\n== {name}\n{text}\n"));
        format!("{head}{}", sections.concat())
    }
}
