//! The names of measurements and databases, and the numbers of connections.

pub const CONNECTIONS: [usize; 4] = [1, 8, 32, 64];
pub const CHECKOUT_CONNECTIONS: [usize; 3] = [1, 8, 32];
pub const READERS: usize = 8;
pub const POSTGRES: &str = "PostgreSQL";
pub const SQLITE: &str = "SQLite";

pub const PGBENCH_MANY: &str = "pgbench, 10,000 accounts";
pub const PGBENCH_ONE: &str = "pgbench, one hot account";
pub const PGBENCH_CHECKOUTS: &str = "pgbench, the writes of a checkout";
pub const LOOP_EACH: &str = "bare loop, a commit each";
pub const LOOP_TOGETHER: &str = "bare loop, 100 together";
pub const LIVE: &str = "GET /health/live";
pub const CHECKOUTS: &str = "checkouts";
pub const STRIPE_ALONE: &str = "the local Stripe endpoint";
pub const READS: &str = "balance reads while deliveries run";
pub const BESIDE_READS: &str = "deliveries while balances are read";
pub const BESIDE_HELD: &str = "deliveries while another account's row is held";
pub const FREE: &str = "deliveries while no row is held";
pub const NOT_ANALYSED: &str = "deliveries, never analysed";
pub const ANALYSED_EMPTY: &str = "deliveries, analysed when nothing was delivered";
pub const AS_SENT: &str = "events as Stripe sends them";
pub const COMPLETED: &str = "events that credit, and no others";
pub const BY_TOKEN: &str = "balance reads by token";
pub const BY_KEY: &str = "balance reads by API key";
pub const HALF_LOAD: &str = "deliveries at half of the maximum";
