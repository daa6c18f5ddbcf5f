//! A sequential account that is written down as the rules read, and knows nothing of the code it is compared with.

use std::collections::{BTreeMap, BTreeSet};

use topup::books::spend::action::{Action, Refusal, Shortfall, SpendCommand, SpendOutcome};
use topup::domain::ledger::Funds;
use topup::domain::spend_limit::{Period, Windows};

/// A grant.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// Bought, or free.
    pub is_paid: bool,
    /// What remains.
    pub remaining: i64,
}

/// A hold.
#[derive(Debug, Clone)]
pub struct Hold {
    subject: String,
    credits: i64,
    expires_at: i64,
    state: &'static str,
    asked_to_capture: i64,
}

/// The account.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The balance.
    pub balance: i64,
    /// Credits spent.
    pub used: i64,
    /// Its grants, oldest first.
    pub grants: Vec<Grant>,
    /// Its holds.
    pub holds: BTreeMap<String, Hold>,
    /// Its limits, by subject and period.
    pub limits: BTreeMap<(String, Period), i64>,
    spends: Vec<(i64, String, i64)>,
    keys: BTreeSet<String>,
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// So many credits were spent.
    Spent(i64),
    /// So many credits are reserved, or were.
    Held(i64),
    /// An earlier command did it.
    Known,
    /// Too few credits.
    TooFew,
    /// Enough credits, but reserved.
    Reserved,
    /// A limit of this period leaves fewer, so many.
    Limited(String, Period, i64),
    /// Another reason.
    Other(Refusal),
}

impl Verdict {
    /// What the service said.
    pub fn of(outcome: &SpendOutcome) -> Self {
        match outcome {
            SpendOutcome::Spent(spend, _) => Self::Spent(spend.credits),
            SpendOutcome::Held(hold, _) => Self::Held(hold.credits),
            SpendOutcome::Known => Self::Known,
            SpendOutcome::Refused(Refusal::Insufficient { .. }) => Self::TooFew,
            SpendOutcome::Refused(Refusal::CreditsHeld { .. }) => Self::Reserved,
            SpendOutcome::Refused(Refusal::LimitReached { limit, .. }) => {
                Self::Limited(limit.subject.clone(), limit.period, limit.room())
            }
            SpendOutcome::Refused(other) => Self::Other(other.clone()),
            SpendOutcome::Again | SpendOutcome::HasLimits => panic!("not decided"),
        }
    }
}

impl Model {
    /// The credits.
    pub fn funds(&self) -> Funds {
        let held = self.holds.values().filter(|hold| hold.state == "open").map(|hold| hold.credits).sum();
        Funds { remaining: self.balance, held }
    }

    /// Credits come: what does not repay a negative balance opens a grant.
    pub fn come(&mut self, id: &str, credits: i64, is_paid: bool) {
        let owed = (-self.balance).max(0);
        self.balance += credits;
        let remaining = (credits - owed).max(0);
        self.grants.push(Grant { id: id.to_owned(), is_paid, remaining });
    }

    /// Credits are taken back, from the purchase's own grant first.
    pub fn take_back(&mut self, own: &str, credits: i64) {
        let mut rest = credits.min(self.balance.max(0));
        self.balance -= credits;
        if let Some(grant) = self.grants.iter_mut().find(|grant| grant.id == own) {
            let part = rest.min(grant.remaining);
            grant.remaining -= part;
            rest -= part;
        }
        assert_eq!(self.burn(rest), 0);
    }

    /// An operator takes credits, if there are enough that nobody reserved.
    pub fn adjust_down(&mut self, credits: i64) -> bool {
        if self.balance - self.funds().held < credits {
            return false;
        }
        self.balance -= credits;
        assert_eq!(self.burn(credits), 0);
        true
    }

    /// Takes from the grants: free ones first, then the oldest. Returns what they lack.
    fn burn(&mut self, mut amount: i64) -> i64 {
        for paid in [false, true] {
            for grant in self.grants.iter_mut().filter(|grant| grant.is_paid == paid) {
                let part = amount.min(grant.remaining);
                grant.remaining -= part;
                amount -= part;
            }
        }
        amount
    }

    /// What the limits that a subject meets leave, the one with the least first.
    fn rooms(&self, subject: &str, now_ms: i64) -> Vec<(i64, Period, String)> {
        let of = |whose: &str, other: &str| whose.is_empty() || whose == other;
        let mut rooms = Vec::new();
        for ((whose, period), credits) in self.limits.iter().filter(|((whose, _), _)| of(whose, subject)) {
            let start = Windows::at(now_ms).start_ms(*period);
            let used: i64 = self
                .spends
                .iter()
                .filter(|(at, other, _)| *at >= start && of(whose, other))
                .map(|(_, _, credits)| credits)
                .sum();
            let open = self.holds.values().filter(|hold| hold.state == "open" && of(whose, &hold.subject));
            let held: i64 = open.map(|hold| hold.credits).sum();
            rooms.push((credits - used - held, *period, whose.clone()));
        }
        rooms.sort();
        rooms
    }

    fn room(&self, subject: &str, now_ms: i64) -> i64 {
        self.rooms(subject, now_ms).first().map_or(i64::MAX, |(left, _, _)| (*left).max(0))
    }

