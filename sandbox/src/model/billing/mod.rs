//! Recurring billing: subscriptions, invoices, test clocks, the customer portal and what belongs to them.
//!
//! Invariants: status and money are separate. A subscription's status follows its invoices; an invoice follows its
//! payment intent, however that was paid; and only `collect` draws the consequences, once. Time is a customer's own:
//! the sandbox's, or that of a test clock.

pub(crate) mod agenda;
pub(crate) mod billing_api;
pub(crate) mod catalog;
pub(crate) mod change;
pub(crate) mod checkout;
pub(crate) mod collect;
pub(crate) mod control;
pub(crate) mod credit_note;
pub(crate) mod credit_note_api;
pub(crate) mod document;
pub(crate) mod dunning;
pub(crate) mod ending;
pub(crate) mod event_order;
pub(crate) mod former;
pub(crate) mod interval;
pub(crate) mod invoice;
pub(crate) mod invoice_api;
pub(crate) mod invoice_item_api;
pub(crate) mod invoice_json;
pub(crate) mod invoice_page;
pub(crate) mod invoice_params;
pub(crate) mod invoice_payment_api;
pub(crate) mod issue;
pub(crate) mod limits;
pub(crate) mod lines;
pub(crate) mod plan_api;
pub(crate) mod portal;
pub(crate) mod portal_actions;
pub(crate) mod portal_api;
pub(crate) mod portal_params;
pub(crate) mod preview;
pub(crate) mod preview_api;
pub(crate) mod proration;

pub(crate) mod quote_api;
pub(crate) mod renewal;
pub(crate) mod resumption;
pub(crate) mod schedule;
pub(crate) mod schedule_api;
pub(crate) mod schedule_create;
pub(crate) mod schedule_params;
pub(crate) mod schedule_steps;
pub(crate) mod simple_api;
pub(crate) mod standing;
pub(crate) mod start;
pub(crate) mod subscription;
pub(crate) mod subscription_api;
pub(crate) mod subscription_item_api;
pub(crate) mod subscription_json;
pub(crate) mod subscription_list;
pub(crate) mod subscription_params;
pub(crate) mod subscription_update;
pub(crate) mod tax_api;
pub(crate) mod test_clock;
pub(crate) mod test_clock_api;
pub(crate) mod update;
pub(crate) mod update_plan;
pub(crate) mod wanted_items;
