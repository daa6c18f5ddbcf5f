//! Why a measurement ends early: a text for the person who runs it, with whatever caused it.

pub type Failure = Box<dyn std::error::Error + Send + Sync>;
