//! One row of a catalogue, read where it lies.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use session_model::{SessionHeader, SessionId, SessionSummary};

use super::bytes::{Take, length, put_stat, size};
use crate::backend::BlobStat;
use crate::order::{Nanos, system_time};

/// Where the number of messages stands in a row.
const MESSAGES: usize = 56;
/// What stands for a number of messages that was not counted.
const UNCOUNTED: u64 = u64::MAX;
const SECOND: Nanos = 1_000_000_000;

/// The bits of the members that a session has.
const TITLE: u8 = 1;
const AGENT: u8 = 2;
const DIRECTORY: u8 = 4;
const MODEL: u8 = 8;
const UPDATED: u8 = 16;
const CREATED: u8 = 32;

/// A session as a catalogue shows it, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    bytes: &'a [u8],
    pub(crate) id: &'a str,
    /// The first two parts of the order.
    pub(crate) at: Nanos,
    pub(crate) updated: Nanos,
    pub(crate) stat: BlobStat,
    pub(crate) messages: Option<u64>,
    pub(crate) title: Option<&'a str>,
    pub(crate) agent: Option<&'a str>,
    directory: Option<&'a [u8]>,
    model: Option<&'a str>,
    updated_at: Option<DateTime<Utc>>,
    created_at: Option<DateTime<Utc>>,
}

/// What a row says of a session's header, borrowed from wherever it was read.
#[derive(Debug, Default)]
pub(crate) struct Shown<'a> {
    pub(crate) title: Option<Cow<'a, str>>,
    pub(crate) agent: Option<Cow<'a, str>>,
    pub(crate) directory: Option<Cow<'a, Path>>,
    pub(crate) model: Option<Cow<'a, str>>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) created_at: Option<DateTime<Utc>>,
}

impl<'a> From<&'a SessionHeader> for Shown<'a> {
    fn from(header: &'a SessionHeader) -> Self {
        Self {
            title: header.title.as_deref().map(Cow::Borrowed),
            agent: header.agent.as_deref().map(Cow::Borrowed),
            directory: header.directory.as_deref().map(Cow::Borrowed),
            model: header.model.as_deref().map(Cow::Borrowed),
            updated_at: header.updated_at,
            created_at: header.created_at,
        }
    }
}

impl Shown<'_> {
    /// The header of the session that has this id.
    pub(crate) fn into_header(self, id: &str) -> SessionHeader {
        let mut header = SessionHeader::default();
        header.id = Some(id.to_owned());
        header.title = self.title.map(Cow::into_owned);
        header.agent = self.agent.map(Cow::into_owned);
        header.directory = self.directory.map(Cow::into_owned);
        header.model = self.model.map(Cow::into_owned);
        header.updated_at = self.updated_at;
        header.created_at = self.created_at;
        header
    }
}

/// Writes a session as a row; `None`, with nothing written, if it is too large for one.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    id: &str,
    shown: &Shown<'_>,
    stat: &BlobStat,
    messages: Option<u64>,
) -> Option<()> {
    let title = shown.title.as_deref().map(str::as_bytes);
    let agent = shown.agent.as_deref().map(str::as_bytes);
    let directory = shown
        .directory
        .as_deref()
        .map(|path| path.as_os_str().as_bytes());
    let model = shown.model.as_deref().map(str::as_bytes);
    let texts = [
        (TITLE, title),
        (AGENT, agent),
        (DIRECTORY, directory),
        (MODEL, model),
    ];
    let times = [(UPDATED, shown.updated_at), (CREATED, shown.created_at)];
    let id = id.as_bytes();
    let mut lengths = [[0; 4]; 4];
    for (length_of, (_, text)) in lengths.iter_mut().zip(&texts) {
        *length_of = length(text.map_or(0, <[u8]>::len))?;
    }
    let id_length = u8::try_from(id.len()).ok()?;
    let mut has = 0;
    for (bit, text) in texts {
        has |= if text.is_some() { bit } else { 0 };
    }
    for (bit, time) in times {
        has |= if time.is_some() { bit } else { 0 };
    }
    put_stat(out, stat);
    out.extend(messages.unwrap_or(UNCOUNTED).to_le_bytes());
    for (_, time) in times {
        out.extend(time.map_or(0, |time| time.timestamp()).to_le_bytes());
        out.extend(
            time.map_or(0, |time| time.timestamp_subsec_nanos())
                .to_le_bytes(),
        );
    }
    out.push(has);
    out.push(id_length);
    out.extend(lengths.as_flattened());
    out.extend(id);
    for (_, text) in texts {
        out.extend(text.unwrap_or_default());
    }
    Some(())
}

