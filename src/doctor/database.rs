//! The database: whether it can be used, and whether what is committed lasts.

use secrecy::ExposeSecret;

use crate::app::check_clock::REFUSED_SECONDS;
use crate::app::with_causes;
use crate::books::instance::{Instance, MigrationState};
use crate::config::UsableSettings;
use crate::db::facts::{DatabaseFacts, FileFacts, Medium, ServerFacts};
use crate::db::{Db, StoreError};
use crate::doctor::finding::{About, Finding};
use crate::doctor::{Limits, in_time};
use crate::ports::Clock;
use crate::providers::stripe::name::NAME;

const REACHABLE: About = ("database.reachable", "Database");
const VERSION: About = ("database.version", "Database version");
const ROLE: About = ("database.role", "Database server");
const DURABILITY: About = ("database.durability", "Durable commits");
const POOLER: About = ("database.pooler", "Connection pooler");
const CLOCK: About = ("database.clock", "Database clock");
const SPACE: About = ("database.space", "Free disk");
const PRIVACY: About = ("database.privacy", "File permissions");
const MIGRATIONS: About = ("database.migrations", "Migrations");
const USE: About = ("database.use", "Use of the database");

/// 14.0, the oldest that is tested.
const OLDEST_SERVER: i64 = 140_000;
/// A clock that differs by more confuses a reader of times; leases are unaffected, because they use the database's.
const TOLERATED_CLOCK_MS: i64 = 5_000;
const MIB: u64 = 1024 * 1024;

/// What was found.
pub(super) struct DatabaseNews {
    pub(super) findings: Vec<Finding>,
    /// The database, if its tables can be read.
    pub(super) db: Option<Db>,
}

pub(super) async fn examine(settings: &UsableSettings, clock: &dyn Clock, limits: Limits) -> DatabaseNews {
    let Some(url) = &settings.database_url else { return DatabaseNews { findings: Vec::new(), db: None } };
    let db = match in_time(limits, Db::connect_to_read(url.expose_secret())).await.unwrap_or(Err(StoreError::TimedOut))
    {
        Ok(db) => db,
        Err(error) => return DatabaseNews { findings: vec![unreachable(&error)], db: None },
    };
    let mut findings = vec![Finding::ok(REACHABLE, "it answers")];
    let asked_ms = clock.now_ms();
    match in_time(limits, db.facts()).await.unwrap_or(Err(StoreError::TimedOut)) {
        Ok(DatabaseFacts::File(facts)) => findings.extend(of_file(&facts, limits)),
        Ok(DatabaseFacts::Server(facts)) => {
            let ours_ms = asked_ms.midpoint(clock.now_ms());
            findings.extend(of_server(&facts, is_declared(settings), ours_ms));
        }
        Err(error) => findings.push(unreachable(&error)),
    }
    let (of_books, is_readable) = in_time(limits, of_books(&db, settings))
        .await
        .unwrap_or_else(|| (vec![unreachable(&StoreError::TimedOut)], false));
    findings.extend(of_books);
    if is_readable {
        return DatabaseNews { findings, db: Some(db) };
    }
    db.close().await;
    DatabaseNews { findings, db: None }
}

fn unreachable(error: &StoreError) -> Finding {
    let way_out = match error {
        StoreError::File { .. } => "correct DATABASE_URL, or create the database with `topup migrate`",
        StoreError::Server { .. } => "start the server, or correct the address, user or password in DATABASE_URL",
        StoreError::TimedOut => "look whether the server is overloaded, or whether a firewall drops its packets",
        _ => "correct DATABASE_URL; docs/settings.md has its forms",
    };
    Finding::failed(REACHABLE, with_causes(error), way_out)
}

/// Whether the address itself says that a pooler is in between.
fn is_declared(settings: &UsableSettings) -> bool {
    let url = settings.database_url.as_ref().map(|url| crate::database_url::DatabaseUrl::parse(url.expose_secret()));
    url.is_some_and(|url| url.is_ok_and(|url| url.through_pooler))
}

