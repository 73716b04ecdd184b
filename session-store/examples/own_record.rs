//! Bring your own record: an agent's own struct, with its own messages and three capped arrays, kept by the store.
//!
//! `cargo run --example own_record`

#![expect(clippy::print_stdout, reason = "an example reports to its reader")]

use std::error::Error;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use session_store::{Append, Query, SearchQuery, SessionId, SessionRecord, SessionStore, Window};

/// What this agent keeps of a conversation. Nothing here is known to the store.
#[derive(Clone, Serialize, Deserialize)]
struct Run {
    id: SessionId,
    updated_at: DateTime<Utc>,
    cwd: PathBuf,
    turns: Vec<Turn>,
    commands: Vec<Command>,
    costs: Vec<f64>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Turn {
    Asked { text: String, files: Vec<PathBuf> },
    Answered { text: String, model: String },
}

#[derive(Clone, Serialize, Deserialize)]
struct Command {
    line: String,
    exit: i32,
}

// All that the store needs to know: ten lines.
#[rustfmt::skip]
impl SessionRecord for Run {
    const CAPPED: &'static [&'static str] = &["turns", "commands", "costs"];
    const PARALLEL: &'static [(&'static str, &'static str)] = &[("costs", "turns")];
    const DIRECTORY: &'static [&'static str] = &["cwd"];
    fn id(&self) -> &str { &self.id }
    fn set_id(&mut self, id: SessionId) { self.id = id; }
    fn directory(&self) -> Option<&Path> { Some(&self.cwd) }
    fn updated_at(&self) -> Option<DateTime<Utc>> { Some(self.updated_at) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let project = scratch.path().join("project");
    std::fs::create_dir(&project)?;
    let store = SessionStore::<Run>::open_as(scratch.path().join("runs"))?;

    // Save: checked for conflicts, synced, and known as the last one of its directory.
    let mut run = Run {
        id: SessionId::new("run-1")?,
        updated_at: Utc::now(),
        cwd: project.clone(),
        turns: Vec::new(),
        commands: Vec::new(),
        costs: Vec::new(),
    };
    for number in 1..=50 {
        run.turns.push(Turn::Asked {
            text: format!("question {number}"),
            files: vec!["src/main.rs".into()],
        });
        run.commands.push(Command {
            line: format!("cargo test case_{number}"),
            exit: 0,
        });
        run.costs.push(0.25);
    }
    store.save(&run)?;

    // Resume: the end of it, found by directory, with exact counts of what was left out.
    let tail = store
        .last_for_directory_tail(Some(&project), Window::last(2))?
        .ok_or("nothing to resume")?;
    println!("resumed {} with {} of 50 turns", tail.id, tail.turns.len());
    assert_eq!(tail.dropped().get("turns"), 48);
    assert_eq!(tail.dropped().total(), 3 * 48);

    // Append: a turn, a command and a cost, without the history in memory.
    let answer = Turn::Answered {
        text: "It was the clock.".to_owned(),
        model: "some-model".to_owned(),
    };
    let command = Command {
        line: "git commit".to_owned(),
        exit: 0,
    };
    let turn = Append::new()
        .based_on(tail.revision())
        .element("turns", &answer)?
        .element("commands", &command)?
        .element("costs", &0.5)?;
    store.append(&tail.id, &turn)?;

    // Fork: a new session of the window.
    let fork = store
        .load_tail(&run.id, Window::last(1))?
        .into_fork(SessionId::new("run-2")?);
    store.save(&fork)?;

    // List, search, load, delete: as for any session.
    let listing = store.list(&Query::new().workspace(&project))?;
    println!("{} runs of this project", listing.rows.len());
    assert_eq!(listing.rows.len(), 2);
    let hits = store.search(&SearchQuery::text("case_7"))?.count();
    println!("found in {hits} place");
    assert_eq!(hits, 1);
    assert_eq!(store.load(&run.id)?.turns.len(), 51);
    assert!(store.delete(&fork.id)?);
    Ok(())
}
