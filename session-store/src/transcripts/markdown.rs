//! Owns a session as Markdown. Must not know how parts are told apart.

use std::io::{self, Write};

use session_model::Session;

use super::Exporter;
use super::plain::{self, Kind};

/// A session as Markdown, to read and to quote from.
///
/// What was said is quoted, so that a heading inside it cannot pass for one of ours, and keeps its own markup: what a program
/// makes of links and HTML in it is up to that program, and [`HtmlPage`](super::HtmlPage) is the format where nothing is
/// live. Calls, results and thoughts are code blocks. Pictures are named, not shown, and characters that would not show are
/// written out.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Markdown {
    _private: (),
}

impl Markdown {
    /// Writes all messages.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Exporter for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn write(&self, session: &Session, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# {}\n", line(plain::title(session)))?;
        for (name, value) in plain::head(session) {
            writeln!(out, "- {name}: {}", line(&value))?;
        }
        for (number, message) in session.messages.iter().enumerate() {
            writeln!(out, "\n## {}. {}", number + 1, line(message.role.as_str()))?;
            for part in &message.content {
                let shown = plain::part(part);
                writeln!(out)?;
                match shown.kind {
                    Kind::Speech => quote(out, &shown.text)?,
                    Kind::Note => writeln!(out, "*{}*", line(&shown.text))?,
                    Kind::Thought | Kind::Machine => {
                        writeln!(out, "{}\n", line(&shown.label))?;
                        block(out, &shown.text)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Writes a text as one line without markup.
fn line(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '!' | '|' | '~' | '&' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => push(&mut escaped, c),
        }
    }
    escaped
}

fn push(text: &mut String, c: char) {
    match plain::visible(c) {
        Some(name) => text.push_str(&name),
        None => text.push(c),
    }
}

fn quote(out: &mut dyn Write, text: &str) -> io::Result<()> {
    for one in lines(text) {
        let mut shown = String::with_capacity(one.len());
        one.chars().for_each(|c| push(&mut shown, c));
        writeln!(out, "> {shown}")?;
    }
    Ok(())
}

/// Writes a text in a fence that is longer than any in it.
fn block(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    writeln!(out, "{fence}text")?;
    for one in lines(text) {
        let mut shown = String::with_capacity(one.len());
        one.chars().for_each(|c| push(&mut shown, c));
        writeln!(out, "{shown}")?;
    }
    writeln!(out, "{fence}")
}

/// Cuts a text where Markdown does: a carriage return alone ends a line too.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .flat_map(|one| one.strip_suffix('\r').unwrap_or(one).split('\r'))
}
