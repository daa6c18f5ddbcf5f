//! Loading returns what was saved, with and without crashes.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::model::{
    Cause, late,
    limits::{self, Limits},
    params::Params,
    request::{Method, Request},
    tests::Run,
    version::DEFAULT_API_VERSION,
};

/// A sandbox without a server, and its state files.
struct World {
    folder: TempDir,
    run: Run,
    file: StateFile,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = StateFile::new(folder.path().join("sandbox.json"));
        Self { folder, run: Run::new(), file }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sandbox.json")
    }

    fn journal(&self) -> Vec<u8> {
        fs::read(journal_path(&self.path())).expect("a journal")
    }

    /// Returns how much was written, and whether it was a snapshot.
    fn save(&mut self) -> (usize, bool) {
        let content = self.file.take(&mut self.run.state).expect("JSON");
        let (bytes, is_snapshot) = match &content {
            Content::Snapshot(bytes, _) => (bytes.len(), true),
            Content::Change(bytes) => (bytes.len(), false),
        };
        self.file.write(content).expect("written");
        (bytes, is_snapshot)
    }

    fn buy(&mut self) {
        let session = self.run.session("");
        self.run.confirm(&session, "pm_card_visa").expect("paid");
    }

    fn loaded(&self) -> Value {
        json(&load(&self.path()).expect("loads"))
    }

    /// Asserts that loading returns what was saved.
    fn assert_kept(&self) {
        assert_same(&self.loaded(), &json(&self.run.state));
    }
}

/// Compares without printing, because a whole state is too large to print.
fn assert_same(loaded: &Value, expected: &Value) {
    for (name, value) in expected.as_object().expect("an object") {
        assert!(loaded[name] == *value, "{name} differs");
    }
}

fn json(state: &State) -> Value {
    serde_json::to_value(state).expect("JSON")
}

#[test]
fn a_save_writes_what_changed_whatever_there_is_already() {
    let mut world = World::new();
    world.save();
    let mut sizes = Vec::new();
    for _ in 0..40 {
        // Nothing is delivered, and a session stays open: both accumulate.
        world.run.session("");
        world.buy();
        let (bytes, is_snapshot) = world.save();
        assert!(!is_snapshot, "the journal is small");
        sizes.push(bytes);
    }
    let (first, last) = (sizes[0], sizes[39]);
    assert!(last < first + first / 20, "{first} bytes became {last}");
    world.assert_kept();
    let (nothing, _) = world.save();
    assert!(nothing < 1_000, "{nothing} bytes for nothing");
}

#[test]
fn compaction_keeps_everything_and_is_rare() {
    let mut world = World::new();
    let (mut written, mut snapshots) = (0, 0);
    for _ in 0..200 {
        world.buy();
        let mut numbers = world.run.state.deliveries.keys().copied();
        let (first, second) = (numbers.next().expect("a delivery"), numbers.next().expect("another"));
        world.run.state.deliveries.remove(&first);
        world.run.state.deliveries.get_mut(&second).expect("is there").attempts += 1;
        let (bytes, is_snapshot) = world.save();
        written += bytes;
        snapshots += usize::from(is_snapshot);
        if is_snapshot {
            world.assert_kept();
        }
    }
    world.assert_kept();
    let size = json(&world.run.state).to_string().len();
    assert!((2..6).contains(&snapshots), "{snapshots} snapshots");
    assert!(written < 4 * size, "{written} bytes were written for a state of {size}");
}

#[test]
fn a_journal_knows_what_was_dropped() {
    let mut world = World::new();
    world.save();
    for _ in 0..15 {
        world.buy();
        world.run.state.deliveries.retain(|_, _| false);
        world.save();
    }
    assert!(limits::trim(&mut world.run.state, Limits { events: 20, answers: 3, payments: 10, ..limits::LIMITS }));
    let (_, is_snapshot) = world.save();
    assert!(!is_snapshot, "it is in the journal");
    world.assert_kept();
}

