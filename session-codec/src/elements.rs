//! Where the elements of arrays are, without decoding them. Owns the places;
//! must not know what is in them.

use std::ops::{ControlFlow, Range};

use crate::{
    Codec, Error, Parser, ReadAt,
    lexer::{Key, Piece, Stop, Visit, Watch},
    members::Members,
    trace,
    walk::{walk, walk_slice},
};

/// Where one value stands in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place<'n> {
    /// The member of the document's object.
    pub member: &'n str,
    /// Which element of it, counted from 0, if the member is an array.
    pub element: Option<u64>,
    /// The bytes of the value in the document, without white space around it.
    pub range: Range<u64>,
}

impl<P: Parser> Codec<P> {
    /// Visits the elements of the named members of a document, and those
    /// members that are no arrays as they are, in the order of the document,
    /// until `visit` breaks.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use session_codec::Codec;
    ///
    /// let json = br#"{"title": "x", "messages": [{}, 1], "agent": "y"}"#;
    /// let mut found = Vec::new();
    /// Codec::new().elements(json, &["title", "messages"], |place| {
    ///     found.push((place.member.to_owned(), place.element, place.range));
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(found[0], ("title".to_owned(), None, 10..13));
    /// assert_eq!(found[2], ("messages".to_owned(), Some(1), 32..33));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`], [`Error::Data`] if the root is no object,
    /// [`Error::Limit`] for depth or the number of members, or [`Error::Io`].
    /// What was visited before stands. Elements are judged by their structure
    /// only.
    ///
    /// # Complexity
    ///
    /// One pass, in memory of one read.
    pub fn elements<'n, R: ReadAt + ?Sized>(
        &self,
        source: &R,
        members: &[&'n str],
        visit: impl FnMut(Place<'n>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let _span = trace::span("elements", source.size()?);
        let mut listener = Elements::new(members, Members::new(&self.limits), visit);
        let lexer = self.lexer(members.iter().copied());
        let walked = walk(lexer, &mut listener, self.piece_bytes(), |buf, offset| {
            source.read_at(buf, offset)
        });
        listener.finish(walked.map(drop))
    }

    /// Does as [`Codec::elements`] for a document that is in memory, which it
    /// does not copy.
    ///
    /// # Errors
    ///
    /// As for [`Codec::elements`], without [`Error::Io`].
    pub fn elements_in<'n>(
        &self,
        json: &[u8],
        members: &[&'n str],
        visit: impl FnMut(Place<'n>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let _span = trace::span("elements", json.len() as u64);
        let mut listener = Elements::new(members, Members::new(&self.limits), visit);
        let lexer = self.lexer(members.iter().copied());
        let walked = walk_slice(lexer, &mut listener, json);
        listener.finish(walked)
    }
}

/// Turns the lexer's events into places.
struct Elements<'a, 'n, V> {
    names: &'a [&'n str],
    members: Members,
    visit: V,
    member: Option<&'n str>,
    /// The element to come, in an array.
    element: Option<u64>,
    start: u64,
    stopped: bool,
}

impl<'a, 'n, V: FnMut(Place<'n>) -> ControlFlow<()>> Elements<'a, 'n, V> {
    fn new(names: &'a [&'n str], members: Members, visit: V) -> Self {
        Self {
            names,
            members,
            visit,
            member: None,
            element: None,
            start: 0,
            stopped: false,
        }
    }

    fn give(&mut self, member: &'n str, end: u64) -> Result<(), Stop> {
        let place = Place {
            member,
            element: self.element,
            range: self.start..end,
        };
        if (self.visit)(place).is_break() {
            self.stopped = true;
            return Err(Stop::Enough);
        }
        Ok(())
    }

    fn finish(self, walked: Result<(), Error>) -> Result<(), Error> {
        if self.stopped { Ok(()) } else { walked }
    }
}

impl<'n, V: FnMut(Place<'n>) -> ControlFlow<()>> Visit for Elements<'_, 'n, V> {
    fn root(&mut self, at: u64, first: u8) -> Result<(), Stop> {
        if first == b'{' {
            return Ok(());
        }
        Err(Error::data(at, "expected an object").into())
    }

    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        Ok(self.members.count(at)?)
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        let found = key.among(self.names.iter().copied());
        self.member = found.map(|index| self.names[index]);
        Ok(())
    }

    fn value(&mut self, at: u64, first: u8) -> Result<Watch, Stop> {
        self.start = at;
        self.element = (first == b'[').then_some(0);
        Ok(match (self.member, self.element) {
            (Some(_), Some(_)) => Watch::Skim,
            _ => Watch::Nothing,
        })
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        self.start = at;
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        if let Some(member) = self.member {
            self.give(member, at)?;
        }
        if let Some(element) = &mut self.element {
            *element += 1;
        }
        Ok(())
    }

    fn value_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        match (self.member, self.element) {
            (Some(member), None) => self.give(member, at),
            _ => Ok(()),
        }
    }
}