fn of_file(facts: &FileFacts, limits: Limits) -> Vec<Finding> {
    let path = facts.path.display();
    let mut findings = vec![Finding::ok(VERSION, format!("SQLite {}, the file {path}", facts.version))];
    findings.push(match facts.medium {
        Medium::Disk => Finding::ok(DURABILITY, "every commit waits for the disk (synchronous=FULL)"),
        Medium::Network => Finding::failed(
            DURABILITY,
            format!("{path} lies on a network file system, where SQLite's locks and shared memory do not work"),
            "move the file to a local disk, or use PostgreSQL",
        ),
        Medium::Memory => Finding::warning(
            DURABILITY,
            format!("{path} lies in memory (tmpfs): the books are lost when the machine stops"),
            "move the file to a disk; in a container, to a volume",
        ),
    });
    if let Some(free) = facts.free_bytes {
        let (room, way_out) = (format!("{} MiB", free / MIB), "make room, or move the file to a larger disk");
        findings.push(if free < limits.least_free_bytes {
            Finding::failed(SPACE, format!("only {room} are left, and the next writes may fail"), way_out)
        } else if free < limits.low_free_bytes {
            Finding::warning(SPACE, format!("only {room} are left"), way_out)
        } else {
            Finding::ok(SPACE, format!("{room} are left"))
        });
    }
    findings.push(if facts.is_readable_by_others {
        let detail = format!("other users of this machine can read {path}");
        Finding::warning(PRIVACY, detail, format!("run `chmod 600 {path}*`"))
    } else {
        Finding::ok(PRIVACY, "only its owner can read the file")
    });
    findings
}

fn of_server(facts: &ServerFacts, is_declared: bool, ours_ms: i64) -> Vec<Finding> {
    let version = format!("PostgreSQL {}", facts.version);
    let mut findings = vec![if facts.version_number >= OLDEST_SERVER {
        Finding::ok(VERSION, version)
    } else {
        Finding::failed(VERSION, format!("{version} is too old"), "upgrade the server to PostgreSQL 14 or later")
    }];
    if facts.is_replica {
        let detail = "it follows another server and takes no writes";
        findings.push(Finding::failed(ROLE, detail, "set DATABASE_URL to the primary server"));
    }
    findings.push(durability(facts));
    findings.push(match (facts.is_pooled, is_declared) {
        (false, _) => Finding::ok(POOLER, "there is none: each connection is a session"),
        (true, true) => {
            Finding::ok(POOLER, "it is declared in DATABASE_URL; `topup migrate` needs the server's own address")
        }
        (true, false) => Finding::warning(
            POOLER,
            "sessions are shared between transactions, so a pooler is in between: each write takes more round trips",
            "use the server's own address, as `topup migrate` must; or declare the pooler with pgbouncer=true in \
             DATABASE_URL",
        ),
    });
    findings.push(clock(facts.now_ms, ours_ms));
    findings
}

fn durability(facts: &ServerFacts) -> Finding {
    let mut off = Vec::new();
    if !facts.fsync {
        off.push("fsync");
    }
    if !facts.full_page_writes {
        off.push("full_page_writes");
    }
    if facts.synchronous_commit == "off" {
        off.push("synchronous_commit");
    }
    if off.is_empty() {
        return Finding::ok(
            DURABILITY,
            format!("every commit waits (synchronous_commit={})", facts.synchronous_commit),
        );
    }
    let off = off.join(", ");
    Finding::failed(
        DURABILITY,
        format!("off: {off}. What was acknowledged to Stripe can be lost when the server crashes"),
        format!("switch on {off} at the server, for this database and for this role"),
    )
}

fn clock(theirs_ms: i64, ours_ms: i64) -> Finding {
    let ahead_ms = ours_ms.saturating_sub(theirs_ms);
    let distance_ms = ahead_ms.saturating_abs();
    let seconds = distance_ms / 1_000;
    if distance_ms <= TOLERATED_CLOCK_MS {
        return Finding::ok(CLOCK, "agrees with this machine's");
    }
    let direction = if ahead_ms < 0 { "behind" } else { "ahead of" };
    let detail = format!("this machine's clock is {seconds} s {direction} the server's");
    let way_out = "set both clocks, for example by NTP";
    if distance_ms > REFUSED_SECONDS.saturating_mul(1_000) {
        Finding::failed(CLOCK, detail, way_out)
    } else {
        Finding::warning(CLOCK, detail, way_out)
    }
}

