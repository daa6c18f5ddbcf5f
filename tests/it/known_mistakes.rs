//! The table of known mistakes in `docs/TESTING.md` names tests; each of them must exist, and each mistake must have one.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The source of a Rust file, by its path below the root.
fn source_of(file: &str) -> String {
    let path: PathBuf = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file} is named and cannot be read: {error}"))
}

#[test]
fn every_known_mistake_names_a_test_that_exists() {
    let text = std::fs::read_to_string(root().join("docs/TESTING.md")).expect("docs/TESTING.md");
    let (_, table) = text.split_once("## Known mistakes").expect("the table");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes().get(2).is_some_and(u8::is_ascii_digit))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let mut numbers: Vec<u8> = rows.iter().map(|row| row[0].parse().expect("a number")).collect();
    numbers.sort_unstable();
    assert_eq!(numbers[..24], (1..=24).collect::<Vec<u8>>());
    let count = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), count, "a number is given twice");
    for row in rows {
        let mut named = row[2].split('`').skip(1).step_by(2);
        let mut count = 0;
        while let Some(file) = named.next() {
            let name = named.next().unwrap_or_else(|| panic!("mistake {}: {file} without a test", row[0]));
            assert!(source_of(file).contains(&format!("fn {name}(")), "mistake {}: no {name} in {file}", row[0]);
            count += 1;
        }
        assert!(count > 0, "mistake {} has no test", row[0]);
    }
}
