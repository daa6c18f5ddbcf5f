//! An account's customer at the provider: made once, before the first checkout that needs one, and made anew if it was
//! deleted there.
//!
//! Invariants: an account has at most one customer at a time, by the key of the table. It is found by our own row and
//! never by the provider's search, which is late. Nothing that the provider knows of the person (an e-mail address, a
//! name) ever decides who somebody is here.

pub(crate) mod customer_rows;
pub mod ensure_customer;
