//! The allowed dependencies between modules (docs/ARCHITECTURE.md, *Directions*), checked in the source so that
//! shortcuts are noticed.

use std::path::{Path, PathBuf};

/// A room and those that it may use besides itself, from the ground up.
const MAY_USE: [(&str, &[&str]); 29] = [
    ("domain", &[]),
    ("checkpoints", &[]),
    ("database_url", &[]),
    ("database_url_tests", &[]),
    ("measure", &[]),
    ("outgoing", &[]),
    ("ports", &[]),
    ("system", &["ports"]),
    ("traces", &["measure", "outgoing"]),
    ("config", &["database_url", "domain", "traces"]),
    ("db", &["database_url", "checkpoints", "measure", "traces"]),
    ("providers", &["domain", "checkpoints", "measure", "outgoing", "traces"]),
    // What every use case works with.
    ("app", &["db", "domain", "ports", "providers", "traces"]),
    ("access", &["app", "db", "domain", "ports"]),
    ("customers", &["app", "db", "domain", "providers"]),
    ("messages", &["db", "domain"]),
    ("books", &["access", "app", "db", "domain", "measure", "messages"]),
    ("exports", &["books", "db", "domain"]),
    ("outbox", &["app", "books", "checkpoints", "db", "domain", "measure", "messages", "outgoing", "ports", "traces"]),
    (
        "purchases",
        &["access", "app", "books", "customers", "db", "domain", "measure", "messages", "ports", "providers"],
    ),
    (
        "recurring",
        &["access", "app", "books", "checkpoints", "customers", "db", "domain", "messages", "providers", "purchases"],
    ),
    ("plans", &["app", "db", "domain", "providers"]),
    (
        "subscriptions",
        &[
            "access",
            "app",
            "books",
            "customers",
            "db",
            "domain",
            "measure",
            "messages",
            "plans",
            "providers",
            "purchases",
        ],
    ),
    (
        "inbox",
        &[
            "access",
            "app",
            "customers",
            "db",
            "domain",
            "measure",
            "ports",
            "providers",
            "purchases",
            "recurring",
            "subscriptions",
        ],
    ),
    ("reconcile", &["app", "db", "domain", "providers", "purchases", "recurring", "subscriptions"]),
    (
        "console",
        &[
            "access",
            "app",
            "books",
            "db",
            "domain",
            "inbox",
            "plans",
            "providers",
            "purchases",
            "reconcile",
            "subscriptions",
        ],
    ),
    (
        "doctor",
        &[
            "app",
            "books",
            "config",
            "database_url",
            "db",
            "domain",
            "inbox",
            "outgoing",
            "plans",
            "ports",
            "providers",
            "reconcile",
        ],
    ),
    // It lists the statements of all modules, for tests.
    (
        "catalogue",
        &[
            "access",
            "books",
            "console",
            "customers",
            "db",
            "doctor",
            "exports",
            "inbox",
            "messages",
            "outbox",
            "plans",
            "purchases",
            "reconcile",
            "recurring",
            "subscriptions",
        ],
    ),
    (
        "http",
        &[
            "access",
            "app",
            "books",
            "console",
            "customers",
            "doctor",
            "domain",
            "exports",
            "inbox",
            "measure",
            "messages",
            "outbox",
            "outgoing",
            "plans",
            "purchases",
            "reconcile",
            "recurring",
            "subscriptions",
            "traces",
        ],
    ),
];
/// These connect everything and may use every module.
const WIRING: [&str; 4] = ["bin", "dev", "lib", "startup"];

/// Single things that a file may use although its room may not use theirs, and why.
const EXCEPTIONS: [(&str, &str, &str); 18] = [
    ("system.rs", "checkpoints::clock_offset_ms", "tests move the clock of a debug build"),
    ("app/mod.rs", "purchases::adopt::seal::SealKey", "what checkouts are sealed with"),
    (
        "purchases/explain_topup.rs",
        "inbox::failed_events::FailedEvent",
        "an operator sees a purchase with its failures",
    ),
    (
        "purchases/topup_history.rs",
        "inbox::failed_events::FailedEvent",
        "an operator sees a purchase with its failures",
    ),
    ("http/kit/problem/admin.rs", "providers::port::ProviderError", "the one place that maps errors to HTTP"),
    ("http/kit/problem/mod.rs", "db::StoreError", "the one place that maps errors to HTTP"),
    ("http/admin/reconciliations.rs", "db::StoreError", "a report that cannot be read is corrupt data"),
    ("http/kit/timestamp.rs", "db::StoreError", "a time that cannot be is corrupt data"),
    ("http/auth/jwt/mod.rs", "config::jwt::", "the settings are the verifier's own types"),
    ("http/auth/jwt/mod.rs", "ports::Clock", "a token's times"),
    ("http/auth/jwks/mod.rs", "ports::Clock", "a key set's age"),
    ("http/auth/jwks/probe.rs", "config::jwt::", "the settings that name the key set"),
    ("http/auth/jwks/key_set.rs", "config::jwt::", "the settings' own kinds of keys"),
    ("http/auth/jwt/token.rs", "config::jwt::", "the settings' own names of algorithms"),
    ("http/auth/jwt/testing.rs", "ports::Clock", "a test's clock"),
    ("http/webhooks/receive.rs", "providers::event::WebhookError", "a refused delivery's reason"),
    ("http/webhooks/stray_deliveries.rs", "providers::event::WebhookError", "a refused delivery's reason"),
    ("http/auth/jwks/tests/mod.rs", "config::jwt::", "a test's settings"),
];

