//! Why a measurement failed: a message for the user, with its cause.

pub type Failure = Box<dyn std::error::Error + Send + Sync>;
