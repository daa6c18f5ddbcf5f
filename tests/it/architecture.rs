//! Who may know of whom (docs/ARCHITECTURE.md, design section 1). Read from the source, so that a shortcut shows.

use std::path::{Path, PathBuf};

/// A module and those that it may use besides itself.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("domain", &[]),
    ("secret", &[]),
    ("checkpoints", &[]),
    ("database_url", &[]),
    ("outgoing", &[]),
    ("database_url_tests", &[]),
    ("ports", &["domain"]),
    ("system", &["ports"]),
    ("config", &["database_url", "domain", "secret"]),
    ("store", &["database_url", "domain", "checkpoints"]),
    ("stripe", &["ports", "domain", "secret", "checkpoints", "outgoing"]),
    ("app", &["domain", "ports", "store"]),
    ("http", &["app", "domain", "outgoing"]),
    // They put everything together.
    ("startup", &["app", "config", "http", "ports", "store", "stripe", "system"]),
    ("dev", &["app", "config", "http", "domain", "ports", "store", "startup", "secret", "system"]),
];

/// Single things that a file may use although its module may not use theirs, and why.
const EXCEPTIONS: [(&str, &str, &str); 27] = [
    ("system.rs", "checkpoints::clock_offset_ms", "tests move the clock of a debug build"),
    ("http/health.rs", "store::instance::MigrationState", "a read model, passed through"),
    ("store/topups.rs", "ports::CheckoutRequest", "what will be sent to Stripe is stored as it is"),
    ("store/topup_attempts.rs", "ports::CheckoutRequest", "what will be sent to Stripe is stored as it is"),
    ("app/api_keys.rs", "secret::Secret", "a new key is shown once"),
    ("http/accepted_events.rs", "store::acceptances::Accepted", "a read model, passed through the use case"),
    ("http/accounts.rs", "store::ledger::LedgerEntry", "a read model, passed through the use case"),
    ("http/admin_adoptions.rs", "store::adoption::Adopted", "what came of it, passed through the use case"),
    ("http/problem/admin.rs", "ports::GatewayError", "the one place that maps errors to HTTP"),
    ("http/admin_adjustments.rs", "store::adjustments::Adjustment", "a read model, passed through the use case"),
    ("http/admin_topups.rs", "store::topup_history::", "a read model, passed through the use case"),
    ("http/topup_details.rs", "store::", "a read model, passed through the use case"),
    ("http/sessions.rs", "store::topups::Topup", "a read model, passed through the use case"),
    ("http/webhook_events.rs", "store::failed_events::", "read models and their filters, passed through"),
    ("http/problem.rs", "store::StoreError", "the one place that maps errors to HTTP"),
    ("http/reconciliations.rs", "store::StoreError", "a report that cannot be read is corrupt data"),
    ("http/timestamp.rs", "store::StoreError", "a time that cannot be is corrupt data"),
    ("http/auth/jwt.rs", "config::jwt::", "the settings are the verifier's own types"),
    ("http/auth/jwt.rs", "ports::Clock", "a token's times"),
    ("http/auth/jwks.rs", "ports::Clock", "a key set's age"),
    ("http/auth/jwks/key_set.rs", "config::jwt::PublicKeyKind", "the settings' own kinds of keys"),
    ("http/auth/jwt/testing.rs", "ports::Clock", "a test's clock"),
    ("http/webhooks.rs", "ports::WebhookError", "a refused delivery's reason"),
    ("http/stray_deliveries.rs", "ports::WebhookError", "a refused delivery's reason"),
    ("http/auth/jwt/tests.rs", "secret::Secret", "a test's settings"),
    ("http/auth/jwks/tests.rs", "config::jwt::", "a test's settings"),
    ("http/demo.rs", "secret::Secret", "the demo signs tokens; only in builds with the feature dev"),
];

struct Source {
    /// Below `src`, with slashes.
    path: String,
    /// Without lines that are comments.
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

/// `src/http/auth/jwt.rs` is part of `http`, `src/system.rs` of `system`.
fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or_default()
}

/// What follows each `crate::` of a line, and each `super::` that goes as far up.
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
        // The command line starts the library from outside; the library's root only names its modules.
        if ["main", "lib"].contains(&from) {
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

/// The files of which a line has one of these texts as a word of its own.
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
fn one_file_and_its_folder_name_the_databases() {
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
    assert_eq!(
        files_with(&sources("src"), &texts),
        [
            "store/backend.rs",
            "store/backend/connect.rs",
            "store/backend/copies.rs",
            "store/backend/pools.rs",
            "store/backend/queries.rs",
            "store/backend/session.rs",
            "store/backend/sqlite_file.rs",
            "store/backend/tx.rs"
        ]
    );
}

#[test]
fn only_the_store_talks_to_a_database() {
    let files = files_with(&sources("src"), &["sqlx::"]);
    assert!(files.iter().all(|file| file.starts_with("store/")), "{files:?}");
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
    // `topup::stripe` at the beginning of a path, from the module's own folder.
    files.retain(|file| file != "lib.rs");
    assert_eq!(
        files,
        [
            "stripe/gateway.rs",
            "stripe/gateway/account_defaults.rs",
            "stripe/gateway/call.rs",
            "stripe/gateway/checkout.rs",
            "stripe/gateway/events.rs",
            "stripe/gateway/lists.rs",
            "stripe/gateway/money.rs",
            "stripe/gateway/permissions.rs",
            "stripe/transport/http.rs",
            "stripe/transport/http_tests.rs"
        ]
    );
}

#[test]
fn one_file_asks_for_the_time_and_for_randomness() {
    let all = sources("src");
    let texts = ["SystemTime::now", "OffsetDateTime::now", "Uuid::now", "Uuid::new", "getrandom::", "rand::"];
    let mut files = files_with(&all, &texts);
    // A path in front of it is no disguise.
    files.extend(files_with(&all, &["time::OffsetDateTime::now", "uuid::Uuid::n", "std::time::SystemTime::now"]));
    files.sort();
    files.dedup();
    assert_eq!(files, ["system.rs"]);
}

#[test]
fn the_http_client_belongs_to_the_key_set_and_to_stripe() {
    let files = files_with(&sources("src"), &["reqwest::"]);
    let client = ["outgoing.rs", "stripe/clock.rs", "stripe/transport/http.rs"];
    let may = |file: &String| file.starts_with("http/auth/") || client.contains(&file.as_str());
    assert!(files.iter().all(may), "{files:?}");
    // All of them trust the same and follow nobody.
    let made = files_with(&sources("src"), &["Client::builder", "Client::new", "ClientBuilder::new"]);
    assert_eq!(made, ["outgoing.rs"]);
}

#[test]
fn the_sandbox_and_the_service_do_not_know_each_other() {
    assert_eq!(files_with(&sources("src"), &["stripe_sandbox"]), ["dev.rs"]);
    assert_eq!(files_with(&sources("sandbox/src"), &["topup"]), Vec::<String>::new());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("sandbox/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("text");
    let (_, dependencies) = manifest.split_once("[dependencies]").expect("dependencies");
    assert!(!dependencies.contains("topup"), "{dependencies}");
}