struct Source {
    /// The path below `src`, with slashes.
    path: String,
    /// The lines that are not comments.
    lines: Vec<String>,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut folders, mut found) = (vec![root.clone()], Vec::<PathBuf>::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("text");
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect();
        Source { path: path.strip_prefix(&root).expect("below").to_str().expect("text").to_owned(), lines }
    };
    let sources: Vec<Source> = found.into_iter().map(read).collect();
    assert!(sources.len() > 10, "{folder} has moved");
    sources
}

/// `src/http/auth/jwt/mod.rs` is part of `http`, `src/system.rs` of `system`.
fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or_default()
}

/// The paths after each `crate::` of a line, and after each `super::` that reaches the crate's root.
fn uses(source: &Source, line: &str) -> Vec<String> {
    let mut uses: Vec<String> = line.split("crate::").skip(1).map(str::to_owned).collect();
    let depth = source.path.trim_end_matches("/mod.rs").split('/').count();
    let to_root = "super::".repeat(depth);
    let from_root = line.split(&to_root).skip(1).filter(|rest| {
        let name: String = rest.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
        MAY_USE.iter().any(|(module, _)| *module == name)
    });
    uses.extend(from_root.map(str::to_owned));
    uses
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let (mut wrong, mut edges, mut needed) = (Vec::new(), 0, [false; EXCEPTIONS.len()]);
    for source in sources("src") {
        let from = module(&source.path);
        if WIRING.contains(&from) {
            continue;
        }
        let allowed = MAY_USE.iter().find(|(name, _)| *name == from);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("src/{} is a module that no rule knows", source.path));
        for line in &source.lines {
            for used in uses(&source, line) {
                let to: String =
                    used.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
                edges += 1;
                let exception =
                    EXCEPTIONS.iter().position(|(file, item, _)| *file == source.path && used.starts_with(item));
                if let Some(exception) = exception {
                    needed[exception] = true;
                } else if to != from && !allowed.contains(&to.as_str()) {
                    wrong.push(format!("src/{}: {} uses {to}: {}", source.path, from, line.trim()));
                }
            }
        }
    }
    assert!(edges > 80, "only {edges} uses were found: the source is written in another way than this test reads it");
    assert!(wrong.is_empty(), "the direction of dependencies is broken:\n{}", wrong.join("\n"));
    let unneeded: Vec<_> = EXCEPTIONS.iter().zip(needed).filter(|(_, needed)| !needed).map(|(rule, _)| rule).collect();
    assert!(unneeded.is_empty(), "exceptions that nobody needs any more: {unneeded:?}");
}

/// The files in which one of these texts occurs as a whole word.
fn files_with(sources: &[Source], texts: &[&str]) -> Vec<String> {
    let has = |line: &String| {
        texts.iter().any(|text| {
            line.match_indices(text).any(|(start, _)| {
                let before = line[..start].chars().next_back();
                !before.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':')
            })
        })
    };
    let mut files: Vec<String> =
        sources.iter().filter(|source| source.lines.iter().any(has)).map(|source| source.path.clone()).collect();
    files.sort();
    files
}

#[test]
fn only_the_database_room_names_the_databases() {
    let texts = [
        "Sqlite",
        "SqlitePool",
        "Postgres",
        "PgPool",
        "PgConnect",
        "PgRow",
        "sqlx::sqlite",
        "sqlx::postgres",
        "sqlx::Any",
    ];
    let files = files_with(&sources("src"), &texts);
    assert!(files.len() > 4 && files.iter().all(|file| file.starts_with("db/")), "{files:?}");
}

