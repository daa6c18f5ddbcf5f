//! Spending: debits, holds, refusals and batches, on databases of their own.

pub mod analysed;
pub mod bars;
pub mod names;
pub mod requests;
pub mod rounds;
pub mod size;
pub mod spender;
