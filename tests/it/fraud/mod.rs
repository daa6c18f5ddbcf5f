//! Early fraud warnings, reviews, and the evidence for disputes.

mod evidence;
mod signals;
