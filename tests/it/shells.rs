//! Completion in shells, and the man page, by the programs that read them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::process::{Settings, run};

/// The script for a shell.
fn script(shell: &str) -> String {
    let (is_well, script, errors) = run(&Settings::new(), &["completions", shell]);
    assert!(is_well && script.len() > 1_000, "{errors}");
    script
}

/// Runs a program. Returns what it printed; it must succeed.
fn read_by(program: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is not installed ({error}); scripts/test installs it"));
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("is read");
    let output = child.wait_with_output().expect("ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && errors.is_empty(), "{program} {arguments:?}: {printed}{errors}");
    printed
}

/// What bash offers when the last word is completed.
fn offered(words: &str) -> Vec<String> {
    let last = words.split(' ').count() - 1;
    let input = format!(
        "{}\nCOMP_WORDS=({words})\nCOMP_CWORD={last}\n[ ${{#COMP_WORDS[@]}} -gt {last} ] || COMP_WORDS+=('')\n\
        _topup topup \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{}]}}\"\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n\
        complete -p topup\n",
        script("bash"),
        last - 1,
    );
    let printed = read_by("bash", &["--norc", "--noprofile"], &input);
    let mut lines: Vec<String> = printed.lines().map(str::to_owned).collect();
    let registered = lines.pop().expect("a line");
    assert!(registered.contains("-F _topup") && registered.ends_with(" topup"), "{registered}");
    lines
}

#[test]
fn bash_completes_commands_options_and_values() {
    assert_eq!(offered("topup acc"), ["accounts"]);
    assert_eq!(offered("topup accounts li"), ["list"]);
    assert_eq!(offered("topup accounts list --js"), ["--json"]);
    let all = offered("topup ");
    for command in ["doctor", "serve", "webhooks", "man"] {
        assert!(all.iter().any(|offer| offer == command), "{command} is not in {all:?}");
    }
    assert_eq!(offered("topup completions "), ["-h", "--help", "bash", "zsh", "fish"]);
}

#[test]
fn zsh_and_fish_read_their_scripts() {
    read_by("zsh", &["-n"], &script("zsh"));
    read_by("fish", &["--no-execute"], &script("fish"));
    let ask = format!("{}\ncomplete -C 'topup acc'\n", script("fish"));
    let offered = read_by("fish", &["--no-config"], &ask);
    assert!(offered.starts_with("accounts\t"), "{offered}");
}

#[test]
fn another_shell_is_refused_with_those_there_are() {
    let (is_well, _, errors) = run(&Settings::new(), &["completions", "tcsh"]);
    assert!(!is_well && errors.contains("[possible values: bash, zsh, fish]"), "{errors}");
}

/// A text for a terminal without its bold letters, which are printed twice with a step back in between.
fn without_bold(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        if letter == '\u{8}' {
            plain.pop();
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// Neither of the two readers of man pages has anything to say about a page.
fn assert_reads(page: &str) {
    let said = read_by("mandoc", &["-T", "lint", "-W", "warning"], page);
    assert!(said.is_empty(), "{said}");
    let shown = read_by("groff", &["-man", "-ww", "-Tutf8", "-K", "utf8"], page);
    assert!(shown.contains("Print help"), "{shown}");
}

#[test]
fn the_man_page_is_read_without_complaints_and_names_every_command() {
    let (is_well, page, errors) = run(&Settings::new(), &["man"]);
    assert!(is_well, "{errors}");
    assert_reads(&page);
    let shown = without_bold(&read_by("mandoc", &["-T", "ascii"], &page));
    for word in ["topup-doctor", "topup-reconcile", "ENVIRONMENT", "EXIT STATUS", "VERSION"] {
        assert!(shown.contains(word), "{word} is not in {shown}");
    }
}

#[test]
fn each_command_gets_a_page_in_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("man1");
    let (is_well, said, errors) = run(&Settings::new(), &["man", "--output", pages.to_str().expect("text")]);
    assert!(is_well && said.contains("man -l"), "{errors}");
    let text =
        |name: &str| std::fs::read_to_string(Path::new(&pages).join(name)).unwrap_or_else(|_| panic!("no {name}"));
    for name in ["topup.1", "topup-webhooks.1", "topup-webhooks-replay.1", "topup-endpoints-add.1", "topup-db-backup.1"]
    {
        assert_reads(&text(name));
    }
    assert!(text("topup.1").contains("EXIT STATUS"));
    assert!(std::fs::read_dir(&pages).expect("a folder").count() > 30);
}
