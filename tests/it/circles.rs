//! No two files name each other, directly or by way of others, besides a folder's own `mod.rs` and what stands in the folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The files of a crate by their module path; the root's is empty.
fn modules(folder: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut folders, mut found) = (vec![root.clone()], Vec::<PathBuf>::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    let modules: BTreeMap<String, String> = found
        .into_iter()
        .filter_map(|path| {
            let name = path.strip_prefix(&root).expect("below").to_str().expect("text").strip_suffix(".rs")?;
            let is_root = name.starts_with("bin/") || name == "lib" || name == "main" || name.ends_with("_tests");
            let module = name.strip_suffix("/mod").unwrap_or(name).replace('/', "::");
            (!is_root).then(|| (module, code(&std::fs::read_to_string(&path).expect("text"))))
        })
        .collect();
    assert!(modules.len() > 10, "{folder} has moved");
    modules
}

/// A file without its comments and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The paths after each `start`, with braces opened.
fn paths(code: &str, start: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices(start) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':') {
            continue;
        }
        let rest = &code[at + start.len()..];
        let prefix: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "_:".contains(*c)).collect();
        if let Some(tree) = rest[prefix.len()..].strip_prefix('{') {
            let names = tree.split('}').next().unwrap_or_default().split(',');
            paths.extend(names.map(|name| format!("{prefix}{}", name.split_whitespace().next().unwrap_or_default())));
        } else {
            paths.push(prefix);
        }
    }
    paths
}

/// The longest beginning of a path that is a file.
fn file_of<'m>(modules: &'m BTreeMap<String, String>, path: &str) -> Option<&'m str> {
    let mut path = path.trim_end_matches(':');
    loop {
        if let Some((module, _)) = modules.get_key_value(path) {
            return Some(module);
        }
        path = path.rsplit_once("::")?.0;
    }
}

/// Which files a file names by `crate::` or `super::`. What a parent uses by its child's name is not looked at.
fn needs<'m>(modules: &'m BTreeMap<String, String>, module: &str, code: &str) -> BTreeSet<&'m str> {
    let mut named = paths(code, "crate::");
    let mut above = module.to_owned();
    for depth in 1..=module.split("::").count() {
        above = above.rsplit_once("::").map(|(above, _)| above.to_owned()).unwrap_or_default();
        let start = "super::".repeat(depth);
        let from_there = paths(code, &start).into_iter().filter(|path| !path.starts_with("super"));
        named.extend(from_there.map(|path| format!("{above}::{path}")));
    }
    let files = named.iter().filter_map(|path| file_of(modules, path.trim_start_matches("::")));
    files.filter(|file| *file != module).collect()
}

/// Takes away the files that need none of those that are left; what remains is circles and what leads to them.
fn circles<'m>(mut needs: BTreeMap<&'m str, BTreeSet<&'m str>>) -> BTreeMap<&'m str, BTreeSet<&'m str>> {
    loop {
        let free: Vec<&str> = needs.iter().filter(|(_, needs)| needs.is_empty()).map(|(file, _)| *file).collect();
        if free.is_empty() {
            return needs;
        }
        needs.retain(|file, _| !free.contains(file));
        for needs in needs.values_mut() {
            needs.retain(|file| !free.contains(file));
        }
    }
}

#[test]
fn no_files_name_each_other() {
    for folder in ["src", "bench/src"] {
        let modules = modules(folder);
        let all: BTreeMap<&str, BTreeSet<&str>> =
            modules.iter().map(|(module, code)| (module.as_str(), needs(&modules, module, code))).collect();
        assert!(all.values().map(BTreeSet::len).sum::<usize>() > 20, "{folder}: the uses are written in another way");
        let left = circles(all);
        assert!(left.is_empty(), "{folder}: {left:#?}");
    }
}
