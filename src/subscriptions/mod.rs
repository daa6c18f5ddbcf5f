//! Subscriptions: begun at a checkout, kept by the provider, and mirrored here. What they earn in credits is booked here.
//!
//! Invariants: credits come from paid invoices only, each period once. A state is stored as it was fetched, and never
//! derived from the order of events. Every write about a subscription has the lock of its row, which comes before the
//! account's.

pub mod apply_reversal;
pub mod apply_snapshot;
pub mod change_subscription;
pub mod checkout_rows;
pub mod entitlement;
pub mod grant_period;
pub mod grant_rows;
pub mod invoice_rows;
pub mod list_subscriptions;
pub mod open_subscription;
pub mod portal;
pub mod refresh;
pub mod reversal_rows;
pub mod subscription_rows;
pub mod take_back;
pub mod tell;
