//! Finding a few members of a document while reading as little of it as
//! possible. Owns the order of the looks: head, end, whole; each look is a part.

mod backward;
mod end;
mod found;
mod head;

use crate::{
    Codec, Error, Parser, RESERVED, ReadAt,
    lexer::{Key, Piece, Stop, Visit, Watch},
    members::Members,
    trace,
    walk::walk_at,
};
pub(crate) use backward::visit_from_end;
use end::End;
use found::{Found, Wanted};
use head::Head;

/// Which members make a header.
///
/// ```
/// use session_codec::HeaderSpec;
///
/// let spec = HeaderSpec::new(&["id", "agent"], &["id"], &["messages"]);
/// assert_eq!(spec.needed(), ["id"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderSpec {
    wanted: Vec<String>,
    needed: Vec<String>,
    arrays: Vec<String>,
}

impl HeaderSpec {
    /// Asks for the members `wanted`, of which `needed` are worth reading the
    /// whole document for; `arrays` are the large members before which a look at
    /// the head stops. What is needed is wanted, named there or not.
    #[must_use]
    pub fn new(wanted: &[&str], needed: &[&str], arrays: &[&str]) -> Self {
        let own = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let mut wanted = own(wanted);
        wanted.retain(|name| name != RESERVED);
        let mut needed = own(needed);
        needed.retain(|name| name != RESERVED);
        for name in &needed {
            if !wanted.contains(name) {
                wanted.push(name.clone());
            }
        }
        Self {
            wanted,
            needed,
            arrays: own(arrays),
        }
    }

    /// Returns the members asked for.
    #[must_use]
    pub fn wanted(&self) -> &[String] {
        &self.wanted
    }

    /// Returns the members that must be found if they are there.
    #[must_use]
    pub fn needed(&self) -> &[String] {
        &self.needed
    }

    /// Returns the members before which a look at the head stops.
    #[must_use]
    pub fn arrays(&self) -> &[String] {
        &self.arrays
    }
}

/// How much of a document was looked at for its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Look {
    /// The beginning was enough.
    Head,
    /// The beginning and the end.
    Tail,
    /// All of it was walked over.
    Whole,
}

/// The members found, as one JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderText {
    /// An object with the wanted members that were found, spelled as in the
    /// document.
    pub json: Vec<u8>,
    /// The wanted members that were not found. After a look at the whole, they
    /// are not there.
    pub missing: Vec<String>,
    /// Bytes read for it.
    pub bytes_read: u64,
    /// Where they were read.
    pub look: Look,
}

impl<P: Parser> Codec<P> {
    /// Finds the members of a header.
    ///
    /// First the head of the document is read, 4 KiB and up to 64 KiB while that
    /// brings members, but not into the first of the spec's arrays. If members
    /// are still missing the end is read likewise, backwards. If a needed one is
    /// missing even then, the whole document is walked over.
    ///
    /// On a valid document every member returned is right, and every needed one
    /// that exists is returned; one that is only wanted may be missing if it
    /// stands far from both ends. The looks at head and end do not check the
    /// rest of the document, so a header may be had of one that a full decode
    /// refuses.
    ///
    /// ```
    /// use session_codec::{Codec, HeaderSpec, Look};
    ///
    /// let document = br#"{"id": "a", "messages": [{}, {}], "agent": "build"}"#;
    /// let spec = HeaderSpec::new(&["id", "agent"], &["id"], &["messages"]);
    /// let header = Codec::new().header(document, &spec)?;
    /// assert_eq!(header.json, br#"{"id": "a","agent": "build"}"#);
    /// assert_eq!(header.look, Look::Tail);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] where a look finds the document broken,
    /// [`Error::Data`] if its root is not an object, [`Error::Limit`] or
    /// [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// At most 128 KiB in 6 reads, unless a needed member is missing from both
    /// ends; memory is what was found besides.
    pub fn header<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        spec: &HeaderSpec,
    ) -> Result<HeaderText, Error> {
        let size = source.size()?;
        let _span = trace::span("header", size);
        let wanted = Wanted::new(spec);
        let head = Head::look(self, source, &wanted, size)?;
        let mut bytes_read = head.bytes_read;
        if head.complete || head.found.has_all(spec.wanted()) {
            return Ok(head.found.into_header(&wanted, bytes_read, Look::Head));
        }
        let mut found = head.found;
        let end = End {
            root: head.root,
            size,
        }
        .look(self, source, &wanted, &found)?;
        bytes_read += end.bytes_read;
        let look = if end.members.is_some() {
            Look::Tail
        } else {
            Look::Head
        };
        found.add(end.members.unwrap_or_default());
        if end.complete || found.has_all(spec.needed()) {
            return Ok(found.into_header(&wanted, bytes_read, look));
        }
        let mut whole = Whole::new(self, &wanted);
        let lexer = self.lexer(wanted.names());
        let walked = walk_at(self, lexer, &mut whole, source)?;
        bytes_read += walked.bytes;
        Ok(whole.found.into_header(&wanted, bytes_read, Look::Whole))
    }
}

/// The look at everything: the members wanted, wherever they are.
#[derive(Debug)]
struct Whole<'a> {
    wanted: &'a Wanted<'a>,
    found: Found,
    members: Members,
    kept_limit: u64,
}

impl<'a> Whole<'a> {
    fn new<P: Parser>(codec: &Codec<P>, wanted: &'a Wanted<'a>) -> Self {
        Self {
            wanted,
            found: Found::default(),
            members: Members::new(&codec.limits),
            kept_limit: codec.limits.kept_bytes,
        }
    }
}

impl Visit for Whole<'_> {
    fn root(&mut self, at: u64, first: u8) -> Result<(), Stop> {
        found::expect_object(at, first)
    }

    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        self.members.count(at)?;
        self.found.open(at);
        Ok(())
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        match self.wanted.find(key) {
            Some(index) => self.found.name(index),
            None => self.found.discard(),
        }
        Ok(())
    }

    fn value(&mut self, _at: u64, _first: u8) -> Result<Watch, Stop> {
        Ok(Watch::Nothing)
    }

    fn value_end(&mut self, at: u64, piece: Piece<'_>) -> Result<(), Stop> {
        self.found.take(piece, at, self.kept_limit)?;
        self.found.close();
        Ok(())
    }

    fn piece_end(&mut self, piece: Piece<'_>) -> Result<(), Stop> {
        self.found.take(piece, piece.end(), self.kept_limit)
    }
}
