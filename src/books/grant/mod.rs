//! Grants that operators make and end, and what an account's grants are.

pub mod grant_list;
pub mod next_expiry;
pub(crate) mod period;
pub mod promote;
pub(crate) mod promotions;
pub mod void_grant;
