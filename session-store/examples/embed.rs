//! What an agent's author writes: open, save, resume with a window, append a turn, resume again.
//!
//! `cargo run --example embed`

#![expect(clippy::print_stdout, reason = "an example reports to its reader")]

use std::error::Error;

use session_store::{Append, Message, Session, SessionId, SessionStore, Window};

fn main() -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let project = scratch.path().join("project");
    std::fs::create_dir(&project)?;

    // Open the store; its directories appear with the first save.
    let store = SessionStore::open(scratch.path().join("sessions"))?;

    // A session of this project, saved after its first turn.
    let mut session = Session::new(SessionId::new("7d1f0c52")?, project.as_path());
    session.push(Message::user("Why does the test fail?"));
    session.push(Message::assistant("It asserts how long something took."));
    session.touch(chrono::Utc::now());
    store.save(&session)?;

    // The program starts again: resume the newest session of the directory, the last message only.
    let tail = store
        .last_for_directory_tail(Some(&project), Window::last(1))?
        .ok_or("nothing to resume")?;
    println!(
        "resumed {}: {} kept, {} dropped",
        tail.id,
        tail.messages.len(),
        tail.dropped().total()
    );

    // Add a turn to it; the rest of the history need not be in memory.
    let turn = Append::new()
        .based_on(tail.revision())
        .message(&Message::user("Remove the assertion."))?;
    store.append(&tail.id, &turn)?;

    let whole = store.load(&tail.id)?;
    println!(
        "now {} messages, the last by {:?}",
        whole.messages.len(),
        whole.messages[2].role
    );
    assert_eq!(whole.messages.len(), 3);
    Ok(())
}
