//! External tools accept the document: linters find nothing, and generated clients compile.

use std::path::Path;
use std::process::Command;

#[test]
fn linters_find_nothing_and_generated_clients_compile() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi");
    let installed = folder.join("node_modules/typescript").is_dir();
    assert!(installed, "the tools are not installed: npm ci --ignore-scripts --prefix tests/openapi");
    let generated = tempfile::tempdir().expect("a folder");
    let output = Command::new("node")
        .arg(folder.join("check.mjs"))
        .arg(generated.path())
        .output()
        .expect("Node.js is not installed: apt-get install nodejs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_lock_file_names_no_registry() {
    let lock = include_str!("../openapi/package-lock.json");
    assert!(lock.contains("\"integrity\"") && !lock.contains("\"resolved\""), "it would name where packages come from");
}
