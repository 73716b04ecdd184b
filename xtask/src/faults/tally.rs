//! What was injected, what was found, and whether that is good enough.
//!
//! Owns counting, printing and the verdict; must not know what any of it means.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, bail, ensure};

use super::verify::Wrong;

/// How many violations are printed in full.
const SHOWN: usize = 10;

/// The counts of one row of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) injected: usize,
    /// States that were looked at and right.
    pub(crate) right: usize,
    pub(crate) wrong: BTreeMap<Wrong, usize>,
}

impl Row {
    pub(crate) fn total_wrong(&self) -> usize {
        self.wrong.values().sum()
    }

    pub(crate) fn states(&self) -> usize {
        self.right + self.total_wrong()
    }
}

/// All rows of a tier, in order of appearance, and the first violations.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rows: Vec<(String, Row)>,
    shown: Vec<String>,
}

impl Tally {
    pub(crate) fn row(&mut self, name: &str) -> &mut Row {
        let known = self.rows.iter().position(|(known, _)| known == name);
        let at = known.unwrap_or(self.rows.len());
        if known.is_none() {
            self.rows.push((name.to_owned(), Row::default()));
        }
        &mut self.rows[at].1
    }

    /// Counts what one state turned out to be.
    pub(crate) fn count<T>(
        &mut self,
        name: &str,
        place: impl FnOnce() -> String,
        found: Result<T, (Wrong, anyhow::Error)>,
    ) {
        let row = self.row(name);
        row.injected += 1;
        match found {
            Ok(_) => row.right += 1,
            Err((wrong, error)) => {
                *row.wrong.entry(wrong).or_default() += 1;
                if self.shown.len() < SHOWN {
                    let mut text = format!("{name}: {}: {wrong:?}", place());
                    // A formatter of strings does not fail.
                    let _ = write!(text, ": {error:#}");
                    self.shown.push(text);
                }
            }
        }
    }

    pub(crate) fn total(&self) -> Row {
        let mut total = Row::default();
        for (_, row) in &self.rows {
            total.injected += row.injected;
            total.right += row.right;
            for (wrong, count) in &row.wrong {
                *total.wrong.entry(*wrong).or_default() += count;
            }
        }
        total
    }

    /// Prints the table, then the verdict.
    ///
    /// # Errors
    ///
    /// Violations; nothing injected.
    pub(crate) fn verdict(&self, what: &str) -> Result<()> {
        self.print(what);
        self.print_violations();
        let total = self.total();
        ensure!(total.injected > 0, "{what}: nothing was injected");
        ensure!(total.states() > 0, "{what}: nothing was looked at");
        if total.total_wrong() > 0 {
            bail!("{what}: {} violations", total.total_wrong());
        }
        Ok(())
    }

    pub(crate) fn print(&self, what: &str) {
        println!(
            "{:<34} {:>8} {:>7} {:>5} {:>11} {:>9} {:>6}",
            what, "injected", "states", "lost", "unreadable", "leftovers", "stuck"
        );
        let total = self.total();
        let all = self.rows.iter().map(|(name, row)| (name.as_str(), row));
        for (name, row) in all.chain([("total", &total)]) {
            let wrong = |kind| row.wrong.get(&kind).copied().unwrap_or(0);
            println!(
                "{name:<34} {:>8} {:>7} {:>5} {:>11} {:>9} {:>6}",
                row.injected,
                row.states(),
                wrong(Wrong::Lost),
                wrong(Wrong::Unreadable),
                wrong(Wrong::Leftover),
                wrong(Wrong::Stuck)
            );
        }
    }

    /// Prints the first violations in full.
    pub(crate) fn print_violations(&self) {
        for text in &self.shown {
            println!("violation: {text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_that_injected_nothing_fails() {
        assert!(Tally::default().verdict("nothing").is_err());
        let mut tally = Tally::default();
        tally.count("save", String::new, Ok(()));
        tally.verdict("one right state").unwrap();
        tally.count(
            "save",
            || "fsync".to_owned(),
            Err::<(), _>((Wrong::Lost, anyhow::anyhow!("gone"))),
        );
        assert!(tally.verdict("one wrong state").is_err());
    }
}
