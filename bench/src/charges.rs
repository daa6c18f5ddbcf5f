//! How long it takes from the debit that leaves too few credits until the saved card is charged.

use std::time::Duration;

use stripe_sandbox::DEFAULT_API_VERSION;

use crate::clock::wall_clock_ms;
use crate::failure::Failure;
use crate::http::Client;
use crate::load::{self, Load, Pace, moments};
use crate::purchase::CREDITS;
use crate::recording::Recording;
use crate::renewal::Renewal;
use crate::results::Results;
use crate::rounds::say;
use crate::service::Program;
use crate::spending::requests::{Payers, debit};
use crate::spending::spender::Spender;
use crate::stripe::Stripe;

/// Milliseconds between the write that crosses and the write before the card is charged. Stripe is asked for the card in
/// between, at a local endpoint.
pub const UNTIL_CHARGE: &str = "from a crossing to the charge, median";
pub const UNTIL_CHARGE_MOST: &str = "from a crossing to the charge, at most";
pub const UNTIL_CREDITS: &str = "from a crossing to its credits, at most";
const CUSTOMERS: u64 = 100;
/// The number of the first debit, above those that prepare the accounts.
const FIRST: u64 = 1 << 40;
const WITHIN: Duration = Duration::from_secs(10);
const PATIENCE: u32 = 600;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Debits of a hundred accounts at random moments within ten seconds, each of which crosses.
///
/// # Errors
/// If a charge does not come, or the books are wrong.
pub async fn run(
    program: &Program,
    recorded: (&Recording, &Renewal),
    database: &'static str,
    url: String,
    results: &mut Results,
) -> Result<(), Failure> {
    say(&format!("charges of saved cards on {database}"));
    // An endpoint of its own: this one must keep the customers.
    let stripe = Stripe::start(recorded.0.clone(), recorded.1.clone())?;
    let mut program = Program { stripe: stripe.address, ..program.clone() };
    program.settings.extend([("SAVED_CARDS", "on".to_owned()), ("AUTO_TOPUP", "on".to_owned())]);
    let mut spender = Spender::start(&program, database, url).await?;
    spender.sell().await?;
    let (now_ms, threshold) = (wall_clock_ms(), CREDITS.saturating_sub(1));
    let numbers = FIRST..FIRST.saturating_add(CUSTOMERS);
    for number in numbers.clone() {
        let account = Payers::Many.account(number);
        let customer = save_card(&stripe).await?;
        spender
            .target
            .books
            .run(&format!(
                "INSERT INTO customers (account_id, provider, livemode, provider_customer_id, generation, created_at, \
                 updated_at) VALUES ('{account}', 'stripe', 0, '{customer}', 1, {now_ms}, {now_ms}); \
                 INSERT INTO auto_topups (account_id, state, threshold, credits, currency, max_per_day, max_per_month, \
                 provider, return_url, consent_version, consent_by, consented_at, declines, changes, created_at, \
                 updated_at) VALUES ('{account}', 'active', {threshold}, {CREDITS}, 'usd', 3, 100000, 'stripe', \
                 'https://app.example.com/', '1', 'customer', {now_ms}, 0, 1, {now_ms}, {now_ms}); \
                 UPDATE accounts SET refill_at = {threshold} WHERE id = '{account}'"
            ))
            .await?;
    }
    let requests: Vec<_> = numbers.map(|number| debit(spender.api_key(), Payers::Many, number)).collect();
    let pace = Pace::Open(moments(requests.len(), WITHIN, 7));
    let load = Load { pace, ..Load::closed(spender.target.service.address, requests, 4, Duration::from_mins(1)) };
    load::run(load).await?;
    let books = &mut spender.target.books;
    let mut looks = 0_u32;
    while books.text("SELECT CAST(COUNT(*) AS TEXT) FROM auto_topup_attempts WHERE outcome = 'paid'").await?
        != CUSTOMERS.to_string()
    {
        looks = looks.saturating_add(1);
        if looks > PATIENCE {
            return Err("not every account that crossed was charged".into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    for (name, ends, place) in [
        (UNTIL_CHARGE, "started_at", CUSTOMERS / 2),
        (UNTIL_CHARGE_MOST, "started_at", CUSTOMERS.saturating_sub(1)),
        (UNTIL_CREDITS, "ended_at", CUSTOMERS.saturating_sub(1)),
    ] {
        let sql = format!(
            "SELECT CAST({ends} - crossed_at AS TEXT) FROM auto_topup_attempts ORDER BY {ends} - crossed_at LIMIT 1 \
             OFFSET {place}"
        );
        results.add_figure(name, database, "ms", books.text(&sql).await?.parse()?);
    }
    Ok(())
}

/// A customer with a card at the local endpoint. Returns the customer's id.
async fn save_card(stripe: &Stripe) -> Result<String, Failure> {
    let created = post(stripe, "/v1/customers", "").await?;
    let customer = created.get("id").and_then(serde_json::Value::as_str).ok_or("no customer")?.to_owned();
    post(stripe, "/v1/payment_methods/pm_card_visa/attach", &format!("customer={customer}")).await?;
    Ok(customer)
}

async fn post(stripe: &Stripe, path: &str, form: &str) -> Result<serde_json::Value, Failure> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nstripe-version: {DEFAULT_API_VERSION}\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut client = Client::connect(stripe.address).await?;
    let status = client.exchange(request.as_bytes()).await?;
    if status != 200 {
        return Err(format!("POST {path} is answered with {status}").into());
    }
    Ok(serde_json::from_slice(client.body())?)
}
