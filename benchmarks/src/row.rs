//! What is known of a case after a run, in the form in which it is written to JSON and read back from records.
//!
//! Owns the file format of `--json` and of the records; must not know how anything was measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::gates::Verdict;
use crate::kernel_trace::Traced;
use crate::method::{Role, Timing};

/// One case. Times are medians in nanoseconds; what was not measured is null.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    /// Operation, variant and size.
    pub name: String,
    /// What the data is like.
    pub shape: String,
    /// `measured`, `not built (issue N)`, or `skipped: why`.
    pub status: String,
    /// Ours.
    pub ours_ns: Option<u64>,
    /// The reference algorithm.
    pub reference_ns: Option<u64>,
    /// The floor that gates mean.
    pub floor_ns: Option<u64>,
    /// What that floor is.
    pub floor: Option<String>,
    /// Everybody else by name: rivals, further floors (`floor:…`) and further variants of ours (`ours-…`).
    pub rivals: BTreeMap<String, u64>,
    /// Bytes that system calls of ours read from files.
    pub bytes_read: Option<u64>,
    /// System calls of ours.
    pub syscalls: Option<u64>,
    /// Allocations of ours.
    pub allocations: Option<u64>,
    /// Most bytes that ours had allocated at once.
    pub peak_bytes: Option<u64>,
    /// The gates of this case, as text.
    pub target: Option<String>,
    /// Whether all of its gates are met.
    pub met: Option<bool>,
    /// Each gate with what was found.
    pub gates: Vec<Verdict>,
    /// The distance between the quartiles as a share of the median, by contender.
    pub spread: BTreeMap<String, f64>,
    /// Most bytes allocated at once, by contender.
    pub peaks: BTreeMap<String, u64>,
    /// How long the case took in all, set-up and tracing included, in seconds.
    pub seconds: f64,
    /// How often each contender was timed.
    pub rounds: usize,
    /// Instructions of ours, where they were counted.
    pub instructions: Option<u64>,
    /// The family of the case, if it belongs to one.
    pub family: Option<String>,
    /// Its size in that family.
    pub size: Option<f64>,
    /// For the rows `growth/…`: the exponent of cost against size, by contender.
    pub exponents: BTreeMap<String, f64>,
    /// What a reader should know of the numbers.
    pub notes: Vec<String>,
}

impl Row {
    /// A row without times.
    #[must_use]
    pub fn unmeasured(name: &str, shape: &str, status: String) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_owned(),
            status,
            ..Self::default()
        }
    }

    /// Puts in what a case measured.
    pub fn take(&mut self, timings: &[Timing]) {
        "measured".clone_into(&mut self.status);
        for timing in timings {
            let name = self.place(timing.name, timing.role, nanoseconds(timing.time.median));
            if name == "ours" {
                self.allocations = Some(timing.allocated.calls);
                self.peak_bytes = Some(timing.allocated.peak);
                self.rounds = timing.time.samples;
            }
            self.spread.insert(name.clone(), timing.time.spread);
            self.peaks.insert(name, timing.allocated.peak);
        }
    }

    /// Puts in what a tracer counted.
    pub fn count(&mut self, traced: Traced) {
        self.syscalls = Some(traced.calls);
        self.bytes_read = Some(traced.bytes_read);
    }

    /// The first of a role gets the column of that role; the others are named.
    fn place(&mut self, name: &str, role: Role, time: u64) -> String {
        let (column, title) = match role {
            Role::Ours => (&mut self.ours_ns, "ours"),
            Role::Reference => (&mut self.reference_ns, "reference"),
            Role::Floor => (&mut self.floor_ns, "floor"),
            Role::Rival => {
                self.rivals.insert(name.to_owned(), time);
                return name.to_owned();
            }
        };
        if column.is_none() {
            *column = Some(time);
            if role == Role::Floor {
                self.floor = Some(name.to_owned());
            }
            return title.to_owned();
        }
        let name = if role == Role::Floor {
            format!("floor:{name}")
        } else {
            name.to_owned()
        };
        self.rivals.insert(name.clone(), time);
        name
    }

    /// The time of a contender by its name in this row.
    #[must_use]
    pub fn time(&self, contender: &str) -> Option<u64> {
        match contender {
            "ours" => self.ours_ns,
            "reference" => self.reference_ns,
            "floor" => self.floor_ns,
            name => self.rivals.get(name).copied(),
        }
    }

    /// Every contender with its time.
    #[must_use]
    pub fn times(&self) -> Vec<(String, u64)> {
        let fixed = ["ours", "reference", "floor"];
        let fixed = fixed
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.time(name)?)));
        fixed
            .chain(self.rivals.iter().map(|(name, time)| (name.clone(), *time)))
            .collect()
    }

    /// Whether there are times.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.status == "measured"
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time is positive and below 584 years"
)]
fn nanoseconds(time: f64) -> u64 {
    time.round() as u64
}
