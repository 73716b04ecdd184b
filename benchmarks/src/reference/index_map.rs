//! The reference's index: one JSON map from directory to id, read and written whole, without lock or sync.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The map as it is on disk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct IndexMap {
    /// Directory to id.
    #[serde(default)]
    pub entries: BTreeMap<String, String>,
}

/// The file of the map.
#[must_use]
pub fn file(sessions: &Path) -> PathBuf {
    sessions.join(".workspace_index.json")
}

/// A directory as the map spells it: canonical if it resolves.
#[must_use]
pub fn key(directory: &Path) -> String {
    let canonical = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_owned());
    canonical.to_string_lossy().into_owned()
}

impl IndexMap {
    /// Reads the map; whatever is wrong with it makes it empty.
    #[must_use]
    pub fn load(sessions: &Path) -> Self {
        let text = fs::read_to_string(file(sessions)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Writes the map beside its file and renames it.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn store(&self, sessions: &Path) -> Result<()> {
        let path = file(sessions);
        let temporary = path.with_extension("json.tmp");
        fs::write(&temporary, serde_json::to_vec(self)?)
            .with_context(|| format!("write {}", temporary.display()))?;
        fs::rename(&temporary, &path).with_context(|| format!("rename {}", temporary.display()))
    }
}

/// Records the session of a directory.
///
/// # Errors
///
/// What the file system says.
pub fn upsert(sessions: &Path, directory: &Path, id: &str) -> Result<()> {
    let mut map = IndexMap::load(sessions);
    map.entries.insert(key(directory), id.to_owned());
    map.store(sessions)
}
