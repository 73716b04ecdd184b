//! One record a line, as most agents keep a session: appended, and read backwards for the tail.
//!
//! The last line of a turn is the state of the session with the number of messages; the lines before it are the
//! messages. A log that knew less could not say how many messages a tail leaves out.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use session_model::{Message, Session};

use super::Part;
use crate::data::split::{Kind, split};

/// How much is read at once, backwards.
const BLOCK: u64 = 256 << 10;

#[derive(Serialize, Deserialize)]
struct State<'a> {
    messages: u64,
    #[serde(borrow)]
    session: &'a RawValue,
}

/// Writes a document as lines.
///
/// # Errors
///
/// What the file system or the document's parser says.
pub fn import(document: &Path, lines: &Path) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 18, File::create(lines)?);
    let mut messages = 0;
    let head = split(File::open(document)?, |kind, text| {
        if kind == Kind::Message {
            messages += 1;
            out.write_all(text.as_bytes())?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })?;
    let session = RawValue::from_string(head)?;
    serde_json::to_writer(
        &mut out,
        &State {
            messages,
            session: &session,
        },
    )?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// Reads the last `window` messages, backwards from the end.
///
/// # Errors
///
/// What the file system or serde says.
pub fn tail(path: &Path, window: usize) -> Result<Part> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    // One line for the state, and one line break before the first line that is kept.
    let wanted = window.saturating_add(2);
    let mut from = file.metadata()?.len();
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let mut breaks = 0;
    while from > 0 && breaks < wanted {
        let length = from.min(BLOCK);
        from -= length;
        let mut block = vec![0; usize::try_from(length)?];
        file.read_exact_at(&mut block, from)?;
        breaks += memchr::memchr_iter(b'\n', &block).count();
        blocks.push(block);
    }
    blocks.reverse();
    let bytes = blocks.concat();
    let mut lines = Vec::with_capacity(window.min(4_096));
    let mut end = bytes.len().saturating_sub(1);
    while lines.len() < window.saturating_add(1) {
        let start = memchr::memrchr(b'\n', &bytes[..end]).map_or(0, |at| at + 1);
        if start == 0 && from > 0 {
            break;
        }
        lines.push(&bytes[start..end]);
        if start == 0 {
            break;
        }
        end = start - 1;
    }
    let (last, messages) = lines
        .split_first()
        .context("find the state of the session")?;
    let state: State<'_> = serde_json::from_slice(last)?;
    ensure!(messages.len() <= window, "more lines than asked for");
    Ok(Part::decode(
        state.session.get(),
        messages.iter().rev().copied(),
        state.messages,
    )?)
}

/// Whether an append is on the medium when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sync {
    /// After `fdatasync`.
    Data,
    /// Not.
    No,
}

/// Appends one message to a kept file and returns what was written.
///
/// # Errors
///
/// What the file system or serde says.
pub fn append(file: &File, message: &Message, sync: Sync) -> Result<usize> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    (&mut &*file).write_all(&line)?;
    if sync == Sync::Data {
        file.sync_data()?;
    }
    Ok(line.len())
}

/// Writes a whole session as lines, in place of what was there.
///
/// # Errors
///
/// What the file system or serde says.
pub fn save(path: &Path, session: &Session, head: &str, sync: Sync) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 18, File::create(path)?);
    for message in &session.messages {
        serde_json::to_writer(&mut out, message)?;
        out.write_all(b"\n")?;
    }
    let head = RawValue::from_string(head.to_owned())?;
    let state = State {
        messages: u64::try_from(session.messages.len())?,
        session: &head,
    };
    serde_json::to_writer(&mut out, &state)?;
    out.write_all(b"\n")?;
    let file = out
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    if sync == Sync::Data {
        file.sync_data()?;
    }
    Ok(())
}

/// Reads a log whose state is older than its last messages: how many messages there are, and the last.
///
/// # Errors
///
/// What the file system or serde says.
pub fn count_and_last(path: &Path) -> Result<(u64, Message)> {
    let text = std::fs::read(path)?;
    // One of the lines is a state.
    let lines = memchr::memchr_iter(b'\n', &text).count() as u64;
    let end = text.len().saturating_sub(1);
    let start = memchr::memrchr(b'\n', &text[..end]).map_or(0, |at| at + 1);
    Ok((lines - 1, serde_json::from_slice(&text[start..end])?))
}
