//! The names of what is measured of spending, and the accounts that it concerns.

pub const DEBITS: &str = "debits, 10,000 accounts";
pub const HOT_DEBITS: &str = "debits, one hot account";
pub const HALF_LOAD: &str = "debits at half of the maximum";
pub const PGBENCH_MANY: &str = "pgbench, the writes of a debit, 10,000 accounts";
pub const PGBENCH_ONE: &str = "pgbench, the writes of a debit, one hot account";
pub const LOOP_EACH: &str = "bare loop, the writes of a debit, a commit each";
pub const LIVE: &str = "GET /health/live beside debits";

pub const ONE_GRANT: &str = "debits, an account with one grant";
pub const MANY_GRANTS: &str = "debits, an account with 100 open grants";
pub const MANY_HOLDS: &str = "debits, an account with 10,000 open holds";

pub const PAIRS: &str = "holds, each captured";
pub const BESIDE_PAIRS: &str = "debits in turn with holds";
pub const BATCHES: &str = "debits in batches of 100";
pub const BESIDE_BATCHES: &str = "debits in turn with batches";
pub const PAYING_ALONE: &str = "debits without refusals";
pub const PAYING_BESIDE: &str = "debits beside refusals";
pub const REFUSALS: &str = "refusals of an empty account";

pub const ANALYSED_EMPTY: &str = "debits, analysed when the tables were empty";
pub const ANALYSED_FULL: &str = "debits, analysed when the accounts had credits";

/// The account with 100 open grants.
pub const ACCOUNT_WITH_GRANTS: &str = "account_with_grants";
pub const GRANTS: u64 = 100;
/// The account with 10,000 open holds.
pub const ACCOUNT_WITH_HOLDS: &str = "account_with_holds";
pub const HOLDS: u64 = 10_000;
/// The account beside these two, with one grant and no hold.
pub const PLAIN_ACCOUNT: &str = "account_plain";
/// The account that has spent everything.
pub const EMPTY_ACCOUNT: &str = "account_empty";

/// The name of the series for a number of spends that were there before.
pub fn size(spends: u64) -> String {
    format!("debits, {spends} spends before")
}
