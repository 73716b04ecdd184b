//! Checking a footer against all of its document. Owns the comparison; must
//! not know how footers are used.

use super::{Footer, FooterFault, FooterUse, document_revision, find, find_if_there};
use crate::{
    Codec, Error, Parser, RESERVED, ReadAt, Revision, RevisionHasher,
    lexer::{Key, Piece, Stop, Visit, Watch},
    trace,
    walk::walk_at,
};

/// What a check of a document's footer found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FooterReport {
    /// `Used` if the footer is right in every particular.
    pub used: FooterUse,
    /// The footer, if it is sound in itself, right or not.
    pub footer: Option<Footer>,
}

impl<P: Parser> Codec<P> {
    /// Returns the footer of a document, if one ends it that is sound in itself;
    /// nothing of it is compared with the document.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// One read of at most 64 KiB, rarely a second one.
    pub fn footer<R: ReadAt + ?Sized>(&self, source: &R) -> Result<Option<Footer>, Error> {
        Ok(find_if_there(source)?.map(|found| found.footer))
    }

    /// Returns a document's revision.
    ///
    /// It is that of the bytes before the footer's comma if a footer ends the
    /// document and names exactly their length and hash; otherwise that of all
    /// bytes. [`encode`](Self::encode), [`amend`](Self::amend),
    /// [`tail`](Self::tail) and [`validate`](Self::validate) answer the same.
    ///
    /// ```
    /// use session_codec::{Codec, Revision};
    ///
    /// let document = br#"{"id":"a"}"#;
    /// assert_eq!(Codec::new().revision(document)?, Revision::of(document));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Io`]. The bytes need not be JSON.
    ///
    /// # Complexity
    ///
    /// Reads all, in memory of one read.
    pub fn revision<R: ReadAt + ?Sized>(&self, source: &R) -> Result<Revision, Error> {
        Ok(document_revision(source)?)
    }

    /// Compares all that a footer says with all of its document: revision,
    /// checksums, marks and counts.
    ///
    /// ```
    /// use session_codec::{Codec, FooterUse};
    ///
    /// let codec = Codec::new().marks(&["messages"]);
    /// let mut document = Vec::new();
    /// codec.encode(&serde_json::json!({"messages": [1, 2]}), &mut document)?;
    /// assert_eq!(codec.check_footer(&document)?.used, FooterUse::Used);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate), and with [`strict`](Self::strict) all that
    /// a full decode would refuse. A footer that is wrong is an answer, not an
    /// error.
    ///
    /// # Complexity
    ///
    /// One pass, in memory of one read and the footer.
    pub fn check_footer<R: ReadAt + ?Sized>(&self, source: &R) -> Result<FooterReport, Error> {
        let _span = trace::span("check_footer", source.size()?);
        let (footer, absent) = match find(source)? {
            Ok(found) => (Some(found.footer), FooterUse::Used),
            Err(missing) => (None, missing.why),
        };
        let mut compare = Compare::new(footer.as_ref());
        let names = footer.iter().flat_map(Footer::counts).map(|(name, _)| name);
        let mut lexer = self.lexer(names);
        if self.is_strict() {
            lexer = lexer.strict();
        }
        let walked = walk_at(self, lexer, &mut compare, source);
        let used = match (walked, compare.fault) {
            (Err(error), _) => return Err(error),
            (Ok(_), Some(fault)) => FooterUse::Ignored(fault),
            (Ok(_), None) => match (absent, compare.reserved) {
                (FooterUse::Used, _) => compare.finish(),
                (FooterUse::Absent, true) => FooterUse::Ignored(FooterFault::Misplaced),
                (answer, _) => answer,
            },
        };
        Ok(FooterReport { used, footer })
    }
}

/// Follows a document and notes the first thing in which its footer errs.
struct Compare<'a> {
    footer: Option<&'a Footer>,
    fault: Option<FooterFault>,
    reserved: bool,
    current: Option<usize>,
    /// Marked arrays that have ended.
    passed: usize,
    /// Segments of the current one that have begun, elements before the next,
    /// and where that begins.
    begun: usize,
    before: u64,
    next: u64,
    elements: u64,
    largest: u64,
    element: u64,
    sums: Sums,
}

/// The checksums and the revision of the stretches that a footer names.
struct Sums {
    /// Ends of stretches with their checksums, last first.
    left: Vec<(u64, u32)>,
    hasher: crc32fast::Hasher,
    revision: RevisionHasher,
    at: u64,
    body: u64,
    agree: bool,
}

