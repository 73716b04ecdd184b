//! Runs that are kept: what they ran on, and their rows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::case::Scale;
use crate::machine::Machine;
use crate::row::Row;

/// One run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// What it ran on.
    pub machine: Machine,
    /// `quick` or `full`.
    pub scale: String,
    /// What it measured.
    pub rows: Vec<Row>,
}

impl Record {
    /// Puts a record together.
    #[must_use]
    pub fn new(machine: Machine, scale: Scale, rows: Vec<Row>) -> Self {
        let scale = if scale == Scale::Quick {
            "quick"
        } else {
            "full"
        };
        Self {
            machine,
            scale: scale.to_owned(),
            rows,
        }
    }

    /// Writes the record as `<machine>/<date>.json` and returns where that is.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn save(&self, records: &Path) -> Result<PathBuf> {
        let directory = records.join(self.machine.name());
        fs::create_dir_all(&directory)
            .with_context(|| format!("create {}", directory.display()))?;
        // A colon cannot stand in file names everywhere.
        let path = directory.join(format!("{}.json", self.machine.date.replace(':', "-")));
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        fs::write(&path, json).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// What the file system or serde says.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))
    }
}

/// Writes rows as a JSON array.
///
/// # Errors
///
/// What the file system says.
pub fn write_json(path: &Path, rows: &[Row]) -> Result<()> {
    let mut json = serde_json::to_string_pretty(rows)?;
    json.push('\n');
    fs::write(path, json).with_context(|| format!("write {}", path.display()))
}
