//! A chat that forgets nothing: each turn is durable before the next one begins, the next start goes on where the last one
//! ended, and Ctrl-C at any moment loses no turn that was shown.
//!
//! `cargo run --features tokio --example chat [DIRECTORY]`
//!
//! Type a line, get one back; end with Ctrl-D or Ctrl-C, and start again.

#![expect(clippy::print_stdout, reason = "an example reports to its reader")]

use std::error::Error;
use std::path::{Path, PathBuf};

use chrono::Utc;
use session_store::tokio::{SessionStore, Writer};
use session_store::{Append, Message, Session, SessionId, Window};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::signal::ctrl_c;

fn main() -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.unwrap_or_else(|| scratch.path().join("sessions"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(chat(&directory));
    // All that was begun has ended. What is left is a thread that waits for a line, and would for ever.
    runtime.shutdown_background();
    done
}

async fn chat(directory: &Path) -> Result<(), Box<dyn Error>> {
    let store = SessionStore::open(directory).await?;
    let workspace = std::env::current_dir()?;
    let writer = resume(&store, &workspace).await?;
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        // Only waiting for a line is given up here. A turn that has begun is finished, and then durable.
        let line = tokio::select! {
            line = lines.next_line() => line?,
            interrupted = ctrl_c() => {
                interrupted?;
                None
            }
        };
        let Some(line) = line else { break };
        let answer = answer(&line);
        writer.append(turn(&line, &answer)?).await?;
        println!("< {answer}");
    }
    // So that other programs find the whole conversation in one plain file.
    writer.close().await?;
    println!("kept in {}", directory.display());
    Ok(())
}

/// Goes on with the last session of the workspace, or begins one.
async fn resume(store: &SessionStore, workspace: &Path) -> Result<Writer, Box<dyn Error>> {
    // The model is given whole pairs: no result of a tool whose call is not there.
    let window = Window::last(20).align_tool_pairs();
    let last = store
        .last_for_directory_tail(Some(workspace), window)
        .await?;
    if let Some(tail) = last {
        let before = tail.dropped().get("messages");
        println!("resumed {} after {before} older messages", tail.id);
        for message in &tail.messages {
            let text = message.content.iter().filter_map(|part| part.as_text());
            println!("{} {}", message.role, text.collect::<String>());
        }
        return Ok(store.writer(&tail.id).await?);
    }
    let now = Utc::now();
    let id = SessionId::new(&format!("chat-{}", now.format("%Y%m%dT%H%M%S%3f")))?;
    let mut session = Session::new(id.clone(), workspace);
    session.touch(now);
    println!("began {id}");
    store.save(session).await?;
    Ok(store.writer(&id).await?)
}

fn turn(asked: &str, answered: &str) -> Result<Append, session_store::Unencodable> {
    Append::new()
        .message(&Message::user(asked))?
        .message(&Message::assistant(answered))
}

/// Where a model would be asked.
fn answer(line: &str) -> String {
    line.chars().rev().collect()
}
