//! Gates and goals: the rows of `gates.txt`, and whether a run meets them.
//!
//! Owns that file's grammar; must not know how anything is measured.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::row::Row;

/// The gates of the project.
const TABLE: &str = include_str!("gates.txt");

/// A bound that a number must keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Bound {
    /// Whether a number keeps the bound.
    #[must_use]
    pub fn holds(self, number: f64) -> bool {
        match self {
            Self::AtMost(bound) => number <= bound,
            Self::AtLeast(bound) => number >= bound,
        }
    }
}

impl FromStr for Bound {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (sign, number) = text
            .trim()
            .split_once(' ')
            .context("expected a sign and a number")?;
        let split = number
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(number.len());
        let (number, unit) = number.trim().split_at(split);
        let unit = match unit {
            "" => 1.0,
            "KB" => 1024.0,
            "MB" => 1024.0 * 1024.0,
            "us" => 1e3,
            unit => bail!("unknown unit {unit}"),
        };
        let number = number.parse::<f64>().context("expected a number")? * unit;
        match sign {
            "<=" => Ok(Self::AtMost(number)),
            ">=" => Ok(Self::AtLeast(number)),
            sign => bail!("unknown sign {sign}"),
        }
    }
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The issue that asks for it.
    pub issue: u32,
    /// The case it is about, perhaps with `*` at the end.
    pub case: String,
    measure: Measure,
    bounds: String,
    least: Bound,
    goal: Option<Bound>,
}

/// What is compared with the bound.
#[derive(Clone, Debug, PartialEq)]
enum Measure {
    One(Quantity),
    Ratio(Quantity, Quantity),
}

/// A number of a case: a contender's time or one of our counts.
#[derive(Clone, Debug, PartialEq)]
struct Quantity {
    name: String,
    case: Option<String>,
}

impl Quantity {
    fn parse(text: &str) -> Self {
        match text.split_once('@') {
            Some((name, case)) => Self {
                name: name.to_owned(),
                case: Some(case.to_owned()),
            },
            None => Self {
                name: text.to_owned(),
                case: None,
            },
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "times and sizes far below 2^52")]
    fn of(&self, row: &Row, all: &[Row]) -> Option<f64> {
        let row = match &self.case {
            Some(case) => all.iter().find(|other| &other.name == case)?,
            None => row,
        };
        let number = match self.name.as_str() {
            "bytes_read" => row.bytes_read?,
            "syscalls" => row.syscalls?,
            "allocations" => row.allocations?,
            "peak_bytes" => row.peak_bytes?,
            "extra_peak_bytes" => {
                let needed = row
                    .peaks
                    .get("needed-bytes")
                    .or_else(|| row.peaks.get("floor:needed-bytes"))?;
                row.peak_bytes?.saturating_sub(*needed)
            }
            name => row
                .time(name)
                .or_else(|| row.time(&format!("floor:{name}")))
                .or_else(|| {
                    // The first floor of a row has a column of its own, where its name has no prefix.
                    let floor = name.strip_prefix("floor:").unwrap_or(name);
                    (row.floor.as_deref() == Some(floor))
                        .then_some(row.floor_ns)
                        .flatten()
                })?,
        };
        Some(number as f64)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.case {
            Some(case) => write!(f, "{}@{case}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A gate, and what a run found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verdict {
    /// The issue that asks for it.
    pub issue: u32,
    /// What is asked, as the table says it.
    pub target: String,
    /// What was found, if it could be measured.
    pub found: Option<f64>,
    /// Whether the gate holds.
    pub met: Option<bool>,
    /// Whether the goal is reached too.
    pub goal_met: Option<bool>,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanoseconds,
    /// A ratio, or a number of things.
    One,
}

impl Verdict {
    /// What the number counts that was found.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self.target.split_whitespace().collect::<Vec<_>>()[..] {
            [_, "/", ..] => Unit::One,
            ["ours", ..] => Unit::Nanoseconds,
            ["bytes_read" | "peak_bytes" | "extra_peak_bytes", ..] => Unit::Bytes,
            _ => Unit::One,
        }
    }
}

impl FromStr for Gate {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [issue, case, measure, gate, goal] = cells[..] else {
            bail!("expected five cells, found {}", cells.len())
        };
        ensure!(!case.is_empty(), "the case is missing");
        let parsed = match measure.split_once(" / ") {
            Some((above, below)) => {
                Measure::Ratio(Quantity::parse(above.trim()), Quantity::parse(below.trim()))
            }
            None => Measure::One(Quantity::parse(measure)),
        };
        let bounds = if goal.is_empty() {
            gate.to_owned()
        } else {
            format!("{gate} (goal {goal})")
        };
        Ok(Self {
            issue: issue.parse().context("expected the number of an issue")?,
            case: case.to_owned(),
            measure: parsed,
            bounds: format!("{measure} {bounds}"),
            least: gate.parse().context("gate")?,
            goal: if goal.is_empty() {
                None
            } else {
                Some(goal.parse().context("goal")?)
            },
        })
    }
}

impl Gate {
    /// Whether the gate is about a case.
    #[must_use]
    pub fn concerns(&self, case: &str) -> bool {
        match self.case.strip_suffix('*') {
            Some(start) => case.starts_with(start),
            None => self.case == case,
        }
    }

    /// Judges a row, which may need other rows of the run.
    #[must_use]
    pub fn judge(&self, row: &Row, all: &[Row]) -> Verdict {
        let found = match &self.measure {
            Measure::One(quantity) => quantity.of(row, all),
            Measure::Ratio(above, below) => above
                .of(row, all)
                .zip(below.of(row, all))
                .map(|(above, below)| above / below),
        };
        Verdict {
            issue: self.issue,
            target: self.bounds.clone(),
            found,
            met: found.map(|number| self.least.holds(number)),
            goal_met: self.goal.and_then(|goal| Some(goal.holds(found?))),
        }
    }
}

/// Reads a table of gates.
///
/// # Errors
///
/// The line that cannot be read, and why.
pub fn parse(table: &str) -> Result<Vec<Gate>> {
    let lines = table
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            line.parse()
                .with_context(|| format!("read gate in line {}", number + 1))
        })
        .collect()
}

/// The gates of the project.
///
/// # Errors
///
/// As [`parse`]; a test keeps it from happening.
pub fn all() -> Result<Vec<Gate>> {
    parse(TABLE).context("read gates.txt")
}

/// Judges every row of a run.
pub fn judge(rows: &mut [Row], gates: &[Gate]) {
    let all = rows.to_vec();
    for row in rows {
        let concerned: Vec<&Gate> = gates
            .iter()
            .filter(|gate| gate.concerns(&row.name))
            .collect();
        if concerned.is_empty() {
            continue;
        }
        row.gates = concerned.iter().map(|gate| gate.judge(row, &all)).collect();
        row.target = Some(
            row.gates
                .iter()
                .map(|verdict| verdict.target.as_str())
                .collect::<Vec<_>>()
                .join("; "),
        );
        let known: Vec<bool> = row.gates.iter().filter_map(|verdict| verdict.met).collect();
        row.met = (!known.is_empty()).then(|| known.iter().all(|met| *met));
    }
}
