//! Building a catalogue's bytes, row by row.

use super::bytes::length;
use super::header::{self, HEADER, Header, Parts};
use super::notes::Notes;
use super::row::{Row, set_messages};

/// A page is closed when it has this many rows …
const PAGE_ROWS: u32 = 64;
/// … or this many bytes: about what the first read takes in.
const PAGE_BYTES: usize = 16 << 10;
/// The largest row that is kept, in bytes. Larger ones are looked up again each time.
pub(super) const LARGEST_ROW: usize = 64 << 10;
/// The largest catalogue that is kept, in bytes: about a million sessions.
pub(super) const LARGEST: usize = 256 << 20;
/// What stands before the rows of a page: their length, their number, a checksum.
pub(super) const PAGE_HEADER: usize = 12;

/// Collects rows, newest first.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pages: Vec<u8>,
    directory: Vec<u8>,
    parts: Parts,
    /// Where the open page begins, and how many rows it has.
    open: usize,
    open_rows: u32,
}

impl Writer {
    /// Makes room for so many bytes of rows.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self {
            pages: Vec::with_capacity(bytes.min(LARGEST)),
            ..Self::default()
        }
    }

    /// Whether a row is small enough to be kept.
    pub(crate) fn takes(row: &Row<'_>) -> bool {
        row.bytes().len() <= LARGEST_ROW
    }

    /// Adds a row, with a number of messages that was counted since where there is one.
    pub(crate) fn push(&mut self, row: &Row<'_>, counted: Option<u64>) {
        if self.open_rows == 0 {
            self.open = self.pages.len();
            self.directory.extend((self.open as u64).to_le_bytes());
            self.directory.extend(row.at.to_le_bytes());
            self.directory.extend(row.updated.to_le_bytes());
            self.pages.extend([0; PAGE_HEADER]);
        }
        let at = self.pages.len();
        self.pages.extend(row.bytes());
        if let Some(messages) = counted {
            set_messages(&mut self.pages[at..], messages);
        }
        self.open_rows += 1;
        self.parts.rows += 1;
        if self.open_rows == PAGE_ROWS || self.pages.len() - self.open >= PAGE_BYTES {
            self.close_page();
        }
    }

    fn close_page(&mut self) {
        let page = &mut self.pages[self.open..];
        let (head, rows) = page.split_at_mut(PAGE_HEADER);
        let stated = [
            length(rows.len()).unwrap_or_default(),
            self.open_rows.to_le_bytes(),
        ];
        let mut crc = crc32fast::Hasher::new();
        crc.update(stated.as_flattened());
        crc.update(rows);
        head[..8].copy_from_slice(stated.as_flattened());
        head[8..].copy_from_slice(&crc.finalize().to_le_bytes());
        self.parts.pages += 1;
        self.open_rows = 0;
    }

    /// Gives the parts of the file, to be written one after another; `None` if there is too much of it.
    pub(crate) fn finish(mut self, header: &Header, notes: &Notes) -> Option<[Vec<u8>; 3]> {
        if self.open_rows > 0 {
            self.close_page();
        }
        let notes = notes.write()?;
        let total = HEADER + notes.len() + self.pages.len() + self.directory.len();
        if total > LARGEST {
            return None;
        }
        let parts = Parts {
            notes_length: u32::try_from(notes.len()).ok()?,
            notes_crc: crc32fast::hash(&notes),
            directory_at: (total - self.directory.len()) as u64,
            directory_crc: crc32fast::hash(&self.directory),
            ..self.parts
        };
        let mut head = header::write(header, &parts).to_vec();
        head.extend(notes);
        Some([head, self.pages, self.directory])
    }
}