#[test]
fn a_crash_within_an_entry_loses_that_entry_only() {
    let mut world = World::new();
    world.buy();
    world.save();
    world.buy();
    world.save();
    let (two, whole) = (json(&world.run.state), world.journal());
    world.buy();
    world.save();
    let (three, more) = (json(&world.run.state), world.journal());
    let journal = journal_path(&world.path());
    for length in (whole.len()..more.len() - 1).step_by(61) {
        fs::write(&journal, &more[..length]).expect("written");
        assert_same(&world.loaded(), &two);
    }
    fs::write(&journal, &more[..more.len() - 1]).expect("written");
    // Only the end of the line is missing.
    assert_same(&world.loaded(), &three);
    // Not a crash: the entries that follow were confirmed and must not be lost silently.
    let mut broken = more;
    broken[whole.len() - 10] = b'\n';
    fs::write(&journal, &broken).expect("written");
    let refused = load(&world.path()).expect_err("is refused").to_string();
    assert!(refused.contains("sandbox.json.journal: line 2"), "{refused}");
}

#[test]
fn a_journal_of_another_snapshot_is_not_applied() {
    let mut world = World::new();
    world.save();
    world.buy();
    world.save();
    let old = world.journal();
    // A crash between the new snapshot and its journal.
    world.buy();
    world.file = StateFile::new(world.path());
    let (_, is_snapshot) = world.save();
    assert!(is_snapshot);
    fs::write(journal_path(&world.path()), old).expect("written");
    world.assert_kept();
    // Or before the journal exists.
    fs::remove_file(journal_path(&world.path())).expect("removed");
    world.assert_kept();
}

#[test]
fn after_an_error_all_of_the_state_is_written_and_nothing_half_written_is_left() {
    let mut world = World::new();
    world.save();
    world.buy();
    // The state file's folder is missing for a while, so writes fail.
    let content = world.file.take(&mut world.run.state).expect("JSON");
    let mut elsewhere = StateFile::new(world.folder.path().join("nowhere/sandbox.json"));
    assert!(elsewhere.write(content).is_err());
    world.file = elsewhere;
    let content = world.file.take(&mut world.run.state).expect("JSON");
    assert!(matches!(content, Content::Snapshot(..)), "{content:?}");
    // A folder at the target path makes the rename fail.
    let blocked = world.folder.path().join("blocked.json");
    fs::create_dir(&blocked).expect("a folder");
    assert!(StateFile::new(blocked).write(content).is_err());
    let names = fs::read_dir(world.folder.path()).expect("a folder").map(|entry| entry.expect("one").file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["blocked.json", "sandbox.json", "sandbox.json.journal"]);
}

#[test]
fn a_request_that_is_carried_out_later_is_written_and_read_again() {
    let mut world = World::new();
    let cause = Cause { request_id: "req_1".to_owned(), idempotency_key: Some("key_1".to_owned()) };
    let plan = |world: &mut World, at_ms: i64| {
        let mut params = Params::default();
        params.read(b"payment_intent=pi_1&metadata[a]=b").expect("parameters");
        let request = Request { method: Method::Post, path: "/v1/refunds".to_owned(), params };
        late::plan(&mut world.run.state, &request, &cause, DEFAULT_API_VERSION, at_ms);
    };
    plan(&mut world, 1);
    assert!(world.save().1, "in a snapshot");
    world.assert_kept();
    plan(&mut world, 2);
    assert!(!world.save().1, "and in a journal");
    let loaded = load(&world.path()).expect("loads");
    assert_eq!(loaded.late.keys().copied().collect::<Vec<_>>(), [(1, 1), (2, 2)]);
    assert!(late::is_waiting(&loaded, "key_1"));
    assert_same(&json(&loaded), &json(&world.run.state));
}

#[test]
fn a_state_from_before_there_were_journals_is_read() {
    let mut world = World::new();
    world.buy();
    world.run.session("");
    let mut old = json(&world.run.state);
    for (name, value) in [("late", json!({})), ("saved_answers", json!({})), ("saved_order", json!([]))] {
        old[name] = value;
    }
    let members = old.as_object_mut().expect("an object");
    for name in ["late_requests", "answers", "generation"] {
        members.remove(name).expect(name);
    }
    fs::write(world.path(), old.to_string()).expect("written");
    world.assert_kept();
}
