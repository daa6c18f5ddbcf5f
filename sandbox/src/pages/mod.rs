//! The HTML pages, rendered on the server: the site of the person who develops, and the pages of customers.
//!
//! All work without JavaScript and load nothing from elsewhere. The site's one script refreshes it.

pub(crate) mod api_controls;
pub(crate) mod attempts;
pub(crate) mod bank_debit;
pub(crate) mod card_form;
pub(crate) mod cards;
pub(crate) mod checkout;
pub(crate) mod control_forms;
pub(crate) mod controls;
pub(crate) mod customer_cell;
pub(crate) mod customers;
pub(crate) mod deliveries;
pub(crate) mod disputes;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod field;
pub(crate) mod invoice;
pub(crate) mod layout;
pub(crate) mod notices;
pub(crate) mod overview;
pub(crate) mod parts;
pub(crate) mod paying;
pub(crate) mod payment;
pub(crate) mod payment_cell;
pub(crate) mod payments;
pub(crate) mod portal;
pub(crate) mod receipt;
pub(crate) mod refunds;
pub(crate) mod requests;
pub(crate) mod saved_cards;
pub(crate) mod site;
pub(crate) mod time;
pub(crate) mod view;
pub(crate) mod webhook_controls;
pub(crate) mod words;
