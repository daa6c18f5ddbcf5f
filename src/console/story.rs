//! Tells what happened to a top-up, in words for a person who was told "I paid and have no credits".
//!
//! Pure: it reads what was recorded, and what the provider says now if it was asked. Invariant: it never says that
//! credits are in the books unless the books say so.

use crate::console::words::{at, clock, day, money, of_credits};
use crate::domain::checkout::TopupState;
use crate::domain::credit_unit::DisplayDecimals;
use crate::domain::judge::Applied;
use crate::domain::payer::Payer;
use crate::inbox::failed_events::{FailedEvent, FailureState};
use crate::purchases::explain_topup::Explanation;
use crate::purchases::reversal::reversals::Reversal;

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Nothing to do but wait.
    Waiting,
    /// Ended without money.
    Ended,
    /// Someone has to act.
    Trouble,
}

/// What a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Process a failed delivery again.
    Replay {
        /// The event.
        event: String,
    },
    /// Ask the provider and apply the answer.
    Check,
    /// Refund a surplus payment.
    RefundSurplus {
        /// The payment.
        payment: String,
    },
}

/// What the provider says of a checkout that is not paid here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderSays {
    /// What applying its report would do.
    Report(Applied),
    /// It does not know the checkout session.
    Unknown,
    /// The checkout session belongs to another application.
    OfAnother,
    /// It cannot be asked now.
    Silent(String),
}

/// What happened, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// How urgent it is.
    pub tone: Tone,
    /// The answer in a few words.
    pub title: String,
    /// The answer in sentences.
    pub sentences: Vec<String>,
    /// What can be done.
    pub remedies: Vec<Remedy>,
}

impl Story {
    fn new(tone: Tone, title: &str) -> Self {
        Self { tone, title: title.to_owned(), sentences: Vec::new(), remedies: Vec::new() }
    }

    fn say(mut self, sentence: impl Into<String>) -> Self {
        self.sentences.push(sentence.into());
        self
    }

    fn with(mut self, remedy: Remedy) -> Self {
        if !self.remedies.contains(&remedy) {
            self.remedies.push(remedy);
        }
        self
    }
}

/// What the story is told from.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// What was recorded.
    pub explanation: &'k Explanation,
    /// Who paid, if it is known and kept.
    pub payer: Option<&'k Payer>,
    /// What the provider says now, if it was asked.
    pub says: Option<&'k ProviderSays>,
    /// How many digits of a number of credits people read as decimals.
    pub decimals: DisplayDecimals,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Tells what happened.
#[must_use]
pub fn tell(known: Known<'_>) -> Story {
    let topup = &known.explanation.topup;
    let story = match topup.state {
        TopupState::Paid => return paid(known),
        _ => unpaid(known),
    };
    let open = known.explanation.failures.iter().filter(|failure| failure.state() == FailureState::Open);
    open.fold(story, |story, failure| match failure.kind.as_str() {
        "transient" => story.with(Remedy::Replay { event: failure.provider_event_id.clone() }),
        _ => story,
    })
}

/// `Visa …4242`, or nothing.
fn card(payer: Option<&Payer>) -> String {
    let Some(digits) = payer.and_then(|payer| payer.card_last4.as_deref()) else { return String::new() };
    let brand = payer.and_then(|payer| payer.card_brand.as_deref()).unwrap_or("card");
    let mut letters = brand.chars();
    let brand: String = letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect();
    format!(" with {brand} …{digits}")
}

