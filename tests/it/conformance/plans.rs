//! No statement scans a growing table, whatever the planner's statistics: never collected, collected when the tables
//! were empty or small, or lost by a restore.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};
use topup::catalogue::{all_statements, bulk_statements};
use topup::db::Statement;
use topup::db::session::{Purpose, settings};

use crate::support::Backend;
use crate::support::database::TestDatabase;

const SMALL: u32 = 50;
const GROWN: u32 = 5_000;

/// The parts of SQLite's bulk statements: those that create temporary tables, and all others.
fn sqlite_bulk() -> (Vec<&'static str>, Vec<&'static str>) {
    let texts = bulk_statements().map(|(_, statement)| statement.json.within.sql());
    texts.flat_map(|sql| sql.split(";\n")).map(str::trim).partition(|sql| sql.contains("CREATE TEMPORARY TABLE"))
}

/// Tables that grow with the business. The others contain what operators created, or are pruned.
const GROWING: [&str; 37] = [
    "account_blocks",
    "account_currencies",
    "accounts",
    "adjustments",
    "alerts",
    "auto_topup_attempts",
    "auto_topup_queue",
    "auto_topups",
    "customers",
    "deliveries",
    "delivery_attempts",
    "delivery_queues",
    "failed_webhook_events",
    "fraud_signals",
    "grant_moves",
    "grants",
    "holds",
    "idempotency_keys",
    "ledger_entries",
    "messages",
    "operator_log",
    "payers",
    "payments",
    "promotions",
    "refund_requests",
    "reversals",
    "spend_limits",
    "spend_refunds",
    "spends",
    "subscription_checkouts",
    "subscription_grants",
    "subscription_invoices",
    "subscription_reversals",
    "subscriptions",
    "topups",
    "usage_hours",
    "webhook_events",
];
/// Partial indexes that contain only exceptions and may be scanned.
const OF_EXCEPTIONS: [&str; 10] = [
    "auto_topups_recovering",
    "failed_webhook_events_by_payload",
    "failed_webhook_events_open",
    "fraud_signals_open",
    "messages_new",
    "payments_in_surplus",
    "refund_requests_unsettled",
    "reversals_unsettled",
    "subscriptions_extra",
    "surplus_payments",
];

/// Statements that scan everything on purpose: the audit of the books, and what is owed to customers, which the console's
/// overview adds up at most once a minute.
fn reads_all(sql: &str) -> bool {
    sql.starts_with("SELECT COUNT(*) AS wrong") || sql.ends_with("AS accounts FROM accounts")
}

