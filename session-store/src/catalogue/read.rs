//! An open catalogue: its header and first page in one read, the other pages as they are asked for.

use session_codec::ReadAt as _;

use super::bytes::{Take, size};
use super::header::{self, HEADER, Header, Parts};
use super::notes::Notes;
use super::row::Rows;
use super::write::{LARGEST, LARGEST_ROW, PAGE_HEADER};
use super::{Damaged, NAME};
use crate::backend::{Backend, Blob, OpenBlob};
use crate::order::Nanos;

/// How much is read at first: the header and the fifty newest sessions, with ordinary titles and directories.
const FIRST: usize = 32 << 10;
/// How much is read at a time after that.
const NEXT: usize = 256 << 10;
/// The longest page: a row may follow when it is nearly full.
const LONGEST_PAGE: usize = 2 * LARGEST_ROW;
/// The longest notes that are believed, in bytes.
const LONGEST_NOTES: usize = 16 << 20;
/// A page's entry in the directory: where it begins, and the first two parts of its first row's order.
const ENTRY: usize = 40;

/// A catalogue whose header and notes are whole.
#[derive(Debug)]
pub(crate) struct Catalogue {
    file: Box<dyn OpenBlob>,
    pub(crate) header: Header,
    pub(crate) notes: Notes,
    parts: Parts,
    /// The file's first bytes.
    first: Vec<u8>,
}

impl Catalogue {
    /// Opens the catalogue of a store; `None` if there is none that is whole and of this kind.
    pub(crate) fn open(backend: &dyn Backend, kind: u64) -> Option<Self> {
        let file = backend.open(&Blob::index(NAME)).ok()??;
        let mut first = vec![0; FIRST];
        // A short read is the file's end, or comes to light where what it left out is looked for.
        let read = file.read_at(&mut first, 0).ok()?;
        first.truncate(read);
        let (header, parts) = header::read(&first).filter(|(header, _)| header.kind == kind)?;
        let length = size(parts.notes_length);
        if length > LONGEST_NOTES {
            return None;
        }
        let notes = match first.get(HEADER..HEADER + length) {
            Some(notes) => notes.to_vec(),
            None => read_exact(&*file, length, HEADER as u64)?,
        };
        if crc32fast::hash(&notes) != parts.notes_crc {
            return None;
        }
        Some(Self {
            notes: Notes::read(&notes)?,
            file,
            header,
            parts,
            first,
        })
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.parts.rows
    }

    /// All pages, newest first.
    pub(crate) fn pages(&self) -> Pages<'_> {
        Pages {
            catalogue: self,
            left: self.parts.pages,
            at: self.pages_at(),
            buffer: Vec::new(),
            buffer_at: 0,
        }
    }

    /// The pages from the first on that has rows after this place in the order; all, if that cannot be told.
    pub(crate) fn pages_after(&self, at: Nanos, updated: Nanos) -> Pages<'_> {
        let mut pages = self.pages();
        if let Some((skipped, offset)) = self.seek(at, updated) {
            pages.left = pages.left.saturating_sub(skipped);
            // Beyond all files, nothing can be read.
            pages.at = pages.at.saturating_add(offset);
        }
        pages
    }

    fn pages_at(&self) -> u64 {
        HEADER as u64 + u64::from(self.parts.notes_length)
    }

    /// How many pages come before the last one that begins before a place, and where that one begins.
    fn seek(&self, at: Nanos, updated: Nanos) -> Option<(u32, u64)> {
        let length = size(self.parts.pages).checked_mul(ENTRY)?;
        // A page has at least one row, which bounds what is allocated by what the file can hold.
        let end = self.parts.directory_at.checked_add(length as u64)?;
        if end > self.file.size().ok()? {
            return None;
        }
        let directory = read_exact(&*self.file, length, self.parts.directory_at)?;
        if crc32fast::hash(&directory) != self.parts.directory_crc {
            return None;
        }
        let entry = |entry: &[u8]| {
            let mut take = Take(entry);
            Some((take.u64()?, (take.i128()?, take.i128()?)))
        };
        let entries: Vec<_> = directory.chunks_exact(ENTRY).filter_map(entry).collect();
        let before = entries.partition_point(|(_, first)| *first > (at, updated));
        let page = before.saturating_sub(1);
        let (offset, _) = entries.get(page)?;
        Some((u32::try_from(page).ok()?, *offset))
    }

    /// Reads all rows into one piece of memory.
    ///
    /// # Errors
    ///
    /// [`Damaged`] if one of them is not whole.
    pub(crate) fn load(&self) -> Result<Vec<u8>, Damaged> {
        let bytes = self.file.size().unwrap_or(0).min(LARGEST as u64);
        let mut rows = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        let mut pages = self.pages();
        while let Some(page) = pages.next()? {
            rows.extend(page.0);
        }
        Ok(rows)
    }
}

/// Pages that are read and verified one after another.
#[derive(Debug)]
pub(crate) struct Pages<'c> {
    catalogue: &'c Catalogue,
    left: u32,
    /// Where the next page begins.
    at: u64,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    buffer_at: u64,
}

impl Pages<'_> {
    /// Gives the rows of the next page; `None` after the last.
    ///
    /// # Errors
    ///
    /// [`Damaged`] if the page is not whole, or could not be read.
    pub(crate) fn next(&mut self) -> Result<Option<Rows<'_>>, Damaged> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let head = self.range(PAGE_HEADER)?;
        let (length, crc) = {
            let mut head = Take(&self.bytes()[head]);
            let length = head.u32().map(size).ok_or(Damaged)?;
            let _rows = head.u32().ok_or(Damaged)?;
            (length, head.u32().ok_or(Damaged)?)
        };
        if length > LONGEST_PAGE {
            return Err(Damaged);
        }
        let page = self.range(PAGE_HEADER + length)?;
        self.at += (PAGE_HEADER + length) as u64;
        let bytes = &self.bytes()[page];
        let (head, rows) = bytes.split_at(PAGE_HEADER);
        let mut found = crc32fast::Hasher::new();
        found.update(&head[..8]);
        found.update(rows);
        if found.finalize() != crc {
            return Err(Damaged);
        }
        Ok(Some(Rows(rows)))
    }

    /// What has been read: the file's first bytes until more was needed.
    fn bytes(&self) -> &[u8] {
        if self.buffer.is_empty() {
            &self.catalogue.first
        } else {
            &self.buffer
        }
    }

    /// Finds the next `length` bytes in what has been read, reading more if need be.
    fn range(&mut self, length: usize) -> Result<std::ops::Range<usize>, Damaged> {
        let within = |buffer_at: u64, buffer: &[u8], at: u64| {
            let start = usize::try_from(at.checked_sub(buffer_at)?).ok()?;
            let end = start.checked_add(length)?;
            (end <= buffer.len()).then_some(start..end)
        };
        if let Some(range) = within(self.buffer_at, self.bytes(), self.at) {
            return Ok(range);
        }
        self.buffer.resize(NEXT.max(length), 0);
        let read = self
            .catalogue
            .file
            .fill_at(&mut self.buffer, self.at)
            .map_err(|_| Damaged)?;
        self.buffer.truncate(read);
        self.buffer_at = self.at;
        // An empty buffer would stand for the first bytes.
        within(self.buffer_at, &self.buffer, self.at)
            .filter(|_| read > 0)
            .ok_or(Damaged)
    }
}

fn read_exact(file: &dyn OpenBlob, length: usize, at: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).ok()?;
    Some(bytes)
}
