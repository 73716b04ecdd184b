//! The rules that the compiler and clippy cannot state: who may import whom, and where what may be called.
//!
//! Owns the run over all rules and how findings are shown; each rule lives in a module of its own, takes plain data, and is
//! tested on a sample that breaks it.

mod calls;
mod layers;
mod links;
mod members;
mod shape;
mod source;
mod tokens;

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// A path relative to the root, or a package.
    place: String,
    line: Option<usize>,
    rule: &'static str,
    text: String,
}

/// Applies every rule.
///
/// # Errors
///
/// Findings, all of which are printed first, or a file that cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sources = source::read_all(workspace.root())?;
    let mut findings = BTreeSet::new();
    findings.extend(layers::check(&layers::dependencies(workspace.metadata())));
    findings.extend(members::check(workspace)?);
    findings.extend(links::check(workspace.root())?);
    for source in &sources {
        findings.extend(shape::check(source));
        findings.extend(calls::check(source));
    }
    for warning in sources.iter().filter_map(shape::warning) {
        println!("warning: {warning}");
    }
    if !findings.is_empty() {
        for finding in &findings {
            println!("{finding}");
        }
        bail!("check tidiness: {} findings", findings.len());
    }
    println!("{} source files are tidy", sources.len());
    Ok(())
}

impl Finding {
    /// Describes a finding on one line of a file.
    fn at(place: &str, line: usize, rule: &'static str, text: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            line: Some(line),
            rule,
            text: text.into(),
        }
    }

    /// Describes a finding on a whole file or package.
    fn on(place: &str, rule: &'static str, text: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            line: None,
            rule,
            text: text.into(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            place, rule, text, ..
        } = self;
        match self.line {
            Some(line) => write!(f, "{place}:{line}: {rule}: {text}"),
            None => write!(f, "{place}: {rule}: {text}"),
        }
    }
}
