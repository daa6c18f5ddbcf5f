//! What the operator's console does and shows: sessions, the log of changes, search, actions. `http/console/` has the
//! pages.
//!
//! Invariants: a change is in the operator log before it is made, and it is made by the use case that the admin API
//! calls. Nothing here moves credits or money by itself.

pub mod actions;
pub mod evidence;
pub mod find;
pub mod key_actions;
pub mod operator_log;
pub mod overview;
pub mod payer_jobs;
pub mod payers;
pub mod person;
pub mod registers;
pub mod sessions;
pub mod settings;
pub mod story;
pub mod words;