/// Fills the tables with rows `first` to `last`, as the service would leave them.
pub(crate) fn fill(first: u32, last: u32) -> String {
    let rows = format!(
        "(WITH RECURSIVE counted(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM counted WHERE n < {last}) \
         SELECT n FROM counted) AS numbers"
    );
    [
        "INSERT INTO accounts (id, balance, entries, updated_at) SELECT 'user_' || n, 250, 1, n FROM",
        "INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, \
         credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee, \
         bonus_credits, livemode, provider, provider_request, provider_attempt, provider_session_id, expires_at, created_at, \
         updated_at, provider_payment_id, paid_at) SELECT 'topup_' || n, 'user_' || n, 'paid', 250, 'usd', 1, 1, 250, \
         39, 289, 'gross_up', '2.9', 30, 'fee', 38, 0, 0, 'stripe', '{}', 1, \
         'cs_' || n, n, n, n, 'pi_' || n, n FROM",
        "INSERT INTO payments (provider_payment_id, provider, topup_id, state, provider_session_id, writes, created_at, updated_at) \
         SELECT 'pi_' || n, 'stripe', 'topup_' || n, 'credited', 'cs_' || n, 1, n, n FROM",
        "INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at) \
         SELECT 'evt_' || n, 'stripe', 'checkout.session.completed', 'topup_' || n, 'credited', n FROM",
        "INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
         SELECT 'user_' || n, 1, 'entry_' || n, 'topup', 250, 250, 'topup_' || n, n FROM",
        "INSERT INTO failed_webhook_events (provider_event_id, provider, type, kind, error, attempts, first_failed_at, last_failed_at, resolved_at) \
         SELECT 'evt_' || n, 'stripe', 'charge.updated', 'transient', 'once', 1, n, n, n FROM",
        "INSERT INTO reversals (provider_reversal_id, provider, kind, provider_payment_id, amount, currency, status, stage, counts, version, created_at, \
         updated_at) SELECT 're_' || n, 'stripe', 'refund', 'pi_' || n, 10, 'usd', 'succeeded', 2, 1, 1, n, n FROM",
        "INSERT INTO fraud_signals (provider_signal_id, provider, kind, provider_payment_id, topup_id, is_open, blocked_account, \
         occurred_at, created_at, updated_at) SELECT 'issfr_' || n, 'stripe', 'early_warning', 'pi_' || n, 'topup_' || n, 0, 0, n, n, n FROM",
        "INSERT INTO idempotency_keys (caller, key, request_hash, topup_id, lease_until, created_at) \
         SELECT 'caller', 'key_' || n, 'hash', 'topup_' || n, 0, n FROM",
        "INSERT INTO adjustments (id, account_id, credits, reason, made_by, balance_after, caller, idempotency_key, request_hash, \
         created_at) SELECT 'adj_' || n, 'user_' || n, 5, 'why', 'who', 5, 'caller', 'key_' || n, 'hash', n FROM",
        "INSERT INTO refund_requests (id, topup_id, provider, provider_payment_id, amount, currency, requested_by, state, provider_attempt, \
         caller, idempotency_key, request_hash, lease_until, created_at, updated_at) SELECT 'refund_' || n, 'topup_' || n, \
         'stripe', 'pi_' || n, 5, 'usd', 'who', 'created', 1, 'caller', 'key_' || n, 'hash', 0, n, n FROM",
        "INSERT INTO grants (id, account_id, sequence, kind, credits, remaining, is_open, priority, expires_at, category, created_at) \
         SELECT 'topup_' || n, 'user_' || n, 1, 'purchase', 250, 250, 1, 50, 9223372036854775807, 1, n FROM",
        "INSERT INTO grant_moves (account_id, sequence, grant_id, credits) SELECT 'user_' || n, 1, 'topup_' || n, 250 FROM",
        "INSERT INTO spends (id, account_id, credits, asked_credits, operation, subject, first_sequence, parts, balance_after, caller, \
         idempotency_key, request_hash, created_at) SELECT 'spend_' || n, 'user_' || n, 0, 0, '', '', 2, 0, 250, 'caller', \
         'key_' || n, 'hash', n FROM",
        "INSERT INTO holds (id, account_id, credits, asked_credits, state, operation, subject, expires_at, caller, idempotency_key, \
         request_hash, created_at, updated_at) SELECT 'hold_' || n, 'user_' || n, 5, 5, 'released', '', '', n, 'caller', 'key_' || n, \
         'hash', n, n FROM",
        "INSERT INTO spend_refunds (id, spend_id, account_id, credits, balance_after, caller, idempotency_key, request_hash, created_at) \
         SELECT 'back_' || n, 'spend_' || n, 'user_' || n, 1, 250, 'caller', 'key_' || n, 'hash', n FROM",
        "INSERT INTO spend_limits (account_id, subject, period, credits, window_start, used, held) \
         SELECT 'user_' || n, '', 'day', 100, n, 0, 0 FROM",
        "INSERT INTO promotions (id, account_id, credits, reason, made_by, balance_after, caller, idempotency_key, request_hash, created_at) \
         SELECT 'grant_' || n, 'user_' || n, 1, 'why', 'who', 250, 'caller', 'key_' || n, 'hash', n FROM",
        "INSERT INTO account_blocks (account_id, number, is_blocked, reason, made_by, created_at) \
         SELECT 'user_' || n, 1, 1, 'why', 'who', n FROM",
        "INSERT INTO account_currencies (account_id, currency, changed_at) SELECT 'user_' || n, 'eur', n FROM",
        "INSERT INTO endpoints (id, url, types, description, state, secret_version, old_secret_until, created_at, updated_at) \
         SELECT 'endpoint_' || n, 'https://app.example.com', '', '', 'deleted', 1, 0, n, n FROM",
        "INSERT INTO messages (number, id, type, account_id, cause, payload, created_at) \
         SELECT n, 'msg_topup_paid_' || n, 'topup.paid', 'user_' || n, 'topup_' || n, '{}', n FROM",
        "INSERT INTO deliveries (endpoint_id, message_number, account_id, state, attempts, failures, created_at) \
         SELECT 'endpoint_' || n, n, 'user_' || n, 'done', 1, 0, n FROM",
        "INSERT INTO delivery_queues (endpoint_id, account_id, waiting, next_at, lease_until) \
         SELECT 'endpoint_' || n, 'user_' || n, 0, 9223372036854775807, 0 FROM",
        "INSERT INTO delivery_attempts (endpoint_id, message_number, attempt, status, milliseconds, attempted_at) \
         SELECT 'endpoint_' || n, n, 1, 200, 5, n FROM",
        "INSERT INTO alerts (account_id, is_low, is_depleted, changes, updated_at) SELECT 'user_' || n, 0, 0, 0, n FROM",
        "INSERT INTO auto_topups (account_id, state, threshold, credits, currency, max_per_day, max_per_month, provider, return_url, \
         consent_version, consent_by, consented_at, declines, changes, created_at, updated_at) \
         SELECT 'user_' || n, 'active', 100, 250, 'usd', 3, 10000, 'stripe', '', '1', 'customer', n, 0, 1, n, n FROM",
        "INSERT INTO auto_topup_queue (account_id, since, due_at, lease_until) SELECT 'user_' || n, n, n, 0 FROM",
        "INSERT INTO auto_topup_attempts (topup_id, account_id, crossed_at, amount, currency, outcome, payment_method_id, card_brand, \
         card_last4, consent_version, consented_at, started_at, ended_at) \
         SELECT 'topup_' || n, 'user_' || n, n, 289, 'usd', 'paid', 'pm_' || n, 'visa', '4242', '1', n, n, n FROM",
        "INSERT INTO customers (account_id, provider, livemode, provider_customer_id, generation, created_at, updated_at) \
         SELECT 'user_' || n, 'stripe', 0, 'cus_' || n, 1, n, n FROM",
        "INSERT INTO usage_hours (account_id, hour, operation, subject, credits, refunded_credits, spends, first_sequence, last_sequence) \
         SELECT 'user_' || n, n, '', '', 1, 0, 1, 1, 1 FROM",
        "INSERT INTO payers (topup_id, email, card_last4, created_at, updated_at) \
         SELECT 'topup_' || n, 'user_' || n || '@example.com', '4242', n, n FROM",
        "INSERT INTO plans (id, name, interval_unit, interval_count, credits_per_period, rollover, trial_days, trial_credits, is_active, \
         provider, provider_product_id, created_at, updated_at) SELECT 'plan_' || n, 'Plan', 'month', 1, 100, 'keep', 0, 0, 1, 'stripe', \
         'prod_' || n, n, n FROM",
        "INSERT INTO plan_prices (provider_price_id, provider, plan_id, currency, amount, fee_amount, is_current, created_at) \
         SELECT 'price_' || n, 'stripe', 'plan_' || n, 'usd', 500, 0, 1, n FROM",
        "INSERT INTO subscription_checkouts (id, account_id, plan_id, state, provider, provider_request, provider_attempt, key_used_at, \
         key_failures, expires_at, caller, idempotency_key, request_hash, lease_until, created_at, updated_at) SELECT 'subscribe_' || n, \
         'user_' || n, 'plan_' || n, 'completed', 'stripe', '{}', 1, n, 0, n, 'caller', 'key_' || n, 'hash', 0, n, n FROM",
        "INSERT INTO subscriptions (provider_subscription_id, provider, account_id, provider_customer_id, plan_id, provider_price_id, \
         status, is_update_pending, is_extra, has_started, revision, created_at, updated_at) SELECT 'sub_' || n, 'stripe', 'user_' || n, \
         'cus_' || n, 'plan_' || n, 'price_' || n, 'canceled', 0, 0, 1, 1, n, n FROM",
        "INSERT INTO subscription_invoices (provider_invoice_id, provider, provider_subscription_id, account_id, status, reason, currency, \
         total, tax_amount, added_tax_amount, amount_paid, credits_amount, attempts, told_attempt, needs_action, created_at, booked_at, updated_at) SELECT 'in_' || n, \
         'stripe', 'sub_' || n, 'user_' || n, 'paid', 'subscription_cycle', 'usd', 500, 0, 0, 500, 500, 1, 0, 0, n, n, n FROM",
        "INSERT INTO subscription_grants (id, kind, account_id, provider_subscription_id, provider, provider_invoice_id, \
         provider_price_id, plan_id, period_start, period_end, rollover, worth, credits, taken_credits, taken_own, revision, created_at) \
         SELECT 'sub_' || n || ':price_1:1', 'period', 'user_' || n, 'sub_' || n, 'stripe', 'in_' || n, 'price_' || n, 'plan_' || n, n, \
         n + 1, 'expire', 100, 100, 0, 0, 0, n FROM",
        "INSERT INTO subscription_reversals (provider_reversal_id, provider, kind, provider_payment_id, provider_invoice_id, amount, \
         returned, currency, status, stage, counts, version, created_at, updated_at) SELECT 're_sub_' || n, 'stripe', 'refund', \
         'pi_sub_' || n, 'in_' || n, 10, 0, 'usd', 'succeeded', 1, 1, 1, n, n FROM",
        "INSERT INTO operator_log (change_id, phase, key_id, made_by, action, subject, account_id, credits, detail, created_at) \
         SELECT 'change_' || n, 'done', 'key', 'who', 'refund', 'topup_' || n, 'user_' || n, 1, '', n FROM",
    ]
    .map(|sql| format!("{sql} {rows}"))
    .join(";")
}

