//! Payers' personal data: stored beside the books, searched for, and erased.
//!
//! Invariants: nothing is stored about a top-up that is not in this database. What was erased stays erased: its row
//! remains without content, so that a later delivery does not bring the data back.

use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::TopupId;
use crate::domain::payer::Payer;
use crate::domain::timestamp::DAY_MS;

/// How many rows one transaction erases: few enough not to block others.
const ERASE_BATCH: i64 = 200;
/// How many rows one transaction stores.
const STORE_BATCH: usize = 200;

statements! {
    STORE = "INSERT INTO payers (topup_id, email, name, card_brand, card_last4, card_country, client_ip, user_agent, \
        created_at, updated_at) SELECT t.id, CAST(:email AS TEXT), CAST(:name AS TEXT), CAST(:card_brand AS TEXT), \
        CAST(:card_last4 AS TEXT), CAST(:card_country AS TEXT), CAST(:client_ip AS TEXT), CAST(:user_agent AS TEXT), \
        t.created_at, :now_ms FROM topups t WHERE t.id = :topup AND t.created_at > :not_before_ms \
        ON CONFLICT (topup_id) DO UPDATE SET email = COALESCE(excluded.email, payers.email), \
        name = COALESCE(excluded.name, payers.name), card_brand = COALESCE(excluded.card_brand, payers.card_brand), \
        card_last4 = COALESCE(excluded.card_last4, payers.card_last4), \
        card_country = COALESCE(excluded.card_country, payers.card_country), \
        client_ip = COALESCE(excluded.client_ip, payers.client_ip), \
        user_agent = COALESCE(excluded.user_agent, payers.user_agent), updated_at = excluded.updated_at \
        WHERE payers.erased_at IS NULL";
    FIND = "SELECT email, name, card_brand, card_last4, card_country, client_ip, user_agent FROM payers \
        WHERE topup_id = :topup";
    BY_EMAIL = "SELECT topup_id FROM payers WHERE email IS NOT NULL AND email = :email ORDER BY created_at DESC \
        LIMIT :limit";
    BY_CARD = "SELECT topup_id FROM payers WHERE card_last4 IS NOT NULL AND card_last4 = :digits \
        ORDER BY created_at DESC LIMIT :limit";
    HAS_OLD = "SELECT topup_id FROM payers WHERE erased_at IS NULL AND created_at <= :until_ms LIMIT 1";
    OLD = "SELECT topup_id FROM payers WHERE erased_at IS NULL AND created_at <= :until_ms ORDER BY created_at \
        LIMIT :limit";
    ERASE = "UPDATE payers SET email = NULL, name = NULL, card_brand = NULL, card_last4 = NULL, card_country = NULL, \
        client_ip = NULL, user_agent = NULL, erased_at = :now_ms WHERE topup_id = :topup";
    /// Also for top-ups of which nothing is known yet, so that nothing comes later.
    ERASE_OF_ACCOUNT = "INSERT INTO payers (topup_id, created_at, updated_at, erased_at) \
        SELECT t.id, t.created_at, :now_ms, :now_ms FROM topups t WHERE t.account_id = :account \
        ON CONFLICT (topup_id) DO UPDATE SET email = NULL, name = NULL, card_brand = NULL, card_last4 = NULL, \
        card_country = NULL, client_ip = NULL, user_agent = NULL, erased_at = excluded.erased_at";
    /// Deliveries contain the payer's data too.
    ERASE_PAYLOADS = "UPDATE failed_webhook_events SET payload = NULL WHERE payload IS NOT NULL \
        AND topup_id IS NOT NULL AND topup_id IN (SELECT id FROM topups WHERE account_id = :account)";
    PAYMENTS = "SELECT p.provider, p.provider_payment_id FROM topups t CROSS JOIN payments p \
        WHERE t.account_id = :account AND p.topup_id = t.id";
    /// A delivery about a refund or a dispute may name only the payment.
    ERASE_PAYLOADS_OF_PAYMENT = "UPDATE failed_webhook_events SET payload = NULL \
        WHERE provider_payment_id = :payment AND provider = :provider";
}

#[derive(sqlx::FromRow)]
struct PaymentRow {
    provider: String,
    provider_payment_id: String,
}

#[derive(sqlx::FromRow)]
struct PayerRow {
    email: Option<String>,
    name: Option<String>,
    card_brand: Option<String>,
    card_last4: Option<String>,
    card_country: Option<String>,
    client_ip: Option<String>,
    user_agent: Option<String>,
}

#[derive(sqlx::FromRow)]
struct TopupRow {
    topup_id: String,
}

struct Store {
    payers: Vec<(TopupId, Payer)>,
    not_before_ms: i64,
    now_ms: i64,
}

