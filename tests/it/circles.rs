//! There are no import cycles between files, direct or indirect, except between a folder's `mod.rs` and the files in
//! that folder. No file imports an item of its crate's root: the root imports all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Needs<'m> = BTreeMap<&'m str, BTreeSet<&'m str>>;

/// The files of a crate by module path, without the root.
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

/// The code of a file without comments and tests. Tests are at its end or declared as files of their own.
fn code(text: &str) -> String {
    let mut parts = text.split("#[cfg(test)]\n");
    let mut code = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('\n') {
            Some((declaration, rest)) if declaration.contains("mod ") && declaration.ends_with(';') => {
                code.push_str(rest);
            }
            _ => break,
        }
    }
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_part_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'
}

/// The paths after each `start`, with braces expanded.
fn paths(code: &str, start: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices(start) {
        if !code[..at].chars().next_back().is_some_and(is_part_of_name) {
            open("", &code[at + start.len()..], &mut paths);
        }
    }
    paths
}

/// Reads one path, or all paths of a brace tree, and puts `before` in front. Returns the rest of the text.
fn open<'t>(before: &str, text: &'t str, paths: &mut Vec<String>) -> &'t str {
    let text = text.trim_start();
    let end = text.find(|letter| !is_part_of_name(letter)).unwrap_or(text.len());
    let end = if text[end..].starts_with('!') { end + 1 } else { end };
    let path = format!("{before}{}", &text[..end]);
    let Some(mut tree) = text[end..].strip_prefix('{') else {
        paths.push(path);
        return &text[end..];
    };
    loop {
        tree = open(&path, tree, paths);
        let Some(end) = tree.find([',', '}']) else { return "" };
        let closed = tree[end..].starts_with('}');
        tree = tree[end + 1..].trim_start();
        if closed {
            return tree;
        }
        if let Some(rest) = tree.strip_prefix('}') {
            return rest;
        }
    }
}

/// The longest prefix of a path that is a file.
fn file_of<'m>(modules: &'m BTreeMap<String, String>, path: &str) -> Option<&'m str> {
    let mut path = path.trim_end_matches(':');
    loop {
        if let Some((module, _)) = modules.get_key_value(path) {
            return Some(module);
        }
        path = path.rsplit_once("::")?.0;
    }
}

/// The paths used with `crate::` or `super::`, from the crate's root.
fn named(module: &str, code: &str) -> Vec<String> {
    let mut named = paths(code, "crate::");
    let mut above = module.to_owned();
    for depth in 1..=module.split("::").count() {
        above = above.rsplit_once("::").map(|(above, _)| above.to_owned()).unwrap_or_default();
        let from_there = paths(code, &"super::".repeat(depth)).into_iter().filter(|path| !path.starts_with("super"));
        named.extend(from_there.map(|path| format!("{above}::{path}").trim_start_matches("::").to_owned()));
    }
    named
}

/// The paths that a `mod.rs` uses with `self::`, or with the name of a file in its folder.
fn named_below(modules: &BTreeMap<String, String>, module: &str, code: &str) -> Vec<String> {
    let mut named: Vec<String> = paths(code, "self::").into_iter().map(|path| format!("{module}::{path}")).collect();
    let children = modules.keys().filter_map(|file| file.strip_prefix(module)?.strip_prefix("::"));
    for child in children.filter(|child| !child.contains("::")) {
        let below = paths(code, &format!("{child}::")).into_iter();
        named.extend(below.map(|path| format!("{module}::{child}::{path}")));
    }
    named
}

/// The files that each file uses.
fn needs(modules: &BTreeMap<String, String>) -> Needs<'_> {
    let of_file = |(module, code): (&'_ String, &String)| {
        let named = named(module, code).into_iter().chain(named_below(modules, module, code));
        named.filter_map(|path| file_of(modules, &path)).filter(|file| file != module).collect()
    };
    modules.iter().map(|file| (file.0.as_str(), of_file(file))).collect()
}