/// Migrations and use. The flag says whether the tables can be read.
async fn of_books(db: &Db, settings: &UsableSettings) -> (Vec<Finding>, bool) {
    let mut findings = match db.migration_state().await {
        Ok(MigrationState::Current) => vec![Finding::ok(MIGRATIONS, "at this version's state")],
        Ok(MigrationState::Behind) => {
            let detail = "the database lacks migrations, so `topup serve` does not start";
            return (vec![Finding::failed(MIGRATIONS, detail, "run `topup migrate`")], false);
        }
        Ok(MigrationState::Ahead) => {
            let detail = "a newer version has migrated the database, so this one does not start";
            return (vec![Finding::failed(MIGRATIONS, detail, "use the newer topup")], false);
        }
        Err(error) => return (vec![unreachable(&error)], false),
    };
    if let Some((stripe, pricing)) = settings.stripe.as_ref().zip(settings.pricing.as_ref()) {
        let wanted = Instance::wanted(stripe.livemode, NAME, pricing);
        findings.push(match db.instance().await {
            Ok(None) => Finding::ok(USE, "no service has used it yet"),
            Ok(Some(remembered)) => match remembered.check(&wanted) {
                Ok(()) => Finding::ok(USE, "the settings are those of its first start"),
                Err(other) => {
                    Finding::failed(USE, other.to_string(), "change the setting, or use another DATABASE_URL")
                }
            },
            Err(error) => unreachable(&error),
        });
    }
    (findings, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::FindingState;

    fn server() -> ServerFacts {
        ServerFacts {
            version: "17.2".to_owned(),
            version_number: 170_002,
            is_pooled: false,
            is_replica: false,
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".to_owned(),
            now_ms: 1_000_000,
        }
    }

    fn about(facts: &ServerFacts, (id, _): About) -> Finding {
        let findings = of_server(facts, false, 1_000_000);
        findings.into_iter().find(|finding| finding.id == id).expect("a finding")
    }

    fn way_out(finding: &Finding) -> &str {
        finding.way_out.as_deref().unwrap_or_default()
    }

    #[test]
    fn a_good_server_has_no_way_out() {
        let findings = of_server(&server(), false, 1_000_000);
        assert!(findings.iter().all(|finding| finding.state == FindingState::Ok && finding.way_out.is_none()));
    }

    #[test]
    fn an_old_server_and_a_replica_are_refused() {
        let old = about(&ServerFacts { version_number: 130_018, ..server() }, VERSION);
        assert_eq!((old.state, way_out(&old)), (FindingState::Failed, "upgrade the server to PostgreSQL 14 or later"));
        let replica = about(&ServerFacts { is_replica: true, ..server() }, ROLE);
        assert_eq!(
            (replica.state, way_out(&replica)),
            (FindingState::Failed, "set DATABASE_URL to the primary server")
        );
    }

    #[test]
    fn each_setting_that_makes_commits_volatile_is_named() {
        for (facts, name) in [
            (ServerFacts { fsync: false, ..server() }, "fsync"),
            (ServerFacts { full_page_writes: false, ..server() }, "full_page_writes"),
            (ServerFacts { synchronous_commit: "off".to_owned(), ..server() }, "synchronous_commit"),
        ] {
            let finding = about(&facts, DURABILITY);
            assert_eq!(finding.state, FindingState::Failed);
            assert!(way_out(&finding).starts_with(&format!("switch on {name} at the server")), "{finding:?}");
        }
        let remote = ServerFacts { synchronous_commit: "remote_apply".to_owned(), ..server() };
        assert_eq!(about(&remote, DURABILITY).state, FindingState::Ok);
    }

    #[test]
    fn a_file_on_a_network_or_in_memory_is_not_durable() {
        let on = |medium| {
            let path = std::path::PathBuf::from("/data/topup.db");
            let facts =
                FileFacts { version: "3".to_owned(), path, medium, free_bytes: None, is_readable_by_others: false };
            of_file(&facts, Limits::default())
                .into_iter()
                .find(|finding| finding.id == DURABILITY.0)
                .expect("a finding")
        };
        assert_eq!(on(Medium::Disk).state, FindingState::Ok);
        let network = on(Medium::Network);
        assert_eq!(network.state, FindingState::Failed);
        assert!(way_out(&network).contains("local disk"), "{network:?}");
        let memory = on(Medium::Memory);
        assert_eq!(memory.state, FindingState::Warning);
        assert!(way_out(&memory).contains("a volume"), "{memory:?}");
    }

    #[test]
    fn a_clock_is_judged_in_both_directions() {
        for (ahead_ms, state) in [
            (5_000, FindingState::Ok),
            (-5_000, FindingState::Ok),
            (6_000, FindingState::Warning),
            (-6_000, FindingState::Warning),
            (301_000, FindingState::Failed),
            (-301_000, FindingState::Failed),
        ] {
            assert_eq!(clock(1_000_000, 1_000_000 + ahead_ms).state, state, "{ahead_ms}");
        }
    }
}
