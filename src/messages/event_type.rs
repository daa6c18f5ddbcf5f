//! The types of messages.

/// The type of a message. The names are stored, and part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// A purchase was paid and its credits are booked.
    TopupPaid,
    /// A payment that had begun failed in the end.
    TopupFailed,
    /// Credits were taken back because money was refunded.
    TopupRefunded,
    /// Credits were taken back by a dispute, or returned because a refund failed or a dispute was won.
    TopupReversed,
    /// The payer disputes a payment.
    DisputeOpened,
    /// A dispute was decided.
    DisputeClosed,
    /// The provider warns that a payment may be fraud.
    DisputeWarning,
    /// Fewer credits than the threshold are available.
    BalanceLow,
    /// At least as many credits as the threshold are available again.
    BalanceRecovered,
    /// No credits are available.
    BalanceDepleted,
    /// Credits end within a few days.
    CreditsExpiring,
    /// Credits have ended.
    CreditsExpired,
    /// A saved card was charged because credits ran low, and they are booked.
    AutoTopupSucceeded,
    /// The charge of a saved card was declined.
    AutoTopupFailed,
    /// No saved card is charged for now.
    AutoTopupPaused,
    /// The customer has to confirm a payment.
    AutoTopupActionRequired,
    /// A hold ended without being captured or released.
    HoldExpired,
    /// A subscription began, with its trial or with its first payment.
    SubscriptionStarted,
    /// A further period of a subscription is paid, and its credits are booked.
    SubscriptionRenewed,
    /// An attempt to pay an invoice of a subscription failed.
    SubscriptionPaymentFailed,
    /// An invoice of a subscription waits for the customer, who has to confirm the payment.
    SubscriptionActionRequired,
    /// A subscription has another plan, or goes on after all.
    SubscriptionChanged,
    /// It is decided that a subscription ends.
    SubscriptionCanceling,
    /// A subscription has ended.
    SubscriptionEnded,
    /// A trial ends within three days.
    SubscriptionTrialEnding,
    /// An endpoint was disabled; the other endpoints are told.
    EndpointDisabled,
    /// A test that an operator asked for.
    EndpointTest,
}

impl EventType {
    /// All types, in the order of the documentation.
    pub const ALL: [Self; 27] = [
        Self::TopupPaid,
        Self::TopupFailed,
        Self::TopupRefunded,
        Self::TopupReversed,
        Self::DisputeOpened,
        Self::DisputeClosed,
        Self::DisputeWarning,
        Self::BalanceLow,
        Self::BalanceRecovered,
        Self::BalanceDepleted,
        Self::CreditsExpiring,
        Self::CreditsExpired,
        Self::AutoTopupSucceeded,
        Self::AutoTopupFailed,
        Self::AutoTopupPaused,
        Self::AutoTopupActionRequired,
        Self::HoldExpired,
        Self::SubscriptionStarted,
        Self::SubscriptionRenewed,
        Self::SubscriptionPaymentFailed,
        Self::SubscriptionActionRequired,
        Self::SubscriptionChanged,
        Self::SubscriptionCanceling,
        Self::SubscriptionEnded,
        Self::SubscriptionTrialEnding,
        Self::EndpointDisabled,
        Self::EndpointTest,
    ];

    /// The name used in the database and in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TopupPaid => "topup.paid",
            Self::TopupFailed => "topup.failed",
            Self::TopupRefunded => "topup.refunded",
            Self::TopupReversed => "topup.reversed",
            Self::DisputeOpened => "dispute.opened",
            Self::DisputeClosed => "dispute.closed",
            Self::DisputeWarning => "dispute.warning",
            Self::BalanceLow => "balance.low",
            Self::BalanceRecovered => "balance.recovered",
            Self::BalanceDepleted => "balance.depleted",
            Self::CreditsExpiring => "credits.expiring",
            Self::CreditsExpired => "credits.expired",
            Self::AutoTopupSucceeded => "auto_topup.succeeded",
            Self::AutoTopupFailed => "auto_topup.failed",
            Self::AutoTopupPaused => "auto_topup.paused",
            Self::AutoTopupActionRequired => "auto_topup.action_required",
            Self::HoldExpired => "hold.expired",
            Self::SubscriptionStarted => "subscription.started",
            Self::SubscriptionRenewed => "subscription.renewed",
            Self::SubscriptionPaymentFailed => "subscription.payment_failed",
            Self::SubscriptionActionRequired => "subscription.action_required",
            Self::SubscriptionChanged => "subscription.changed",
            Self::SubscriptionCanceling => "subscription.canceling",
            Self::SubscriptionEnded => "subscription.ended",
            Self::SubscriptionTrialEnding => "subscription.trial_ending",
            Self::EndpointDisabled => "endpoint.disabled",
            Self::EndpointTest => "endpoint.test",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_reads_back_and_can_be_a_part_of_an_id() {
        for event in EventType::ALL {
            assert_eq!(EventType::parse(event.as_str()), Some(event));
            assert!(event.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)));
        }
        assert_eq!(EventType::parse("topup"), None);
    }
}