impl Sums {
    fn new(footer: Option<&Footer>) -> Self {
        let mut left = Vec::new();
        if let Some(footer) = footer {
            for (array, rest) in footer.arrays.iter().zip(&footer.rest) {
                left.push((array.start, *rest));
                let mut at = array.start;
                for segment in &array.segments {
                    at += segment.bytes;
                    left.push((at, segment.checksum));
                }
            }
            left.extend(footer.rest.last().map(|rest| (footer.body, *rest)));
        }
        left.reverse();
        Self {
            left,
            hasher: crc32fast::Hasher::new(),
            revision: RevisionHasher::new(),
            at: 0,
            body: footer.map_or(0, |footer| footer.body),
            agree: true,
        }
    }

    fn take(&mut self, piece: Piece<'_>) {
        self.revision.update(piece.between(self.at, self.body));
        while let Some((end, checksum)) = self.left.last().copied() {
            let bytes = piece.between(self.at, end);
            self.hasher.update(bytes);
            self.at += bytes.len() as u64;
            if self.at < end {
                break;
            }
            let sum = std::mem::take(&mut self.hasher).finalize();
            self.agree &= sum == checksum;
            self.left.pop();
        }
        self.at = self.at.max(piece.end().min(self.body));
    }
}

impl<'a> Compare<'a> {
    fn new(footer: Option<&'a Footer>) -> Self {
        Self {
            footer,
            fault: None,
            reserved: false,
            current: None,
            passed: 0,
            begun: 0,
            before: 0,
            next: 0,
            elements: 0,
            largest: 0,
            element: 0,
            sums: Sums::new(footer),
        }
    }

    fn require(&mut self, holds: bool) {
        if !holds {
            self.fault.get_or_insert(FooterFault::Structure);
        }
    }

    fn finish(&self) -> FooterUse {
        let Some(footer) = self.footer else {
            return FooterUse::Absent;
        };
        let sums = self.sums.agree && self.sums.left.is_empty();
        if !sums || self.sums.revision.finish() != footer.revision {
            FooterUse::Ignored(FooterFault::Checksum)
        } else if self.passed != footer.arrays.len() || self.largest > footer.largest {
            FooterUse::Ignored(FooterFault::Structure)
        } else {
            FooterUse::Used
        }
    }
}

impl Visit for Compare<'_> {
    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        // A second footer, before the one that ends the document.
        if self.reserved && self.footer.is_some_and(|footer| at > footer.body) {
            self.fault.get_or_insert(FooterFault::Misplaced);
        }
        Ok(())
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        self.reserved |= key.is(RESERVED);
        let arrays = self.footer.map_or(&[][..], |footer| &footer.arrays);
        self.current = key.among(arrays.iter().map(|array| array.name.as_str()));
        if self.current.is_some() {
            self.require(self.current == Some(self.passed));
        }
        Ok(())
    }

    fn value(&mut self, _at: u64, first: u8) -> Result<Watch, Stop> {
        let Some(array) = self.current.and_then(|at| self.footer?.arrays.get(at)) else {
            return Ok(Watch::Nothing);
        };
        (self.begun, self.before, self.elements) = (0, 0, 0);
        self.next = array.start;
        self.require(first == b'[');
        Ok(Watch::Elements)
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        self.element = at;
        if at >= self.next {
            let (next, before) = (self.next, self.before);
            self.require(at == next && self.elements == before);
            let segments = self.current.and_then(|at| self.footer?.arrays.get(at));
            match segments.and_then(|array| array.segments.get(self.begun)) {
                Some(segment) => {
                    self.begun += 1;
                    self.next += segment.bytes;
                    self.before += segment.count;
                }
                None => self.require(false),
            }
        }
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        self.elements += 1;
        self.largest = self.largest.max(at - self.element);
        Ok(())
    }

    fn value_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        if let Some(array) = self.current.and_then(|at| self.footer?.arrays.get(at)) {
            let all = self.begun == array.segments.len() && self.elements == array.count;
            self.require(all && at.checked_sub(1) == Some(array.end));
            self.passed += 1;
        }
        Ok(())
    }

    fn piece_end(&mut self, piece: Piece<'_>) -> Result<(), Stop> {
        self.sums.take(piece);
        Ok(())
    }
}
