//! The settings of subscriptions.

/// How subscriptions are sold and what they entitle to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionSettings {
    /// How many subscriptions of one account may run at once.
    pub max_running: i64,
    /// For how many days a subscription whose renewal is not paid still entitles.
    pub grace_days: i64,
}

impl Default for SubscriptionSettings {
    fn default() -> Self {
        Self { max_running: 1, grace_days: 3 }
    }
}
