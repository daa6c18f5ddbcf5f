//! The HTML pages. Rendered on the server, without JavaScript or external resources.

pub(crate) mod bank_debit;
pub(crate) mod checkout;
pub(crate) mod control_forms;
pub(crate) mod control_rows;
pub(crate) mod controls;
pub(crate) mod endpoints;
pub(crate) mod field;
pub(crate) mod home;
pub(crate) mod layout;
pub(crate) mod saved_cards;
pub(crate) mod time;