/// The groups of files that use each other.
fn rings<'m>(needs: &Needs<'m>) -> BTreeSet<BTreeSet<&'m str>> {
    let reached_from = |file: &'m str| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
        while let Some(file) = next.pop() {
            next.extend(needs.get(file).into_iter().flatten().filter(|file| reached.insert(**file)));
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> = needs.keys().map(|file| (*file, reached_from(file))).collect();
    let ring = |file: &&'m str| -> BTreeSet<&'m str> {
        reached[file]
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(file)))
            .copied()
            .collect()
    };
    needs.keys().map(ring).filter(|ring| !ring.is_empty()).collect()
}

/// The cycles that are not inside the folder of one of their files: there, its `mod.rs` may use and be used.
fn wrong_rings<'m>(needs: &Needs<'m>) -> Vec<BTreeSet<&'m str>> {
    let mut wrong = Vec::new();
    for ring in rings(needs) {
        let above =
            ring.iter().find(|top| ring.iter().all(|file| file == *top || file.starts_with(&format!("{top}::"))));
        let Some(above) = above else {
            wrong.push(ring);
            continue;
        };
        let rest = ring.iter().filter(|file| *file != above);
        let within =
            |file: &&'m str| needs[file].iter().filter(|to| *to != above && ring.contains(*to)).copied().collect();
        wrong.extend(wrong_rings(&rest.map(|file| (*file, within(file))).collect()));
    }
    wrong
}

#[test]
fn no_files_name_each_other() {
    for folder in ["src", "bench/src", "sandbox/src"] {
        let modules = modules(folder);
        let needs = needs(&modules);
        assert!(needs.values().map(BTreeSet::len).sum::<usize>() > 20, "{folder}: the uses are written in another way");
        let wrong = wrong_rings(&needs);
        assert!(wrong.is_empty(), "{folder}: {wrong:#?}");
    }
}

#[test]
fn no_file_names_an_item_of_the_root() {
    for folder in ["src", "bench/src", "sandbox/src"] {
        let modules = modules(folder);
        // An exported macro is an item of the root, wherever it is defined.
        let is_macro = |path: &String| path.ends_with('!');
        let of_root = |(module, code): (&String, &String)| {
            let named =
                named(module, code).into_iter().filter(|path| file_of(&modules, path).is_none() && !is_macro(path));
            named.map(|path| format!("{module} names {path}")).collect::<Vec<_>>()
        };
        let wrong: Vec<String> = modules.iter().flat_map(of_root).collect();
        assert!(wrong.is_empty(), "{folder}: {wrong:#?}");
    }
}

#[test]
fn circles_are_found_within_trees_of_uses_and_by_way_of_a_folder() {
    let circles = |files: &[(&str, &str)]| {
        let modules = files.iter().map(|(module, text)| ((*module).to_owned(), code(text))).collect();
        wrong_rings(&needs(&modules))
            .into_iter()
            .map(|ring| ring.into_iter().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    let room = ("room", "mod one;\nuse self::one::Thing;\nfn two() { two::work() }");
    let one = ("room::one", "use super::Room;\nuse crate::{other::{a::A, b}, shelf};");
    let two = ("room::two", "use super::{Room, one};");
    assert_eq!(circles(&[room, one, two, ("shelf", "")]), Vec::<String>::new());
    assert_eq!(circles(&[room, one, two, ("shelf", "use crate::room::Room;")]), ["room room::one room::two shelf"]);
    assert_eq!(circles(&[room, ("room::one", "use super::two;"), two]), ["room::one room::two"]);
    let tests = "#[cfg(test)]\nmod tests;\nuse crate::shelf;\n#[cfg(test)]\nmod more {\nuse crate::room;\n}";
    assert_eq!(circles(&[("room", tests), ("shelf", "// crate::room")]), Vec::<String>::new());
    assert_eq!(circles(&[("room", tests), ("shelf", "use super::room;")]), ["room shelf"]);
}