/// A session with the service's own planner settings.
async fn planner(url: &str, purpose: Purpose) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.expect("connects");
    for (name, value) in settings(purpose) {
        let set = format!("SET {name} = '{value}'");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(set))).await.expect("set");
    }
    connection
}

async fn text(connection: &mut PgConnection, sql: String) -> String {
    let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql))).await.expect("readable");
    row.try_get_unchecked(0).expect("text")
}

/// The first column of each index: a condition on a later column alone scans the whole index.
async fn first_columns(connection: &mut PgConnection) -> BTreeMap<String, String> {
    let sql = "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid, 1, true) FROM pg_index";
    let rows = connection.fetch_all(sqlx::raw_sql(sql)).await.expect("readable");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Collects the scans of a growing table, or of one of its indexes, in a plan.
fn whole_reads(plan: &Value, first_columns: &BTreeMap<String, String>, found: &mut Vec<String>) {
    let of = |name: &str| plan[name].as_str().unwrap_or_default();
    let (kind, table, index, condition) = (of("Node Type"), of("Relation Name"), of("Index Name"), of("Index Cond"));
    let first = first_columns.get(index).map_or("", String::as_str);
    let is_whole = match kind {
        "Seq Scan" => true,
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
            !OF_EXCEPTIONS.contains(&index)
                && !condition.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == first)
        }
        _ => false,
    };
    let grows =
        GROWING.contains(&table) || (kind == "Bitmap Index Scan" && GROWING.iter().any(|name| index.starts_with(name)));
    if is_whole && grows {
        found.push(format!("{kind} {table} {index} {condition}"));
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        whole_reads(child, first_columns, found);
    }
}

