//! Owns the bytes of a transcript on their way in: a look at the beginning, lines of bounded length. Knows no format.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::path::Path;

/// How much of the beginning is looked at: Codex begins with a line that holds its instructions.
const HEAD: usize = 256 * 1024;

/// How long one record may be: as long as one element of a session.
const MAX_RECORD: usize = 64 * 1024 * 1024;

/// A transcript to read, with what is known about it from elsewhere.
pub struct Input<'a> {
    reader: Box<dyn BufRead + 'a>,
    /// Bytes that were taken from the reader and are still to be read.
    head: Vec<u8>,
    taken: usize,
    peeked: bool,
    name: Option<String>,
    max_record: usize,
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("max_record", &self.max_record)
            .finish_non_exhaustive()
    }
}

/// One line of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes are in the buffer, without the line feed.
    Read,
    /// It is longer than a record may be, and was passed over.
    TooLong,
    /// There is no more.
    End,
}

impl<'a> Input<'a> {
    /// Reads from `reader`, which is not rewound.
    pub fn new(reader: impl BufRead + 'a) -> Self {
        Self {
            reader: Box::new(reader),
            head: Vec::new(),
            taken: 0,
            peeked: false,
            name: None,
            max_record: MAX_RECORD,
        }
    }

    /// Says which file it comes from: a session whose transcript states no id is named after it.
    #[must_use]
    pub fn named(mut self, path: impl AsRef<Path>) -> Self {
        let stem = path.as_ref().file_stem();
        self.name = stem.map(|stem| stem.to_string_lossy().into_owned());
        self
    }

    /// Sets how many bytes one record may have; 64 MiB if not set. A longer one is reported and not read.
    #[must_use]
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Returns the name of the file without its extension, if it is known.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the first 256 KiB, or all if there is less, without taking them out.
    ///
    /// # Errors
    ///
    /// What the reader says.
    pub fn head(&mut self) -> io::Result<&[u8]> {
        if !self.peeked {
            self.peeked = true;
            let limit = u64::try_from(HEAD).unwrap_or(u64::MAX);
            self.reader
                .by_ref()
                .take(limit)
                .read_to_end(&mut self.head)?;
        }
        Ok(self.head.get(self.taken..).unwrap_or_default())
    }

    /// Reads the next line into `line`.
    pub(super) fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<Line> {
        line.clear();
        let limit = u64::try_from(self.max_record)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        let read = self.by_ref().take(limit).read_until(b'\n', line)?;
        if read == 0 {
            return Ok(Line::End);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > self.max_record {
            line.clear();
            self.skip_until(b'\n')?;
            return Ok(Line::TooLong);
        }
        Ok(Line::Read)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken < self.head.len() {
            return Ok(&self.head[self.taken..]);
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        if self.taken < self.head.len() {
            self.taken += bytes;
        } else {
            self.reader.consume(bytes);
        }
    }
}