    fn beyond(&self, subject: &str, now_ms: i64, required: i64) -> Option<Verdict> {
        let (left, period, whose) = self.rooms(subject, now_ms).into_iter().next()?;
        (left.max(0) < required).then(|| Verdict::Limited(whose, period, left.max(0)))
    }

    fn spend(&mut self, credits: i64, subject: &str, now_ms: i64) -> Verdict {
        self.spends.push((now_ms, subject.to_owned(), credits));
        self.burn(credits);
        self.balance -= credits;
        self.used += credits;
        Verdict::Spent(credits)
    }

    /// With the credits of the hold in question: its own are no reason to wait.
    fn too_few(&self, required: i64) -> Verdict {
        if self.balance >= required { Verdict::Reserved } else { Verdict::TooFew }
    }

    fn release(&mut self, id: &str) -> Verdict {
        match self.holds.get_mut(id) {
            None => Verdict::Other(Refusal::UnknownHold),
            Some(hold) if hold.state == "captured" => Verdict::Other(Refusal::HoldCaptured),
            Some(hold) => {
                if hold.state == "open" {
                    hold.state = "released";
                }
                Verdict::Held(hold.credits)
            }
        }
    }

    /// Decides a command.
    pub fn decide(&mut self, command: &SpendCommand) -> Verdict {
        for hold in self.holds.values_mut().filter(|hold| hold.state == "open") {
            if hold.expires_at <= command.now_ms {
                hold.state = "expired";
            }
        }
        let (available, now_ms) = ((self.balance - self.funds().held).max(0), command.now_ms);
        match &command.action {
            Action::Debit(new) => {
                let key = format!("debit {}", new.key.key);
                if self.keys.contains(&key) {
                    return Verdict::Known;
                }
                let least = if new.on_shortfall == Shortfall::Cap { new.minimum_credits } else { new.credits };
                if self.grants.is_empty() {
                    return Verdict::TooFew;
                }
                if let Some(refusal) = self.beyond(&new.purpose.subject, now_ms, least) {
                    return refusal;
                }
                if available < least {
                    return self.too_few(least);
                }
                self.keys.insert(key);
                let credits = new.credits.min(available).min(self.room(&new.purpose.subject, now_ms));
                self.spend(credits, &new.purpose.subject, now_ms)
            }
            Action::Hold(new) => {
                let key = format!("hold {}", new.key.key);
                if self.keys.contains(&key) {
                    return Verdict::Known;
                }
                if let Some(refusal) = self.beyond(&new.purpose.subject, now_ms, new.minimum_credits) {
                    return refusal;
                }
                let credits = new.credits.min(available).min(self.room(&new.purpose.subject, now_ms));
                if credits < new.minimum_credits {
                    return self.too_few(new.minimum_credits);
                }
                self.keys.insert(key);
                let subject = new.purpose.subject.clone();
                let hold = Hold { subject, credits, expires_at: new.expires_at_ms, state: "open", asked_to_capture: 0 };
                self.holds.insert(new.id.to_string(), hold);
                Verdict::Held(credits)
            }
            Action::Capture(new) => {
                let Some(hold) = self.holds.get(new.hold.as_str()).cloned() else {
                    return Verdict::Other(Refusal::UnknownHold);
                };
                let reserved = match hold.state {
                    "open" => hold.credits,
                    "expired" => 0,
                    "released" => return Verdict::Other(Refusal::HoldReleased),
                    _ if hold.asked_to_capture == new.credits => return Verdict::Known,
                    _ => return Verdict::Other(Refusal::HoldCaptured),
                };
                let within = new.credits.min(reserved);
                let beyond = new.credits - within;
                let possible = beyond.min(available).min(self.room(&hold.subject, now_ms));
                if possible < beyond && new.on_shortfall == Shortfall::Reject {
                    let refusal = self.beyond(&hold.subject, now_ms, beyond);
                    return refusal.unwrap_or_else(|| self.too_few(new.credits));
                }
                let subject = hold.subject;
                let hold = self.holds.get_mut(new.hold.as_str()).expect("a hold");
                (hold.state, hold.asked_to_capture) = ("captured", new.credits);
                self.spend(within + possible, &subject, now_ms)
            }
            Action::Release(id) => self.release(id.as_str()),
            Action::Extend(new) => {
                let Some(hold) = self.holds.get(new.hold.as_str()) else {
                    return Verdict::Other(Refusal::UnknownHold);
                };
                match hold.state {
                    "open" => {}
                    "captured" => return Verdict::Other(Refusal::HoldCaptured),
                    "released" => return Verdict::Other(Refusal::HoldReleased),
                    _ => return Verdict::Other(Refusal::HoldExpired),
                }
                let more = (new.credits.unwrap_or_default() - hold.credits).max(0);
                if more > 0
                    && let Some(refusal) = self.beyond(&hold.subject, now_ms, more)
                {
                    return refusal;
                }
                if more > available {
                    return self.too_few(hold.credits + more);
                }
                let hold = self.holds.get_mut(new.hold.as_str()).expect("a hold");
                hold.credits += more;
                hold.expires_at = hold.expires_at.max(new.expires_at_ms.unwrap_or_default());
                Verdict::Held(hold.credits)
            }
        }
    }
}
