//! The bytes of one pointer. Owns the layout and decides what verifies; knows no storage.
//!
//! The layout is documented at [`SidecarIndex`](crate::SidecarIndex), for users and other programs. What was decoded is
//! encoded again and compared with the file, so that there is one spelling for each content and one place that defines it.

use std::borrow::Cow;
use std::fmt::Write;

use crate::Pointer;
use crate::answer::{Entry, Reason, Recorded};
use crate::epoch::Epoch;
use crate::key::{Key, MAX_WORKSPACE};
use crate::seal::{seal, unseal};

/// The longest pointer that is read. The longest that is written is 16 KiB of path and 1 KiB of id, three bytes each.
pub(crate) const LIMIT: usize = 64 * 1024;

/// The longest id that is recorded, in bytes: far above what is an id anywhere, far below what would fill a disk.
const MAX_ID: usize = 1024;

const TITLE: &str = "session-index pointer ";
const VERSION: &str = "2";

/// Writes what is recorded under `key`, or returns `None` if it is too long to be read again.
pub(crate) fn encode(key: &Key<'_>, entry: &Entry) -> Option<Vec<u8>> {
    let mut text = String::with_capacity(256);
    text.push_str(TITLE);
    text.push_str(VERSION);
    match key {
        Key::All => text.push_str("\nall\n"),
        Key::Workspace(path) if path.len() <= MAX_WORKSPACE => {
            text.push_str("\nworkspace ");
            escape(&mut text, path);
            text.push('\n');
        }
        Key::Workspace(_) => return None,
    }
    match &entry.recorded {
        Recorded::Nothing => text.push_str("none\n"),
        Recorded::Session(Pointer { id, at, updated }) if id.len() <= MAX_ID => {
            text.push_str("session ");
            escape(&mut text, id.as_bytes());
            // Writing to a string cannot fail.
            let _ = write!(text, "\nat {at}\nupdated {updated}\n");
        }
        Recorded::Session(_) => return None,
    }
    match entry.epoch {
        Some(epoch) => drop(writeln!(text, "epoch {epoch}")),
        None => text.push_str("hint\n"),
    }
    Some(seal(text))
}

/// Reads what is recorded under `key`, or says why it does not verify.
pub(crate) fn decode(key: &Key<'_>, bytes: &[u8]) -> Result<Entry, Reason> {
    if bytes.len() > LIMIT {
        return Err(Reason::Damaged);
    }
    let body = unseal(TITLE, VERSION, bytes)?;
    let (written_under, entry) = parse(body).ok_or(Reason::Damaged)?;
    // One comparison rejects every other spelling: signs and zeros before numbers, escapes of plain characters, lower
    // case, missing and added lines.
    if encode(&written_under, &entry).as_deref() != Some(bytes) {
        return Err(Reason::Damaged);
    }
    if written_under == *key {
        Ok(entry)
    } else {
        Err(Reason::OtherWorkspace)
    }
}

/// Whether these are the bytes of a pointer, of whichever workspace, that names a session in this epoch.
pub(crate) fn names_session(bytes: &[u8], epoch: Epoch) -> bool {
    let entry = unseal(TITLE, VERSION, bytes).ok().and_then(parse);
    entry.is_some_and(|(_, entry)| {
        entry.epoch == Some(epoch) && matches!(entry.recorded, Recorded::Session(_))
    })
}

fn parse(body: &str) -> Option<(Key<'static>, Entry)> {
    let mut lines = body.split('\n').skip(1);
    let key = match lines.next()? {
        "all" => Key::All,
        line => Key::Workspace(Cow::Owned(unescape(line.strip_prefix("workspace ")?)?)),
    };
    let recorded = match lines.next()? {
        "none" => Recorded::Nothing,
        line => {
            let id = String::from_utf8(unescape(line.strip_prefix("session ")?)?).ok()?;
            let at = lines.next()?.strip_prefix("at ")?.parse().ok()?;
            let updated = lines.next()?.strip_prefix("updated ")?.parse().ok()?;
            Recorded::Session(Pointer { at, updated, id })
        }
    };
    let epoch = match lines.next()? {
        "hint" => None,
        line => Some(Epoch::parse(line.strip_prefix("epoch ")?)?),
    };
    Some((key, Entry { recorded, epoch }))
}

fn escape(text: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_graphic() && byte != b'%' {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            (hex(rest.next()?)? << 4) | hex(rest.next()?)?
        } else {
            byte
        });
    }
    Some(bytes)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
