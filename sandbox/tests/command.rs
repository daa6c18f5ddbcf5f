//! The command line program.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::support::start;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_stripe-sandbox"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_one_clear_sentence() {
    let world = start().await;
    let port = world.sandbox.address().port().to_string();
    let output = program().args(["--port", &port]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("Cannot start: 127.0.0.1:{port} is already in use; choose another port.\n"));
    world.sandbox.stop().await;
}

#[test]
fn it_says_how_to_use_it_and_stops_on_a_signal() {
    let mut running =
        program().args(["--port", "0", "--secret-key", "sk_test_mine"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut said = String::new();
    for line in lines {
        let line = line.unwrap();
        said.push_str(&line);
        said.push('\n');
        if line.starts_with("Stop with") {
            break;
        }
    }
    for words in ["no money moves", "http://127.0.0.1:", "sk_test_mine", "4242424242424242", "new Stripe("] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let stopped = Command::new("kill").arg(running.id().to_string()).status().unwrap();
    assert!(stopped.success());
    assert!(running.wait().unwrap().success(), "SIGTERM is a graceful stop");
}

#[test]
fn a_live_key_is_refused() {
    let output = program().args(["--port", "0", "--secret-key", "sk_live_1"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("must begin with sk_test_"));
}
