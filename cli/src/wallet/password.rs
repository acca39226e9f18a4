//! Where passwords and words come from. Never from the command line, which others on the machine see.

use super::refused;
use crate::exit::Failure;
use std::env;
use std::fs::File;
use std::io::{IsTerminal, Read, stdin};
use std::path::Path;
use zeroize::Zeroizing;

/// The environment variable, which the help texts name.
pub const PASSWORD_VARIABLE: &str = "CAMELID_WALLET_PASSWORD";
/// Most bytes that are read of a file with a password or words.
const MAX_BYTES: u64 = 10_000;

/// Whether a password is for something new, and has to be typed twice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To open.
    Open,
    /// To protect.
    Protect,
}

/// The password: from `file`, the environment or a terminal.
///
/// # Errors
/// [`Failure::Wallet`] when there is none.
pub fn password(file: Option<&Path>, purpose: Purpose) -> Result<Zeroizing<String>, Failure> {
    let password = match (file, env::var(PASSWORD_VARIABLE)) {
        (Some(path), _) => first_line(&read_file(path)?),
        (None, Ok(password)) => Zeroizing::new(password),
        (None, Err(_)) => ask_for_password(purpose)?,
    };
    if password.is_empty() {
        return Err(refused(
            "the password is empty: anybody who has the file could open it",
        ));
    }
    Ok(password)
}

fn ask_for_password(purpose: Purpose) -> Result<Zeroizing<String>, Failure> {
    if !stdin().is_terminal() {
        return Err(refused(format!(
            "no password: use --password-file, set {PASSWORD_VARIABLE}, or run this on a terminal"
        )));
    }
    let password = ask("Password: ")?;
    if purpose == Purpose::Protect && *ask("The same again: ")? != *password {
        return Err(refused("the two passwords differ"));
    }
    Ok(password)
}

/// The words of a wallet: from `file`, a terminal, or standard input.
///
/// # Errors
/// [`Failure::Wallet`] when they cannot be read.
pub fn words(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(path) => read_file(path),
        None if stdin().is_terminal() => ask("Words, with spaces between them: "),
        None => read(stdin().lock(), "standard input"),
    }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let answer =
        rpassword::prompt_password(prompt).map_err(|error| refused(format!("the terminal: {error}")))?;
    Ok(Zeroizing::new(answer))
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| refused(format!("{name}: cannot be read: {error}")))?;
    read(file, &name)
}

fn read(source: impl Read, name: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    source
        .take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| refused(format!("{name}: cannot be read: {error}")))?;
    Ok(text)
}

fn first_line(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.lines().next().unwrap_or_default().to_string())
}
