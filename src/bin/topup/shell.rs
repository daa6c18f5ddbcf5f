//! `topup completions` and `topup man`: what shells and `man` read about the command line.

use std::io::{ErrorKind, Write};
use std::path::Path;

use clap::{Command, ValueEnum};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Failure;

/// When the pages were last changed. Their readers want a date, and two builds of a version have the same pages.
const WRITTEN_ON: &str = "2026-11-30";

/// A shell that completes words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl From<Shell> for clap_complete::Shell {
    fn from(shell: Shell) -> Self {
        match shell {
            Shell::Bash => Self::Bash,
            Shell::Zsh => Self::Zsh,
            Shell::Fish => Self::Fish,
        }
    }
}

/// Prints the script that completes commands, options and their values.
pub(crate) fn completions(mut command: Command, shell: Shell) -> Result<(), Failure> {
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    clap_complete::generate(clap_complete::Shell::from(shell), &mut command, name, &mut script);
    put(&script)
}

/// Prints the page of the program, or writes it and a page for each command into a folder.
pub(crate) fn man(command: &Command, folder: Option<&Path>) -> Result<(), Failure> {
    let mut command = command.clone().disable_help_subcommand(true);
    // Names commands by their whole path.
    command.build();
    let Some(folder) = folder else { return put(&page(&command)?) };
    std::fs::create_dir_all(folder)?;
    write_pages(&command, folder)?;
    let page = page(&command)?;
    std::fs::write(folder.join("topup.1"), page)?;
    println!("Wrote the pages to {}; read one with `man -l {}`.", folder.display(), folder.join("topup.1").display());
    Ok(())
}

/// The page of a command, in parts.
fn manual(command: &Command) -> Man {
    Man::new(command.clone()).manual("Topup").date(WRITTEN_ON)
}

fn write_pages(command: &Command, folder: &Path) -> Result<(), Failure> {
    for each in command.get_subcommands().filter(|each| !each.is_hide_set()) {
        write_pages(each, folder)?;
    }
    manual(command).generate_to(folder)?;
    Ok(())
}

/// The page of the program has more sections than one of a command.
fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let (man, mut page) = (manual(command), Vec::new());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    let mut further = Roff::default();
    for (title, text) in [
        (
            "ENVIRONMENT",
            "Settings come from environment variables; docs/settings.md lists them. Each can be a file's \
            content: NAME_FILE=/path instead of NAME.",
        ),
        ("FILES", ".env in the working directory has settings that the environment does not set."),
        (
            "EXIT STATUS",
            "0 if all is well; 1 if the command failed, or found something to look at; 2 for a wrong \
            command line, and for settings with which reconcile and audit cannot start.",
        ),
    ] {
        further.control("SH", [title]);
        further.text([roman(text)]);
    }
    further.to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// Writes to standard output. A reader that has seen enough, such as `head`, is no failure.
fn put(bytes: &[u8]) -> Result<(), Failure> {
    match std::io::stdout().write_all(bytes) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