/// Plans every statement, or the bulk statements alone, in sessions like the service's.
async fn check_postgres(url: &str, state: &str, with_bulk_only: bool) {
    let mut all = planner(url, Purpose::All).await;
    let first_columns = first_columns(&mut all).await;
    let mut bad = Vec::new();
    let statements = all_statements().map(Statement::sql).filter(|sql| !with_bulk_only && !reads_all(sql));
    for (number, sql) in statements.enumerate() {
        let prepare = format!("PREPARE s{number} AS {sql}");
        all.execute(sqlx::raw_sql(AssertSqlSafe(prepare))).await.expect("prepares");
        let types = format!(
            "SELECT array_to_string(parameter_types, ',') FROM pg_prepared_statements WHERE name = 's{number}'"
        );
        let types = text(&mut all, types).await;
        let values: Vec<&str> = types.split(',').map(|name| if name == "bigint" { "100" } else { "'x'" }).collect();
        let values = if types.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        let plan = text(&mut all, format!("EXPLAIN (FORMAT JSON) EXECUTE s{number}{values}")).await;
        check_plan(&plan, sql, &first_columns, &mut bad);
    }
    let mut bulk = planner(url, Purpose::Bulk).await;
    for (number, (name, statement)) in bulk_statements().enumerate() {
        let name = format!("{name}_{number}");
        let sql = statement.lists.sql();
        bulk.execute(sqlx::raw_sql(AssertSqlSafe(format!("PREPARE {name}_rows AS {sql}")))).await.expect("prepares");
        let nulls = vec!["NULL"; statement.lists.names().len()].join(", ");
        let plan = text(&mut bulk, format!("EXPLAIN (FORMAT JSON) EXECUTE {name}_rows({nulls})")).await;
        check_plan(&plan, &name, &first_columns, &mut bad);
    }
    assert!(bad.is_empty(), "{state}:\n{}", bad.join("\n"));
    all.close().await.expect("closes");
    bulk.close().await.expect("closes");
}

