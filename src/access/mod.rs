//! Who may do what: API keys of servers, and operators.

pub mod api_keys;
pub mod caller_key;
pub mod key_rows;
pub mod key_uses;
pub mod known_keys;
pub mod operator;
