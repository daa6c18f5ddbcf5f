//! What a server can do with an account's credits, and why it may be refused.

use crate::access::caller_key::CallerKey;
use crate::books::hold::holds::Hold;
use crate::books::spend::spends::{Purpose, Spend};
use crate::domain::account::AccountId;
use crate::domain::ids::{HoldId, LedgerEntryId, SpendId};
use crate::domain::ledger::Funds;
use crate::domain::spend_limit::SpendLimit;

/// What to do when the account has fewer credits than asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortfall {
    /// Take nothing.
    Reject,
    /// Take what there is.
    Cap,
}

/// A debit.
#[derive(Debug, Clone)]
pub struct Debit {
    /// The id of the spend.
    pub id: SpendId,
    /// The credits to take; at least 1.
    pub credits: i64,
    /// What to do when there are fewer.
    pub on_shortfall: Shortfall,
    /// The fewest credits to take, if fewer than `credits` may be taken.
    pub minimum_credits: i64,
    /// What it is for.
    pub purpose: Purpose,
    /// The idempotency key.
    pub key: CallerKey,
    /// A hash of the request.
    pub request_hash: String,
}

/// A request to reserve credits.
#[derive(Debug, Clone)]
pub struct PlaceHold {
    /// The id of the hold.
    pub id: HoldId,
    /// The credits to reserve; at least 1.
    pub credits: i64,
    /// The fewest credits to reserve; `credits`, if a part is of no use.
    pub minimum_credits: i64,
    /// When it ends by itself, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// What it is for.
    pub purpose: Purpose,
    /// The idempotency key.
    pub key: CallerKey,
    /// A hash of the request.
    pub request_hash: String,
}

/// A request to spend what a hold reserves, or more, or less.
#[derive(Debug, Clone)]
pub struct CaptureHold {
    /// The hold.
    pub hold: HoldId,
    /// The id of the spend.
    pub spend: SpendId,
    /// The credits to take; 0 frees the hold.
    pub credits: i64,
    /// What to do when more is asked for than the hold reserves and the account has.
    pub on_shortfall: Shortfall,
    /// Replaces the hold's metadata.
    pub metadata: Option<String>,
}

/// A request to reserve more, or for longer.
#[derive(Debug, Clone)]
pub struct ExtendHold {
    /// The hold.
    pub hold: HoldId,
    /// The new total; never less than the present one.
    pub credits: Option<i64>,
    /// The new end, in milliseconds since 1970; never before the present one.
    pub expires_at_ms: Option<i64>,
}

/// What to do with an account's credits.
#[derive(Debug, Clone)]
pub enum Action {
    /// Take credits.
    Debit(Debit),
    /// Reserve credits.
    Hold(PlaceHold),
    /// Spend reserved credits.
    Capture(CaptureHold),
    /// Free reserved credits.
    Release(HoldId),
    /// Reserve more, or for longer.
    Extend(ExtendHold),
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The account has fewer credits than asked for.
    Insufficient {
        /// How many are needed at least.
        required: i64,
        /// What the account has.
        funds: Funds,
    },
    /// The balance would be enough, but other holds reserve too much of it. Try again when they have ended.
    CreditsHeld {
        /// How many are needed at least.
        required: i64,
        /// What the account has.
        funds: Funds,
    },
    /// A limit leaves fewer credits than asked for.
    LimitReached {
        /// How many are needed at least.
        required: i64,
        /// The limit with the least room.
        limit: Box<SpendLimit>,
        /// What the account has.
        funds: Funds,
    },
    /// An operator blocked the account.
    Blocked,
    /// The hold was captured, with another number of credits.
    HoldCaptured,
    /// The hold was released.
    HoldReleased,
    /// The hold has ended, so that it cannot be extended.
    HoldExpired,
    /// There is no such hold.
    UnknownHold,
}

/// How many credits a limit leaves.
pub(crate) fn room(limit: Option<&SpendLimit>) -> i64 {
    limit.map_or(i64::MAX, SpendLimit::room)
}

impl Debit {
    /// The fewest credits that must be available.
    pub(crate) const fn least(&self) -> i64 {
        match self.on_shortfall {
            Shortfall::Reject => self.credits,
            Shortfall::Cap => self.minimum_credits,
        }
    }
}

impl Action {
    /// The fewest credits that must be available for a debit or hold.
    pub(crate) const fn least(&self) -> i64 {
        match self {
            Self::Debit(debit) => debit.least(),
            Self::Hold(PlaceHold { minimum_credits, .. }) => *minimum_credits,
            Self::Capture(_) | Self::Release(_) | Self::Extend(_) => 0,
        }
    }
}

impl Refusal {
    /// A limit leaves fewer credits than needed, if it does. It is named before a lack of credits, because more credits
    /// would not help.
    pub(crate) fn beyond(limit: Option<&SpendLimit>, required: i64, funds: Funds) -> Option<Self> {
        let limit = limit.filter(|limit| limit.room() < required)?;
        Some(Self::LimitReached { required, limit: Box::new(limit.clone()), funds })
    }

    /// Too few credits are available.
    pub(crate) fn too_few(required: i64, funds: Funds) -> Self {
        Self::too_few_beside(0, required, funds)
    }

    /// Too few credits are available beside those that a hold reserves already. Its own credits are no reason to wait.
    pub(crate) fn too_few_beside(own: i64, required: i64, funds: Funds) -> Self {
        if required.checked_add(own).is_some_and(|total| total <= funds.remaining) {
            Self::CreditsHeld { required, funds }
        } else {
            Self::Insufficient { required, funds }
        }
    }
}

/// What an action did, before the commit.
pub(crate) enum Done {
    /// It spent credits.
    Spent(Spend),
    /// It reserved or freed credits.
    Held(Hold),
    /// An earlier request did it.
    Known,
    /// Nothing.
    Refused(Refusal),
}

/// A change of an account's credits by a server that spends them.
#[derive(Debug, Clone)]
pub struct SpendCommand {
    /// The account.
    pub account: AccountId,
    /// What to do.
    pub action: Action,
    /// The id from which those of the ledger entries are derived.
    pub entry: LedgerEntryId,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
    /// Whether the statement that knows limits decides it. Without it, an account with limits is [`SpendOutcome::HasLimits`].
    pub with_limits: bool,
}

/// The outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpendOutcome {
    /// Credits were spent.
    Spent(Box<Spend>, Funds),
    /// Credits are reserved, or were freed.
    Held(Box<Hold>, Funds),
    /// An earlier request with this key did it, or one with another content.
    Known,
    /// Nothing was done.
    Refused(Refusal),
    /// Nothing was done yet: the account has limits, and the shorter statement for debits does not know them. The command
    /// has to run again, with limits.
    HasLimits,
    /// Nothing was done yet: the account's history was adopted in part, or another command settles the account first. The
    /// command has to run again.
    Again,
}
