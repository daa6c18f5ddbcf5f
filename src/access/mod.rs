//! Access control: API keys of servers, operators, callers' idempotency keys.

pub mod api_keys;
pub mod caller_key;
pub mod key_rows;
pub mod key_uses;
pub mod known_keys;
pub mod operator;
