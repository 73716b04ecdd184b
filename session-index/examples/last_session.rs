//! Remembers the last session of two directories and asks for them again, as an agent would at its next start.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::path::Path;

use session_index::{Answer, DirStorage, Pointer, SidecarIndex, WorkspaceIndex};

/// Records a session under its directory and as the newest of all, where it wins.
fn saved(
    index: &impl WorkspaceIndex,
    directory: &Path,
    session: &Pointer,
) -> Result<(), session_index::Error> {
    let mut change = index.begin()?;
    for workspace in [Some(directory), None] {
        if change
            .lookup(workspace)?
            .pointer()
            .is_none_or(|recorded| recorded < session)
        {
            change.record(workspace, session.clone());
        }
    }
    change.commit()
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = tempfile::tempdir()?;
    let directory = root.path().join("index");
    let (project, other) = (Path::new("/home/me/project"), Path::new("/home/me/other"));

    let index = SidecarIndex::new(DirStorage::new(&directory));
    saved(&index, project, &Pointer::new("monday", 1_000, 1_000))?;
    saved(&index, other, &Pointer::new("tuesday", 2_000, 2_000))?;
    saved(
        &index,
        project,
        &Pointer::new("restored from a backup", 500, 500),
    )?;
    drop(index);

    let index = SidecarIndex::new(DirStorage::new(&directory));
    let mut found = Vec::new();
    for (name, workspace) in [
        ("project", Some(project)),
        ("other", Some(other)),
        ("all", None),
        ("new", Some(root.path())),
    ] {
        match index.lookup(workspace)? {
            Answer::Hint { pointer, .. } => {
                println!(
                    "{name}: {} (a hint: read it, then look for newer ones)",
                    pointer.id
                );
                found.push(pointer.id);
            }
            answer => println!("{name}: {answer:?} (scan)"),
        }
    }
    assert_eq!(found, ["monday", "tuesday", "tuesday"]);
    Ok(())
}
