//! Saving: clone, serialise whole, write beside, rename, record. No sync anywhere.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::index_map;
use super::types::Session;

/// Saves a session into a directory.
///
/// # Errors
///
/// What the file system or serde says.
pub fn save(sessions: &Path, session: &Session) -> Result<()> {
    let snapshot = session.clone();
    let json = serde_json::to_vec(&snapshot)?;
    let target = sessions.join(format!("{}.json", snapshot.id));
    let temporary = sessions.join(format!("{}.json.tmp", snapshot.id));
    fs::write(&temporary, json).with_context(|| format!("write {}", temporary.display()))?;
    if fs::rename(&temporary, &target).is_err() {
        // The reference does this, and it is how it can lose a session.
        fs::remove_file(&target).ok();
        fs::rename(&temporary, &target)
            .with_context(|| format!("rename {}", temporary.display()))?;
    }
    if let Some(directory) = &snapshot.metadata.directory {
        index_map::upsert(sessions, directory, &snapshot.id)?;
    }
    Ok(())
}