fn check_plan(plan: &str, sql: &str, first_columns: &BTreeMap<String, String>, bad: &mut Vec<String>) {
    let plan: Value = serde_json::from_str(plan).expect("JSON");
    let mut found = Vec::new();
    whole_reads(&plan[0]["Plan"], first_columns, &mut found);
    bad.extend(found.into_iter().map(|read| format!("{read}: {sql}")));
}

/// Known mistake 27.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_reads_a_growing_table_from_end_to_end_on_postgresql() {
    for (statistics, before) in [("", 0), ("VACUUM ANALYZE", 0), ("VACUUM ANALYZE", SMALL)] {
        let database = TestDatabase::migrated(Backend::Postgres).await;
        let mut other = PgConnection::connect(&database.url).await.expect("connects");
        if before > 0 {
            other.execute(sqlx::raw_sql(AssertSqlSafe(fill(1, before)))).await.expect("filled");
        }
        if !statistics.is_empty() {
            other.execute(sqlx::raw_sql(statistics)).await.expect("analysed");
        }
        let state = format!("{statistics:?} with {before} rows");
        // The plan made now is still used after the tables have grown.
        check_postgres(&database.url, &format!("{state}, the plan that is kept"), true).await;
        other.execute(sqlx::raw_sql(AssertSqlSafe(fill(before + 1, GROWN)))).await.expect("filled");
        check_postgres(&database.url, &format!("{state}, then {GROWN}"), false).await;
        if before > 0 {
            other.execute(sqlx::raw_sql("VACUUM ANALYZE")).await.expect("analysed");
            check_postgres(&database.url, "all analysed", false).await;
        }
        other.close().await.expect("closes");
    }
}

