//! Runs a script of somebody else's (`tests/spending/hammer.py`) against servers that are killed meanwhile.
//!
//! A small version runs with all tests. `HAMMER_PROCESSES` and `HAMMER_OPERATIONS` set the size of the full one.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::Backend;
use crate::support::process::{Process, Settings, free_port, run};
use crate::support::serve::World;

/// Into how many parts the script divides its progress; a server is killed after each of these.
const KILLED_AFTER: [u32; 5] = [3, 6, 9, 12, 15];

/// The processes of the small version.
const SMALL_PROCESSES: usize = 16;

/// Two servers on one PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_hammering_every_account_has_what_the_answers_say_on_two_servers() {
    hammered(Backend::Postgres, 2).await;
}

/// One server, because one serves a SQLite file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_hammering_every_account_has_what_the_answers_say_on_sqlite() {
    hammered(Backend::Sqlite, 1).await;
}

async fn hammered(backend: Backend, servers: usize) {
    let world = World::new(backend).await;
    let settings: Vec<Settings> = (0..servers).map(|_| world.settings_on(free_port())).collect();
    let mut running = Vec::new();
    for settings in &settings {
        running.push(Process::serve(settings, None).await);
    }
    let processes = size("HAMMER_PROCESSES", SMALL_PROCESSES);
    let accounts = processes.div_ceil(4);
    let mut script = start(&settings, processes, accounts);
    for (turn, step) in KILLED_AFTER.into_iter().enumerate() {
        script.output_line(&format!("progress {step}/")).await;
        let victim = turn % servers;
        running[victim].kill();
        running[victim] = Process::serve(&settings[victim], None).await;
    }
    for step in KILLED_AFTER[4] + 1..=20 {
        script.output_line(&format!("progress {step}/")).await;
    }
    script.output_line("quiet").await;
    // A stop finishes what is still on its way.
    for (process, settings) in running.iter_mut().zip(&settings) {
        process.terminate();
        let stopped = std::mem::replace(process, Process::start(Command::new("true")));
        assert!(stopped.ended().await.0, "it stops with success");
        *process = Process::serve(settings, None).await;
    }
    script.go_on();
    script.output_line("asked").await;
    for number in 1..=accounts {
        script.output_line(&format!("compared {number}/")).await;
    }
    let said = script.output_line("report ").await;
    let report = said.last().and_then(|line| line.strip_prefix("report ")).expect("a report").to_owned();
    let (well, errors) = script.ended().await;
    println!("{report}");
    assert!(well, "{report}\n{}", errors.join("\n"));
    let report: Value = serde_json::from_str(&report).expect("JSON");
    for what in ["spends", "refunds", "holds", "lost answers", "repeated requests", "refusals"] {
        assert!(report[what].as_i64().is_some_and(|number| number > 0), "nothing was tried of {what}: {report}");
    }
    let (well, said, errors) = run(&settings[0], &["audit", "--replay"]);
    assert!(well && said.contains("Everything holds."), "{said}{errors}");
    drop(running);
    if processes <= SMALL_PROCESSES {
        world.finish().await; // its rules read whole tables in one statement; of large books the audit has proof
    }
}

/// Starts the script with API keys of its own.
fn start(settings: &[Settings], processes: usize, accounts: usize) -> Process {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spending/hammer.py");
    let mut command = Command::new("python3");
    command.arg("-B").arg(script);
    for settings in settings {
        command.args(["--server", &format!("http://{}", settings["BIND_ADDRESS"])]);
    }
    command.args(["--key", &key(&settings[0], "spend,read"), "--admin", &key(&settings[0], "admin")]);
    let operations = size("HAMMER_OPERATIONS", 25);
    for (name, number) in [("--processes", processes), ("--accounts", accounts), ("--operations", operations)] {
        command.args([name, &number.to_string()]);
    }
    Process::start(command)
}

/// A number from the environment, or that of the small version.
fn size(name: &str, small: usize) -> usize {
    std::env::var(name).map_or(small, |size| size.parse().expect("a number"))
}

fn key(settings: &Settings, scopes: &str) -> String {
    let (well, key, errors) = run(settings, &["keys", "create", "--name", "hammer", "--scope", scopes]);
    assert!(well, "{errors}");
    key.trim().to_owned()
}
