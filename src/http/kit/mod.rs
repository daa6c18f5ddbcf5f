//! Shared by all routes: bodies, errors, limits, connections, logs, documentation.

pub(crate) mod body;
pub mod body_budget;
pub(crate) mod client_address;
pub mod connections;
pub(crate) mod fields;
pub(crate) mod host;
pub(crate) mod idempotency_key;
pub mod long_reads;
pub mod middleware;
pub mod notices;
pub mod openapi;
pub(crate) mod paging;
pub(crate) mod plain_errors;
pub mod problem;
pub mod rate_limit;
pub(crate) mod request_log;
pub(crate) mod static_file;
pub(crate) mod timestamp;