fn paid(known: Known<'_>) -> Story {
    let Known { explanation, payer, decimals, .. } = known;
    let topup = &explanation.topup;
    let currency = topup.currency.as_str();
    let paid_at_ms = topup.paid_at_ms.unwrap_or(topup.created_at_ms);
    let credited_at_ms = explanation.entries.iter().find(|entry| entry.kind == "topup").map(|entry| entry.created_at);
    let total = money(topup.charged_minor(), currency);
    let mut first = format!(
        "Paid {total} on {}{}, credited {} at {} UTC.",
        day(paid_at_ms),
        card(payer),
        of_credits(topup.credits, decimals),
        clock(credited_at_ms.unwrap_or(paid_at_ms))
    );
    if topup.bonus_credits > 0 {
        first = format!("{first} {} came on top.", of_credits(topup.bonus_credits, decimals));
    }
    let mut story = Story::new(Tone::Good, "Paid and credited").say(first);
    story = taken_back(known, story);
    for dispute in explanation.reversals.iter().filter(|reversal| reversal.kind == "dispute") {
        story = disputed(dispute, known.now_ms, story);
    }
    story = refunds(explanation, story);
    for payment in explanation.payments.iter().filter(|payment| payment.state == "surplus") {
        let id = &payment.provider_payment_id;
        let given_back: i64 = explanation
            .reversals
            .iter()
            .filter(|reversal| reversal.provider_payment_id == *id)
            .map(Reversal::reversed_minor)
            .sum();
        if given_back > 0 {
            story = story.say(format!(
                "It was paid twice; of the second payment, {id}, {} went back.",
                money(given_back, currency)
            ));
        } else {
            "Paid twice".clone_into(&mut story.title);
            story.tone = Tone::Trouble;
            story = story
                .say(format!("Paid twice: {id} is a second payment, which credits nothing. Refund it."))
                .with(Remedy::RefundSurplus { payment: id.clone() });
        }
    }
    story
}

/// How many credits went back, and why.
fn taken_back(known: Known<'_>, mut story: Story) -> Story {
    let topup = &known.explanation.topup;
    let counting: Vec<&Reversal> = known.explanation.reversals.iter().filter(|reversal| reversal.counts != 0).collect();
    let by_kind = |kind: &str| counting.iter().any(|reversal| reversal.kind == kind);
    if topup.taken_credits > 0 {
        let (was, title) = match (by_kind("refund"), by_kind("dispute")) {
            (true, true) => ("taken back by refunds and disputes", "Paid, credited, refunded and disputed"),
            (false, true) => ("taken back by a dispute", "Paid, credited and disputed"),
            _ => ("refunded", "Paid, credited and refunded"),
        };
        title.clone_into(&mut story.title);
        let number = of_credits(topup.taken_credits, known.decimals);
        let sentence = if topup.taken_credits == topup.credits {
            format!("All of them were {was}.")
        } else {
            let number = number.split(' ').next().unwrap_or_default();
            format!("{number} were {was}.")
        };
        story = story.say(sentence);
    }
    if let Some(ends_at_ms) = topup.credits_expire_at_ms() {
        let verb = if ends_at_ms <= known.now_ms { "ended" } else { "end" };
        story = story.say(format!("What was not spent of them {verb} on {}.", day(ends_at_ms)));
    }
    story
}

/// Whether a dispute is decided, in the provider's words.
#[must_use]
pub fn is_closed_dispute(status: &str) -> bool {
    matches!(status, "won" | "lost" | "warning_closed" | "prevented")
}

fn disputed(dispute: &Reversal, now_ms: i64, mut story: Story) -> Story {
    let amount = money(dispute.amount, &dispute.currency);
    let reason =
        dispute.reason.as_deref().map_or_else(String::new, |reason| format!(" ({})", reason.replace('_', " ")));
    match dispute.status.as_str() {
        "won" => story.say(format!("A dispute over {amount}{reason} was won; the credits are back.")),
        "lost" => story.say(format!("A dispute over {amount}{reason} was lost: the bank keeps the money.")),
        "warning_closed" | "prevented" => story.say(format!("An inquiry over {amount}{reason} was closed.")),
        status => {
            story.tone = Tone::Trouble;
            if !story.title.contains("disputed") {
                "Paid, credited and disputed".clone_into(&mut story.title);
            }
            let what = if status.starts_with("warning") { "The bank inquires about" } else { "Disputed:" };
            let due = match dispute.evidence_due_at {
                Some(due_ms) if due_ms > now_ms => format!("evidence is due by {}", at(due_ms)),
                Some(due_ms) => format!("evidence was due by {}", at(due_ms)),
                None => "evidence may be due; Stripe's dashboard knows until when".to_owned(),
            };
            story.say(format!("{what} {amount}{reason}, {}; {due}.", status.replace('_', " ")))
        }
    }
}

