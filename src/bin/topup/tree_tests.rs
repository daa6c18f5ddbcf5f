//! What holds of every command.

use clap::{Command, CommandFactory};

use super::Arguments;

/// Commands that print no data: services, what only says that it is done, and what has a format of its own.
const WITHOUT_DATA: [&str; 6] =
    ["topup dev", "topup serve", "topup migrate", "topup openapi", "topup completions", "topup man"];

/// Each command that does something, with its full name.
fn leaves(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
    if !command.has_subcommands() {
        found.push((path.to_owned(), command.clone()));
    }
    for each in command.get_subcommands().filter(|each| each.get_name() != "help") {
        leaves(each, &format!("{path} {}", each.get_name()), found);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    leaves(&Arguments::command(), "topup", &mut found);
    found
}

#[test]
fn every_command_that_prints_data_prints_it_as_json_too() {
    let commands = all();
    assert!(commands.len() > 20, "{}", commands.len());
    let has_json = |command: &Command| {
        command.get_arguments().any(|argument| {
            // An export has a format instead.
            argument.get_long() == Some("format")
                || (argument.get_long() == Some("json")
                    && argument.get_num_args().is_none_or(|number| !number.takes_values()))
        })
    };
    let without: Vec<&str> =
        commands.iter().filter(|(_, command)| !has_json(command)).map(|(path, _)| path.as_str()).collect();
    let expected: Vec<&str> =
        WITHOUT_DATA.into_iter().filter(|path| cfg!(feature = "dev") || *path != "topup dev").collect();
    assert_eq!(without, expected);
}

#[test]
fn every_command_and_every_argument_says_what_it_is() {
    Arguments::command().debug_assert();
    for (path, command) in all() {
        assert!(command.get_about().is_some(), "{path}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path}: {}", argument.get_id());
        }
    }
}