/// The steps of a statement's plan.
async fn sqlite_plan(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = connection.fetch_all(sqlx::query(explain)).await.expect("planned");
    rows.iter().map(|row| row.get("detail")).collect()
}

async fn create_temporary_tables(connection: &mut SqliteConnection) {
    for temporary in sqlite_bulk().0 {
        connection.execute(sqlx::raw_sql(temporary)).await.expect("made");
    }
}

async fn check_sqlite(connection: &mut SqliteConnection, state: &str) {
    let mut bad = Vec::new();
    let (_, bulk) = sqlite_bulk();
    let statements = all_statements().map(Statement::sql).filter(|sql| !reads_all(sql)).chain(bulk);
    for sql in statements {
        for detail in sqlite_plan(connection, sql).await {
            let scanned = detail.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            let grows = GROWING.iter().any(|table| *table == scanned || sql.contains(&format!("{table} {scanned} ")));
            if grows && !OF_EXCEPTIONS.iter().any(|index| detail.ends_with(index)) {
                bad.push(format!("{detail}: {sql}"));
            }
        }
    }
    assert!(bad.is_empty(), "{state}:\n{}", bad.join("\n"));
}

/// Known mistake 27.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_reads_a_growing_table_from_end_to_end_on_sqlite() {
    for (analysed, before) in [(false, 0), (true, 0), (true, SMALL)] {
        let database = TestDatabase::migrated(Backend::Sqlite).await;
        let mut other = SqliteConnection::connect(&database.url).await.expect("connects");
        create_temporary_tables(&mut other).await;
        if before > 0 {
            other.execute(sqlx::raw_sql(AssertSqlSafe(fill(1, before)))).await.expect("filled");
        }
        if analysed {
            other.execute(sqlx::raw_sql("ANALYZE")).await.expect("analysed");
        }
        check_sqlite(&mut other, &format!("analysed: {analysed}, with {before} rows")).await;
        other.execute(sqlx::raw_sql(AssertSqlSafe(fill(before + 1, GROWN)))).await.expect("filled");
        check_sqlite(&mut other, &format!("analysed: {analysed}, with {before} rows, then {GROWN}")).await;
        other.execute(sqlx::raw_sql("ANALYZE")).await.expect("analysed");
        check_sqlite(&mut other, "all analysed").await;
        other.close().await.expect("closes");
    }
}

/// By these statistics, as ANALYZE leaves them for a million top-ups, each of another account, an account is as
/// selective as an id. So is a state, while few top-ups are unfinished.
const OF_A_MILLION_ACCOUNTS: &str = "ANALYZE; DELETE FROM sqlite_stat1; INSERT INTO sqlite_stat1 VALUES \
    ('topups', 'topups_by_account', '1000000 1 1 1'), ('topups', 'sqlite_autoindex_topups_1', '1000000 1'), \
    ('topups', 'topups_unfinished', '1 1'), ('topups', 'sqlite_autoindex_topups_2', '1000000 1'); \
    ANALYZE sqlite_schema";

/// A large account would otherwise be scanned for each of its payments.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_statements_find_a_top_up_by_its_id_and_never_among_those_of_its_account_on_sqlite() {
    let database = TestDatabase::migrated(Backend::Sqlite).await;
    let mut other = SqliteConnection::connect(&database.url).await.expect("connects");
    create_temporary_tables(&mut other).await;
    other.execute(sqlx::raw_sql(OF_A_MILLION_ACCOUNTS)).await.expect("analysed");
    let mut found = 0;
    for sql in sqlite_bulk().1 {
        for step in sqlite_plan(&mut other, sql).await.iter().filter(|step| step.contains(" topups ")) {
            assert!(step.contains("sqlite_autoindex_topups_1 (id=?)"), "{step} in {sql}");
            found += 1;
        }
    }
    assert_eq!(found, 8, "three places in the one that credits, two in each that ends or opens, one in the fees'");
    other.close().await.expect("closes");
}