impl Write for Store {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for (topup, payer) in &self.payers {
            let values = args![
                topup = topup.as_str(),
                email = payer.email.as_deref(),
                name = payer.name.as_deref(),
                card_brand = payer.card_brand.as_deref(),
                card_last4 = payer.card_last4.as_deref(),
                card_country = payer.card_country.as_deref(),
                client_ip = payer.client_ip.as_deref(),
                user_agent = payer.user_agent.as_deref(),
                now_ms = self.now_ms,
                not_before_ms = self.not_before_ms
            ];
            tx.execute(&STORE, &values).await?;
        }
        Ok(())
    }
}

/// The time before which nothing is kept.
fn kept_from_ms(app: &App) -> i64 {
    app.clock.now_ms().saturating_sub(app.personal_data_days.saturating_mul(DAY_MS))
}

/// Stores what was learnt since the last call.
///
/// # Errors
/// When the database fails; then it is collected again.
pub async fn store_notes(app: &App) -> Result<(), StoreError> {
    let mut payers: Vec<(TopupId, Payer)> = app.payers.take().into_iter().collect();
    // Always in the same order, so that two processes do not wait for each other.
    payers.sort_by(|one, other| one.0.cmp(&other.0));
    let mut failed = None;
    for batch in payers.chunks(STORE_BATCH) {
        let store = Store { payers: batch.to_vec(), not_before_ms: kept_from_ms(app), now_ms: app.clock.now_ms() };
        if let Err(error) = app.db.write(store).await {
            for (topup, payer) in batch {
                app.payers.note(topup, payer.clone());
            }
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Erases what is older than the retention time, in small transactions. Returns how many rows.
///
/// # Errors
/// When the database fails. What was erased before stays erased.
pub async fn erase_old(app: &App) -> Result<u64, StoreError> {
    let until_ms = kept_from_ms(app);
    let mut erased = 0_u64;
    // A read first, so that nothing is written if there is nothing to erase.
    while app.db.read_optional::<TopupRow>(&HAS_OLD, &args![until_ms]).await?.is_some() {
        erased = erased.saturating_add(app.db.write(EraseOld { until_ms, now_ms: app.clock.now_ms() }).await?);
    }
    Ok(erased)
}

struct EraseOld {
    until_ms: i64,
    now_ms: i64,
}

impl Write for EraseOld {
    type Output = u64;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        let values = args![until_ms = self.until_ms, limit = ERASE_BATCH];
        let old: Vec<TopupRow> = tx.fetch_all(&OLD, &values).await?;
        let mut erased = 0_u64;
        for row in old {
            let values = args![now_ms = self.now_ms, topup = row.topup_id.as_str()];
            erased = erased.saturating_add(tx.execute(&ERASE, &values).await?);
        }
        Ok(erased)
    }
}

/// Erases the personal data of an account's payers, for good. The books stay. Returns for how many top-ups.
///
/// # Errors
/// When the database fails; then nothing is erased.
pub async fn erase_account(db: &Db, account: &AccountId, now_ms: i64) -> Result<u64, StoreError> {
    db.write(EraseAccount { account: account.clone(), now_ms }).await
}

struct EraseAccount {
    account: AccountId,
    now_ms: i64,
}

impl Write for EraseAccount {
    type Output = u64;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        let account = self.account.as_str();
        tx.execute(&ERASE_PAYLOADS, &args![account]).await?;
        let payments: Vec<PaymentRow> = tx.fetch_all(&PAYMENTS, &args![account]).await?;
        for row in payments {
            let values = args![payment = row.provider_payment_id.as_str(), provider = row.provider.as_str()];
            tx.execute(&ERASE_PAYLOADS_OF_PAYMENT, &values).await?;
        }
        tx.execute(&ERASE_OF_ACCOUNT, &args![account, now_ms = self.now_ms]).await
    }
}

impl Db {
    /// What is known about the payer of a top-up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payer_of(&self, topup: &TopupId) -> Result<Option<Payer>, StoreError> {
        let row: Option<PayerRow> = self.read_optional(&FIND, &args![topup = topup.as_str()]).await?;
        Ok(row.map(|row| Payer {
            email: row.email,
            name: row.name,
            card_brand: row.card_brand,
            card_last4: row.card_last4,
            card_country: row.card_country,
            client_ip: row.client_ip,
            user_agent: row.user_agent,
        }))
    }

    /// The ids of the latest top-ups that were paid with this e-mail address, in lower case.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topups_by_email(&self, email: &str, limit: i64) -> Result<Vec<String>, StoreError> {
        let rows: Vec<TopupRow> = self.read_all(&BY_EMAIL, &args![email, limit]).await?;
        Ok(rows.into_iter().map(|row| row.topup_id).collect())
    }

    /// The ids of the latest top-ups that were paid with a card that ends in these digits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topups_by_card(&self, digits: &str, limit: i64) -> Result<Vec<String>, StoreError> {
        let rows: Vec<TopupRow> = self.read_all(&BY_CARD, &args![digits, limit]).await?;
        Ok(rows.into_iter().map(|row| row.topup_id).collect())
    }
}
