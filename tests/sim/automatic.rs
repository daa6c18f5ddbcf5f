//! Saved cards and auto top-up: customers save cards, agree, and stop; the job charges and meets faults; banks decline
//! and want to see the customer. One crossing is never paid twice, and the limits hold.

use std::collections::{BTreeMap, VecDeque};

use actix_web::test::TestRequest;
use serde_json::json;
use topup::customers::ensure_customer::ensure_customer;
use topup::db::{Statement, StoreError, Tx, Write, args};
use topup::domain::account::AccountId;
use topup::domain::spend_limit::{Period, Windows};

use super::books::Books;
use super::calls::Plan;
use super::process::{Answer, Ended, Fate};
use super::subscribers::PAGE;
use super::truth::Truth;
use super::world::World;

/// Below how many credits more are bought.
const THRESHOLD: i64 = 300;
/// More rounds than the charges of a run need to come to an end.
const MOST_ROUNDS: u32 = 60;
/// The longest pause of a charge that is under way.
const LONGEST_PAUSE_MS: i64 = 600_000;

static END_LEASES: Statement =
    Statement::new("UPDATE auto_topup_queue SET lease_until = 0 WHERE lease_until >= :least");

/// The leases of a dead process end by the database's own clock, which stands still here.
struct EndLeases;

impl Write for EndLeases {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.execute(&END_LEASES, &args![least = 0_i64]).await.map(drop)
    }
}

impl World {
    /// Some accounts have a card before the run begins, and their customers have agreed that it is charged.
    pub(super) fn save_first_cards(&mut self) {
        for name in self.accounts.clone() {
            if self.own().rng.percent(40) {
                continue;
            }
            let (app, account) = (self.process.app(), AccountId::parse(name.as_str()).expect("an account"));
            let customer = self.process.block_on(async { ensure_customer(&app, &account).await });
            let form = format!("customer={}", customer.expect("nothing is wrong yet").as_str());
            let saved = self.stripe.ask("POST", "/v1/payment_methods/pm_card_visa/attach", &form);
            assert_eq!(saved.status, 200, "{}", saved.body);
            let request = self.agreement(&name, true);
            let agreed = self.process.serve(request, Fate::Nothing);
            // Or one purchase costs more than they allow in a month.
            assert!(matches!(agreed, Ended::Answered(Answer { status: 200 | 400, .. })), "{agreed:?}");
        }
    }

    /// The request that turns auto top-up on, with limits that stay the same for an account, or off.
    fn agreement(&mut self, account: &str, is_on: bool) -> TestRequest {
        let unit = self.unit_credits;
        let own = self.own();
        let rules = own.rules.get(account).copied();
        let (per_day, per_month) =
            rules.unwrap_or_else(|| (own.rng.between(1, 6), *own.rng.pick(&[900, 30_000, 200_000])));
        own.rules.insert(account.to_owned(), (per_day, per_month));
        // Of some accounts one purchase is not enough, so that the next crossing follows at once.
        let threshold = if own.rng.percent(60) { 600 * unit } else { THRESHOLD };
        let body = if is_on {
            json!({
                "enabled": true, "thresholdCredits": threshold, "credits": 250 * unit, "maxPerDay": per_day,
                "maxPerMonthMinor": per_month, "consent": { "textVersion": "1" },
            })
        } else {
            json!({ "enabled": false })
        };
        self.with_token(account, "", TestRequest::put().uri("/auto-topup").set_json(&body))
    }

    /// One of the things that happen around saved cards.
    pub(super) fn do_something_automatic(&mut self) -> Result<(), String> {
        match self.own().rng.below(20) {
            0..=3 => self.save_card(),
            4..=7 => self.agree(),
            8 => self.recover(),
            // Credits run low.
            9..=12 => self.spend(),
            _ => self.charge_cards(),
        }
    }

    fn save_card(&mut self) -> Result<(), String> {
        let account = self.an_account();
        let request = TestRequest::post().uri("/payment-methods/sessions").set_json(json!({ "successUrl": PAGE }));
        let request = self.with_token(&account, "", request);
        self.ask_freely("save_card", &account, request).map(drop)
    }

    /// A customer turns auto top-up on or off.
    fn agree(&mut self) -> Result<(), String> {
        let account = self.an_account();
        let is_on = self.own().rng.percent(85);
        let request = self.agreement(&account, is_on);
        self.ask_freely("agree", &format!("{account} {is_on}"), request).map(drop)
    }

    /// A customer opens the page on which a payment is confirmed.
    fn recover(&mut self) -> Result<(), String> {
        let account = self.an_account();
        let request = TestRequest::post().uri("/auto-topup/recovery").set_json(json!({ "successUrl": PAGE }));
        let request = self.with_token(&account, "", request);
        self.ask_freely("recover", &account, request).map(drop)
    }

