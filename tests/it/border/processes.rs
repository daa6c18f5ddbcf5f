//! The same limits on a separate process: few file descriptors, memory, the log, and a second signal.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use super::hostile::Kind;
use crate::support::process::{Process, raw_request, read_all, topup};
use crate::support::serve::World;
use crate::support::{Backend, until};

const MIB: u64 = 1024 * 1024;
/// Earlier than the time limit of the first held connection.
const SOON: Duration = Duration::from_secs(8);

fn address(world: &World) -> SocketAddr {
    world.url().trim_start_matches("http://").parse().expect("an address")
}

/// Starts `topup serve` with a limit on open files.
async fn serve_with_files(world: &World, files: u32) -> Process {
    let settings = world.settings();
    let program = topup(&settings);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {files}; exec \"$0\" serve")]).arg(program.get_program());
    command.env_clear().envs(&settings).env("PATH", std::env::var("PATH").unwrap_or_default());
    command.current_dir(std::env::temp_dir());
    let mut process = Process::start(command);
    process.error_line("\"serving\"").await;
    process
}

async fn begin_many(world: &World, kind: Kind, count: usize) -> Vec<std::net::TcpStream> {
    let address = address(world);
    let begin = move || (0..count).map(|_| kind.begin(address)).collect();
    tokio::task::spawn_blocking(begin).await.expect("begins")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_few_files_answers_beside_more_connections_than_it_has_files() {
    let world = World::new(Backend::Sqlite).await;
    let mut process = serve_with_files(&world, 256).await;
    let mut held = Vec::new();
    for kind in [Kind::Silent, Kind::EndlessAfterNotFound, Kind::HalfDelivery, Kind::ReadsNothing] {
        held.extend(begin_many(&world, kind, 300).await);
        for _ in 0..10 {
            let answer = tokio::time::timeout(SOON, world.credits("user_1")).await;
            assert_eq!(answer.expect("an answer before any of the others' time is over"), Some(0), "{kind:?}");
        }
    }
    let (status, body) = world.try_checkout("user_1", "key-1").await.expect("an answer");
    assert_eq!(status, 200, "{body}");
    drop(held);
    process.kill();
    world.finish().await;
}

/// The resident memory of a process, as the kernel reports it.
fn resident_bytes(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_clients_that_read_no_answer_take_little_memory() {
    let world = World::new(Backend::Sqlite).await;
    let process = Process::serve(&world.settings(), None).await;
    assert_eq!(world.credits("user_1").await, Some(0));
    let before = resident_bytes(&process);
    let held = begin_many(&world, Kind::ReadsNothing, 300).await;
    assert_eq!(world.credits("user_1").await, Some(0));
    let grown = resident_bytes(&process).saturating_sub(before);
    assert!(grown < 64 * MIB, "{} MiB more", grown / MIB);
    drop(held);
    drop(process);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_http_is_400_and_no_error_in_the_log() {
    let world = World::new(Backend::Sqlite).await;
    let process = Process::serve(&world.settings(), None).await;
    for garbage in ["nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}", "GET /\0 HTTP/1.1\r\n\r\n"] {
        let stream = raw_request(address(&world), garbage.as_bytes());
        stream.shutdown(std::net::Shutdown::Write).expect("half closed");
        let answer = tokio::task::spawn_blocking(move || read_all(stream)).await.expect("reads");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{garbage:?}: {answer}");
    }
    process.terminate();
    let (ended_well, lines) = process.ended().await;
    assert!(ended_well && lines.iter().any(|line| line.contains("stopped")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("\"ERROR\"")), "{lines:?}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_stops_at_once() {
    let world = World::new(Backend::Sqlite).await;
    world.stripe.checkout_fault(1, serde_json::json!({ "kind": "hold" })).await;
    let mut process = Process::serve(&world.settings(), None).await;
    let checkout = world.try_checkout("user_1", "key-1");
    let stop = async {
        world.stripe.wait_for_holds(1).await;
        process.terminate();
        process.error_line("stopping: no new requests").await;
        process.terminate();
        process.error_line("stopping at once").await;
        process.ended().await.0
    };
    let (answer, ended_well) = tokio::join!(checkout, stop);
    assert!(answer.is_none() && !ended_well);
    world.stripe.release().await;
    // The interrupted request continues with the same key.
    let process = Process::serve(&world.settings_afterwards(), None).await;
    let answered = async || world.try_checkout("user_1", "key-1").await.filter(|(status, _)| *status == 200);
    until("the checkout", answered).await;
    drop(process);
    world.finish().await;
}
