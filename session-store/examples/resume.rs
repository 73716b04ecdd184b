//! The main job on real transcripts: import a directory of session files, then resume the newest session of a workspace.
//!
//! `cargo run --release --example resume [DIRECTORY [WORKSPACE]]`
//!
//! Without arguments it imports the fixtures of this repository and resumes in the workspace of the newest one. The store stays
//! in `target/demo`, with one file that is torn, so that the program `sessions` has something to look at and to rescue.

#![expect(clippy::print_stdout, reason = "an example reports to its reader")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use session_store::{Counts, LastQuery, Query, Session, SessionId, SessionStore, Source, Window};

const WINDOW: usize = 20;
/// Where the store is made, anew in each run.
const DEMO: &str = "target/demo";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let fixtures = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts");
    let directory = arguments.next().unwrap_or_else(fixtures);

    if Path::new(DEMO).exists() {
        fs::remove_dir_all(DEMO)?;
    }
    fs::create_dir_all("target")?;
    let store = SessionStore::open(DEMO)?;
    let sessions = read(&directory)?;
    let start = Instant::now();
    let mut stored = 0;
    for session in sessions.values() {
        store.save(session)?;
        stored += fs::metadata(store.path(&session.id))?.len();
    }
    println!(
        "saved     {} sessions, {} in {:.1?}, each synced",
        sessions.len(),
        size(stored),
        start.elapsed()
    );

    let workspace = if let Some(workspace) = arguments.next() {
        workspace
    } else {
        let rows = store.list(&Query::new().counts(Counts::Skip))?.rows;
        let newest = rows.into_iter().find_map(|row| row.directory);
        newest.ok_or("no session names a directory")?
    };
    // A handle that knows nothing yet, as after a restart of the program.
    let store = SessionStore::open(store.root())?;
    let start = Instant::now();
    let found = store.find_last(
        &LastQuery::new()
            .workspace(&workspace)
            .window(Window::last(WINDOW)),
    )?;
    let took = start.elapsed();
    for skipped in &found.skipped {
        println!("skipped   {skipped}");
    }
    let Some(tail) = found.session else {
        println!("no session of {}", workspace.display());
        return Ok(());
    };
    let how = if found.source == Source::Index {
        "named by the index"
    } else {
        "found by a scan"
    };
    println!("workspace {}", workspace.display());
    println!("resumed   {} ({how}) in {took:.1?}", tail.id);
    println!(
        "messages  {} kept, {} dropped",
        tail.messages.len(),
        tail.dropped().get("messages")
    );
    println!(
        "read      {} of {} stored, the session has {}",
        size(found.bytes_read),
        size(stored),
        size(tail.file_bytes())
    );
    tear(&store, &tail.into_fork(SessionId::new("torn")?))
}

/// Leaves half a session, as a program does that writes its files in place and dies.
fn tear(store: &SessionStore, session: &Session) -> Result<(), Box<dyn Error>> {
    let json = serde_json::to_vec(session)?;
    fs::write(store.path(&session.id), &json[..json.len() / 2])?;
    Ok(())
}

/// Reads every session file of a directory, keeping the latest version of each session.
fn read(directory: &Path) -> Result<BTreeMap<SessionId, Session>, Box<dyn Error>> {
    let mut sessions = BTreeMap::<SessionId, Session>::new();
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let json = fs::read(&path)?;
        files += 1;
        bytes += json.len() as u64;
        match serde_json::from_slice::<Session>(&json) {
            Ok(session) => {
                let known = sessions.get(&session.id).and_then(|known| known.updated_at);
                if known <= session.updated_at {
                    sessions.insert(session.id.clone(), session);
                }
            }
            Err(error) => println!("not read  {}: {error}", path.display()),
        }
    }
    println!(
        "imported  {files} files, {} from {}",
        size(bytes),
        directory.display()
    );
    Ok(sessions)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