/// Refunds that are not certain.
fn refunds(explanation: &Explanation, mut story: Story) -> Story {
    for refund in explanation.reversals.iter().filter(|reversal| reversal.kind == "refund") {
        let amount = money(refund.amount, &refund.currency);
        match refund.status.as_str() {
            "pending" | "requires_action" => {
                story = story.say(format!("A refund of {amount} is on its way; it can still fail."));
            }
            "failed" | "canceled" => {
                story = story.say(format!("A refund of {amount} did not go through; the credits are back."));
            }
            _ => {}
        }
    }
    for request in explanation.requests.iter().filter(|request| request.state == "creating") {
        let amount = money(request.amount, &request.currency);
        story.tone = Tone::Trouble;
        story = story.say(format!("A refund of {amount} was asked for, and it is not known whether it was made."));
    }
    story
}

fn unpaid(known: Known<'_>) -> Story {
    let explanation = known.explanation;
    let is_open = |failure: &&FailedEvent| failure.state() == FailureState::Open;
    let about_money = |failure: &&FailedEvent| {
        matches!(
            failure.event_type.trim_start_matches("v1."),
            "checkout.session.completed" | "checkout.session.async_payment_succeeded"
        )
    };
    let failure = explanation.failures.iter().filter(is_open).find(about_money);
    match (known.says, failure) {
        (Some(ProviderSays::Report(Applied::Rejected(mismatch))), _) => {
            not_agreed(&mismatch.to_string(), mismatch.field, failure)
        }
        (_, Some(failure)) if failure.kind == "permanent" => {
            not_agreed(&failure.error, failure.error.split(' ').next().unwrap_or_default(), Some(failure))
        }
        (_, Some(failure)) => Story::new(Tone::Trouble, "Paid at Stripe, not in our books")
            .say(format!("Paid at Stripe, not in our books: the webhook failed ({}).", failure.error))
            .say(format!("It was tried {} times, last at {}. Replay it.", failure.attempts, at(failure.last_failed_at)))
            .with(Remedy::Replay { event: failure.provider_event_id.clone() }),
        (Some(ProviderSays::Report(Applied::Credited { .. })), None) => {
            let heard = if explanation.events.is_empty() { "the webhook never came" } else { "its webhook never came" };
            Story::new(Tone::Trouble, "Paid at Stripe, not in our books")
                .say(format!("Paid at Stripe, not in our books: {heard}."))
                .say(
                    "Credit it now: Stripe is asked once more, and the credits are booked once, also if the webhook \
                    comes later.",
                )
                .with(Remedy::Check)
        }
        (says, None) => by_state(known, says),
    }
}

/// Paid, and not what was agreed.
fn not_agreed(reason: &str, field: &str, failure: Option<&FailedEvent>) -> Story {
    let title = match field {
        "amount_total" => "Paid at Stripe, but the amount changed",
        "livemode" => "Paid in another environment",
        _ => "Paid at Stripe, but not what was agreed",
    };
    let story = Story::new(Tone::Trouble, title).say(format!("Paid at Stripe, not in our books: {reason}."));
    match failure {
        Some(failure) if failure.error.contains("can accept") => story.say(format!(
            "If the customer shall have the credits all the same: topup webhooks accept {}. Otherwise refund the \
                payment in \
             Stripe's dashboard.",
            failure.provider_event_id
        )),
        _ => story.say(
            "Nothing was credited. Refund the payment in Stripe's dashboard, or give the credits by an \
            adjustment.",
        ),
    }
}