impl<'a> Row<'a> {
    /// Reads the row at the start of `bytes`, and returns what follows it; `None` if that is no row.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut take = Take(bytes);
        let stat = take.stat()?;
        let messages = take.u64()?;
        let (updated, created) = ((take.i64()?, take.u32()?), (take.i64()?, take.u32()?));
        let (has, id_length) = (take.u8()?, take.u8()?);
        let lengths = [take.u32()?, take.u32()?, take.u32()?, take.u32()?];
        let id_length = usize::from(id_length);
        let (lengths, mut all) = (lengths.map(size), Some(id_length));
        for length in lengths {
            all = all.and_then(|all| all.checked_add(length));
        }
        let mut texts = Texts::new(take.bytes(all?)?);
        let id = texts.text(id_length)?;
        let mut text = |bit, length| {
            let text = texts.text(length)?;
            Some((has & bit != 0).then_some(text))
        };
        let title = text(TITLE, lengths[0])?;
        let agent = text(AGENT, lengths[1])?;
        let directory = texts.bytes(lengths[2])?;
        let directory = (has & DIRECTORY != 0).then_some(directory);
        let model = texts.text(lengths[3])?;
        let model = (has & MODEL != 0).then_some(model);
        let time = |bit, (seconds, nanos)| match has & bit {
            0 => Some(None),
            _ => DateTime::from_timestamp(seconds, nanos).map(Some),
        };
        let updated_at = time(UPDATED, updated)?;
        let in_order = updated_at.map_or(stat.modified, |_| {
            Nanos::from(updated.0) * SECOND + Nanos::from(updated.1)
        });
        let rest = take.0;
        let row = Self {
            bytes: &bytes[..bytes.len() - rest.len()],
            id,
            at: in_order.min(stat.modified),
            updated: in_order,
            stat,
            messages: (messages != UNCOUNTED).then_some(messages),
            title,
            agent,
            directory,
            model,
            updated_at,
            created_at: time(CREATED, created)?,
        };
        Some((row, rest))
    }

    /// The bytes that it takes in a catalogue, its share of what stands between rows included.
    pub(crate) fn room(&self) -> usize {
        self.bytes.len() + 1
    }

    /// The row as it lies there.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The parts of the order, to be compared with others.
    pub(crate) fn key(&self) -> (Nanos, Nanos, &'a str) {
        (self.at, self.updated, self.id)
    }

    pub(crate) fn directory(&self) -> Option<&'a Path> {
        self.directory
            .map(|bytes| Path::new(OsStr::from_bytes(bytes)))
    }

    /// The row as callers see it.
    pub(crate) fn summary(&self, id: SessionId, messages: Option<u64>) -> SessionSummary {
        let mut header = SessionHeader::default();
        header.title = self.title.map(str::to_owned);
        header.created_at = self.created_at;
        header.updated_at = self.updated_at;
        header.agent = self.agent.map(str::to_owned);
        header.directory = self.directory().map(PathBuf::from);
        header.model = self.model.map(str::to_owned);
        let modified = system_time(self.stat.modified);
        let mut summary = SessionSummary::new(id, header, self.stat.size, modified);
        summary.messages = messages;
        summary
    }
}

/// Puts a number of messages into the bytes of a row.
pub(super) fn set_messages(row: &mut [u8], messages: u64) {
    if let Some(place) = row.get_mut(MESSAGES..MESSAGES + 8) {
        place.copy_from_slice(&messages.to_le_bytes());
    }
}

/// The texts of a row, one after another. They are checked all at once, as they are all text but for a directory of other bytes.
struct Texts<'a> {
    bytes: &'a [u8],
    text: Option<&'a str>,
    at: usize,
}

impl<'a> Texts<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok();
        Self { bytes, text, at: 0 }
    }

    fn next(&mut self, length: usize) -> Range<usize> {
        let from = self.at;
        self.at += length;
        from..self.at
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let next = self.next(length);
        self.bytes.get(next)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let next = self.next(length);
        match self.text {
            Some(text) => text.get(next),
            None => std::str::from_utf8(self.bytes.get(next)?).ok(),
        }
    }
}

/// Rows that lie one after another; an error ends them.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, super::Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((row, rest)) = Row::read(self.0) else {
            self.0 = &[];
            return Some(Err(super::Damaged));
        };
        self.0 = rest;
        Some(Ok(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(directory: &[u8]) -> Vec<u8> {
        let shown = Shown {
            title: Some("Grüße".into()),
            directory: Some(Path::new(OsStr::from_bytes(directory)).into()),
            model: Some("ü".into()),
            ..Shown::default()
        };
        let (mut bytes, stat) = (Vec::new(), BlobStat::new(1, 2, 3, 4, 5));
        encode(&mut bytes, "one", &shown, &stat, Some(7)).expect("a small row");
        bytes
    }

    #[test]
    fn texts_come_back_beside_a_directory_that_is_none() {
        for directory in [&b"/w"[..], "/ü".as_bytes(), b"/\xff", b"\xc3"] {
            let bytes = row(directory);
            let (read, rest) = Row::read(&bytes).expect("a row");
            assert!(rest.is_empty());
            assert_eq!((read.id, read.agent, read.messages), ("one", None, Some(7)));
            assert_eq!((read.title, read.model), (Some("Grüße"), Some("ü")));
            let found = read.directory().map(|path| path.as_os_str().as_bytes());
            assert_eq!(found, Some(directory));
        }
    }

    #[test]
    fn a_text_that_ends_within_a_character_is_no_row() {
        let bytes = row(b"/w");
        let title = bytes.len() - "oneGrüße/wü".len() - 16;
        assert_eq!(bytes[title..title + 4], 7_u32.to_le_bytes());
        for (shorter, is_row) in [(0, true), (1, true), (2, false), (3, true)] {
            let mut bytes = bytes.clone();
            bytes[title] -= shorter;
            // What the title loses is the directory's.
            bytes[title + 8] += shorter;
            assert_eq!(Row::read(&bytes).is_some(), is_row, "{shorter} bytes less");
        }
    }
}