#[test]
fn only_the_database_room_talks_to_a_database() {
    let mut sources = sources("src");
    for line in sources.iter_mut().flat_map(|source| &mut source.lines) {
        // The conversion from a row is written beside the type.
        *line = line.replace("sqlx::FromRow", "");
    }
    let files = files_with(&sources, &["sqlx::"]);
    assert!(files.iter().all(|file| file.starts_with("db/")), "{files:?}");
}

/// Except for the statements that credit groups of payments.
#[test]
fn only_one_file_of_the_books_changes_a_balance_or_writes_an_entry() {
    let texts = ["INTO accounts", "UPDATE accounts", "FROM accounts WHERE TRUE", "INTO ledger_entries"];
    let writes = |source: &Source| source.lines.iter().any(|line| texts.iter().any(|text| line.contains(text)));
    let files: Vec<String> = sources("src").into_iter().filter(writes).map(|source| source.path).collect();
    assert_eq!(files, ["books/entries.rs", "books/locked_account.rs"]);
}

#[test]
fn only_what_makes_requests_to_stripe_uses_async_stripe() {
    let texts = [
        "stripe::",
        "stripe_checkout::",
        "stripe_core::",
        "stripe_shared::",
        "stripe_types::",
        "stripe_client_core::",
        "async_stripe",
    ];
    let mut files = files_with(&sources("src"), &texts);
    // `topup::providers::stripe` at the start of a path, from the module's own folder.
    files.retain(|file| file != "lib.rs");
    assert_eq!(
        files,
        [
            "providers/stripe/gateway/account_defaults.rs",
            "providers/stripe/gateway/call.rs",
            "providers/stripe/gateway/cards.rs",
            "providers/stripe/gateway/charges.rs",
            "providers/stripe/gateway/checkout.rs",
            "providers/stripe/gateway/customers.rs",
            "providers/stripe/gateway/endpoints.rs",
            "providers/stripe/gateway/events.rs",
            "providers/stripe/gateway/invoices.rs",
            "providers/stripe/gateway/lists.rs",
            "providers/stripe/gateway/mod.rs",
            "providers/stripe/gateway/money.rs",
            "providers/stripe/gateway/permissions.rs",
            "providers/stripe/gateway/plans.rs",
            "providers/stripe/gateway/portal.rs",
            "providers/stripe/gateway/subscription_checkouts.rs",
            "providers/stripe/gateway/subscriptions.rs",
            "providers/stripe/gateway/tax.rs",
            "providers/stripe/transport/http.rs",
            "providers/stripe/transport/http_tests.rs"
        ]
    );
}

#[test]
fn one_file_asks_for_the_time_and_for_randomness() {
    let all = sources("src");
    let texts = ["SystemTime::now", "OffsetDateTime::now", "Uuid::now", "Uuid::new", "getrandom::", "rand::"];
    let mut files = files_with(&all, &texts);
    // A longer path in front must match too.
    files.extend(files_with(&all, &["time::OffsetDateTime::now", "uuid::Uuid::n", "std::time::SystemTime::now"]));
    files.sort();
    files.dedup();
    assert_eq!(files, ["system.rs"]);
}

#[test]
fn the_http_client_belongs_to_the_key_set_to_stripe_to_endpoints_and_to_the_demo_s_server() {
    let files = files_with(&sources("src"), &["reqwest::"]);
    let client = [
        "http/demo/product.rs",
        "http/demo/sandbox.rs",
        "outbox/sender.rs",
        "outgoing.rs",
        "providers/stripe/clock.rs",
        "providers/stripe/transport/http.rs",
        "traces/export.rs",
    ];
    let may = |file: &String| file.starts_with("http/auth/") || client.contains(&file.as_str());
    assert!(files.iter().all(may), "{files:?}");
    // All of them use the same trust roots and follow no redirects.
    let made_by = [
        "Client::builder",
        "Client::new",
        "Client::default",
        "ClientBuilder::new",
        "reqwest::Client::",
        "reqwest::get",
    ];
    let made = files_with(&sources("src"), &made_by);
    assert_eq!(made, ["outgoing.rs"]);
}

#[test]
fn the_sandbox_and_the_service_do_not_know_each_other() {
    assert_eq!(files_with(&sources("src"), &["stripe_sandbox"]), ["dev.rs"]);
    // As a crate. The word alone is also Stripe's, for money that is added to a balance.
    assert_eq!(files_with(&sources("sandbox/src"), &["topup::", "extern crate"]), Vec::<String>::new());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("sandbox/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("text");
    let (_, dependencies) = manifest.split_once("[dependencies]").expect("dependencies");
    assert!(!dependencies.contains("topup"), "{dependencies}");
}