fn by_state(known: Known<'_>, says: Option<&ProviderSays>) -> Story {
    let topup = &known.explanation.topup;
    let total = money(topup.total_amount_minor, topup.currency.as_str());
    let story = match topup.state {
        TopupState::Processing => Story::new(Tone::Waiting, "Still processing")
            .say(format!(
                "The customer has paid {total} by a method that takes days, and Stripe is still processing it."
            ))
            .say("The credits follow by themselves when the money arrives; it can still fail."),
        TopupState::Failed if topup.failure_code.as_deref() == Some("payment_failed") => {
            Story::new(Tone::Ended, "The payment failed").say(format!(
                "The customer chose a payment that takes days, and it failed: no money arrived, {total} were not paid."
            ))
        }
        TopupState::Failed => Story::new(Tone::Ended, "The checkout was never opened").say(format!(
            "Stripe did not open the checkout ({}). Nobody could pay it.",
            topup.failure_code.as_deref().unwrap_or("no reason is known")
        )),
        TopupState::Expired => match topup.decline_code.as_deref() {
            Some(code) => {
                Story::new(Tone::Ended, "Declined").say(format!("{} The checkout then ended unpaid.", declined(code)))
            }
            None => Story::new(Tone::Ended, "Never paid").say("The checkout ended without a payment."),
        },
        TopupState::Creating => Story::new(Tone::Waiting, "The checkout may not be open")
            .say("It was asked for, and Stripe's answer is not known. Ask Stripe.")
            .with(Remedy::Check),
        _ => match topup.decline_code.as_deref() {
            Some(code) => Story::new(Tone::Ended, "Declined")
                .say(declined(code))
                .say(format!("The customer can try another card until {}.", at(topup.expires_at_ms))),
            None if topup.expires_at_ms <= known.now_ms => Story::new(Tone::Waiting, "Not paid, as far as we know")
                .say(format!(
                    "The checkout should have ended at {}, and Stripe did not report it.",
                    at(topup.expires_at_ms)
                ))
                .with(Remedy::Check),
            None => Story::new(Tone::Waiting, "Not paid yet")
                .say(format!("The checkout over {total} is open until {}.", at(topup.expires_at_ms)))
                .with(Remedy::Check),
        },
    };
    match says {
        None => story,
        Some(ProviderSays::Silent(reason)) => {
            story.say(format!("Stripe could not be asked: {reason}.")).with(Remedy::Check)
        }
        Some(ProviderSays::Unknown) => {
            story.say("Stripe does not know this checkout: it belongs to another Stripe account, or to the other mode.")
        }
        Some(ProviderSays::OfAnother) => story.say("Stripe says that this checkout belongs to something else."),
        Some(ProviderSays::Report(Applied::Moved(state))) if *state != topup.state => story
            .say(format!("Stripe says that it is {} by now; the webhook about that has not come.", state.as_str()))
            .with(Remedy::Check),
        Some(ProviderSays::Report(_)) => story.say("Stripe was asked just now and says the same."),
    }
}

/// Why the bank said no, for someone who does not know Stripe's codes.
fn declined(code: &str) -> String {
    let why = match code {
        "insufficient_funds" => "there was not enough money on the card",
        "expired_card" => "the card has expired",
        "incorrect_cvc" | "invalid_cvc" => "the security code was wrong",
        "incorrect_number" | "invalid_number" => "the card's number was wrong",
        "lost_card" | "stolen_card" | "pickup_card" => "the card was reported as lost or stolen",
        "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" => "the card's limit was reached",
        "authentication_required" | "authentication_failure" | "payment_intent_authentication_failure" => {
            "the customer did not pass the bank's check (3-D Secure)"
        }
        "fraudulent" | "merchant_blacklist" => "Stripe took it for fraud",
        "processing_error" | "try_again_later" => "the bank could not be reached",
        _ => "the bank gave no further reason",
    };
    format!("Declined: {why} ({code}). No money moved.")
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