    /// Runs the job.
    fn charge_cards(&mut self) -> Result<(), String> {
        // Answers are lost and processes die more often than elsewhere: that is when a card could be charged twice.
        if self.own().rng.percent(30) {
            let plan = (self.some_faults(), Fate::Nothing);
            return self.charge_cards_with(plan);
        }
        if self.own().rng.percent(30) {
            let place = self.own().rng.between(0, 40);
            return self.charge_cards_with((VecDeque::new(), Fate::DieAt(u32::try_from(place).expect("small"))));
        }
        let plan = match self.plan() {
            // It is not a customer's request, and is never suspended.
            (faults, Fate::SuspendAt(_)) => (faults, Fate::Nothing),
            plan => plan,
        };
        self.charge_cards_with(plan)
    }

    fn charge_cards_with(&mut self, plan: Plan) -> Result<(), String> {
        if !self.process.has_bad_disk() {
            let app = self.process.app();
            self.process.block_on(app.db.write(EndLeases)).map_err(|error| error.to_string())?;
        }
        let (fate, before, met) = self.begin(plan);
        let ended = self.process.charge_cards(fate);
        let outcome = self.outcome(ended, before, met);
        match outcome.ended {
            Ended::Died { committed } => {
                self.note("charge", &format!("dies, committed: {committed}"));
                if committed { Ok(()) } else { self.unchanged(&outcome.before, &[], "a job that died") }
            }
            Ended::Answered(Answer { status, body }) => {
                self.note("charge", &format!("{status} {body}"));
                if status == 200 || self.process.has_bad_disk() {
                    Ok(())
                } else {
                    Err(format!("the job that charges cards failed although the database works: {body}"))
                }
            }
            Ended::Suspended => Err("nothing was to be suspended".to_owned()),
        }
    }

    /// Without further faults, every charge comes to an end.
    pub(super) fn finish_charges(&mut self) -> Result<(), String> {
        if self.recurring.is_none() {
            return Ok(());
        }
        for _ in 0..MOST_ROUNDS {
            self.look();
            if !self.books.attempts.iter().any(|attempt| attempt.outcome == "running") {
                return Ok(());
            }
            self.step += 1;
            self.clock.advance_ms(LONGEST_PAUSE_MS);
            self.stripe.tick();
            self.charge_cards_with((VecDeque::new(), Fate::Nothing))?;
            self.check()?;
        }
        Err(format!("a charge comes to no end: {:?}", self.books.attempts))
    }

    /// What holds of the charges after each step.
    pub(super) fn check_charges(&self) -> Result<(), String> {
        let Some(own) = &self.recurring else { return Ok(()) };
        verify_charges(&self.books, &self.stripe.lock().truth, |account| own.rules[account])
    }
}

/// The rules of charges: at most one that is paid for each crossing, and no more in a day and a month than agreed.
/// `rules` are how many a day and how much a month an account agreed to.
pub fn verify_charges(books: &Books, truth: &Truth, rules: impl Fn(&str) -> (i64, i64)) -> Result<(), String> {
    let mut paid: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, intent) in truth.intents.iter().filter(|(_, intent)| intent.status == "succeeded") {
        let Some(topup) = &intent.charged_for else { continue };
        if let Some(other) = paid.insert(topup, id) {
            return Err(format!("{topup} was charged twice: {other} and {id}"));
        }
    }
    let mut crossings: BTreeMap<(&str, i64), &str> = BTreeMap::new();
    let mut days: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    let mut months: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    for attempt in &books.attempts {
        let Some(payment) = paid.remove(attempt.topup_id.as_str()) else { continue };
        let account = attempt.account_id.as_str();
        if let Some(other) = crossings.insert((account, attempt.crossed_at), payment) {
            return Err(format!("one crossing of {account} was paid by {other} and by {payment}"));
        }
        let windows = Windows::at(attempt.started_at);
        *days.entry((account, windows.start_ms(Period::Day))).or_default() += 1;
        *months.entry((account, windows.start_ms(Period::Month))).or_default() += attempt.amount;
    }
    if let Some((topup, payment)) = paid.into_iter().next() {
        return Err(format!("{payment} was charged for {topup}, of which there is no attempt"));
    }
    for ((account, _), charges) in days {
        if charges > rules(account).0 {
            return Err(format!("{account} was charged {charges} times in a day, not {}", rules(account).0));
        }
    }
    for ((account, _), amount) in months {
        if amount > rules(account).1 {
            return Err(format!("{account} was charged {amount} in a month, not {}", rules(account).1));
        }
    }
    Ok(())
}
