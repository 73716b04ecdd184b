//! A session with a journal, as a catalogue keeps it: what both of its files said together, and which files those were.

use super::bytes::{Take, length, put_stat, size};
use super::row::{Row, set_messages};
use crate::corpus::{Files, Unfolded};

/// What stands for a journal that is another document's.
const DISPLACED: u8 = 1;

/// A session that two files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    /// The files, as they were before either was read.
    pub(crate) files: Files,
    /// What the journal has and the document lacks.
    pub(crate) unfolded: Unfolded,
    row: Vec<u8>,
}

impl Joined {
    /// Keeps a row, with a number of messages that was counted since where there is one.
    pub(crate) fn new(
        files: Files,
        unfolded: Unfolded,
        row: &Row<'_>,
        counted: Option<u64>,
    ) -> Self {
        let mut row = row.bytes().to_vec();
        if let Some(messages) = counted {
            set_messages(&mut row, messages);
        }
        Self {
            files,
            unfolded,
            row,
        }
    }

    /// The row, which was read once before.
    pub(crate) fn row(&self) -> Option<Row<'_>> {
        Row::read(&self.row).map(|(row, _)| row)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Option<()> {
        put_stat(out, &self.files.document);
        put_stat(out, &self.files.journal);
        let (kind, bytes) = match self.unfolded {
            Unfolded::Bytes(bytes) => (0, bytes),
            Unfolded::Displaced => (DISPLACED, 0),
        };
        out.push(kind);
        out.extend(bytes.to_le_bytes());
        out.extend(length(self.row.len())?);
        out.extend(&self.row);
        Some(())
    }

    pub(super) fn read(take: &mut Take<'_>) -> Option<Self> {
        let files = Files {
            document: take.stat()?,
            journal: take.stat()?,
        };
        let unfolded = match (take.u8()?, take.u64()?) {
            (0, bytes) => Unfolded::Bytes(bytes),
            (DISPLACED, _) => Unfolded::Displaced,
            _ => return None,
        };
        let length = size(take.u32()?);
        let row = take.bytes(length)?;
        let (_, rest) = Row::read(row)?;
        rest.is_empty().then(|| Self {
            files,
            unfolded,
            row: row.to_vec(),
        })
    }
}
