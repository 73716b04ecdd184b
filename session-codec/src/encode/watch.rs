//! The rules a document must keep while it is written, and the first one that
//! was broken. Owns the state shared by the serializer, the formatter and the
//! writer of one call; must not know how values are serialised.

use std::{
    cell::{Cell, RefCell},
    io,
};

use super::text::Text;
use crate::{
    Error, LimitKind, Limits, RESERVED, Refusal,
    footer::Marker,
    lexer::{Key, Lexer, Piece, Stop, Visit, Watch as Interest},
};

/// Whether a whole document is written or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    Document,
    Part,
}

/// What all parts of one encoding see. Cells, because serde hands each of them
/// a separate path to it; one call never leaves its thread.
#[derive(Debug)]
pub(crate) struct Watch {
    limits: Limits,
    rules: Rules,
    position: Cell<u64>,
    depth: Cell<u32>,
    members: Cell<u32>,
    fault: RefCell<Option<Error>>,
    marker: RefCell<Marker>,
    text: Text,
    /// Whether the elements being written are of a marked array.
    marking: Cell<bool>,
    /// Whether the document lacks nothing but its closing brace.
    unclosed: Cell<bool>,
}

impl Watch {
    pub(crate) fn new(limits: &Limits, rules: Rules) -> Self {
        Self {
            limits: *limits,
            rules,
            position: Cell::new(0),
            depth: Cell::new(0),
            members: Cell::new(0),
            fault: RefCell::new(None),
            marker: RefCell::new(Marker::new(&[], 0)),
            text: Text::new(),
            marking: Cell::new(false),
            unclosed: Cell::new(false),
        }
    }

    /// Marks the elements of these arrays as they are written.
    pub(crate) fn marks(mut self, names: &'static [&'static str]) -> Self {
        self.marker = RefCell::new(Marker::new(names, self.limits.depth));
        self
    }

    pub(crate) fn marker(&self) -> &RefCell<Marker> {
        &self.marker
    }

    /// Strings on their way from the serializer to the formatter.
    #[inline]
    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    /// Reports whether the document has room for one member more.
    pub(crate) fn has_room(&self) -> bool {
        self.members.get() < self.limits.members
    }

    pub(crate) fn marked_array(&self, name: usize) {
        self.marker.borrow_mut().array(name);
        self.marking.set(true);
    }

    /// Notes that the document's own brace is to be closed, by the writer.
    pub(crate) fn leave_open(&self) {
        self.unclosed.set(true);
    }

    pub(crate) fn is_unclosed(&self) -> bool {
        self.unclosed.get()
    }

    pub(crate) fn position(&self) -> u64 {
        self.position.get()
    }

    /// Does something as though it stood `depth` containers deep.
    pub(crate) fn inside<T>(&self, depth: u32, work: impl FnOnce() -> T) -> T {
        let before = self.depth.replace(depth);
        let result = work();
        self.depth.set(before);
        result
    }

    pub(crate) fn is_document(&self) -> bool {
        self.rules == Rules::Document
    }

    /// Keeps the first fault and returns an error that stops `serde_json`.
    #[cold]
    pub(crate) fn fail(&self, error: Error) -> io::Error {
        self.fault.borrow_mut().get_or_insert(error);
        io::ErrorKind::InvalidData.into()
    }

    #[cold]
    pub(crate) fn refuse(&self, reason: Refusal) -> io::Error {
        self.fail(Error::refused(reason))
    }

    fn over(&self, offset: u64, what: LimitKind, limit: u64) -> io::Error {
        self.fail(Error::Limit {
            offset,
            what,
            limit,
        })
    }

    pub(crate) fn take_fault(&self) -> Option<Error> {
        self.fault.take()
    }

    /// Notes so many bytes that go out, not the first ones.
    #[inline]
    pub(crate) fn passed(&self, bytes: usize) {
        self.position.set(self.position.get() + bytes as u64);
    }

    /// Notes bytes that go out. The first byte tells what the root is.
    pub(crate) fn wrote(&self, bytes: &[u8]) -> io::Result<()> {
        let position = self.position.get();
        if position == 0
            && self.is_document()
            && let Some(first) = bytes.first()
            && *first != b'{'
        {
            return Err(self.refuse(Refusal::NotAnObject));
        }
        self.position.set(position + bytes.len() as u64);
        Ok(())
    }

    /// Enters an array or object.
    #[inline]
    pub(crate) fn open(&self) -> io::Result<()> {
        let depth = self.depth.get();
        if depth >= self.limits.depth {
            let limit = u64::from(self.limits.depth);
            return Err(self.over(self.position.get(), LimitKind::Depth, limit));
        }
        self.depth.set(depth + 1);
        Ok(())
    }

    #[inline]
    pub(crate) fn close(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    /// Leaves an array, whose bracket is about to be written.
    #[inline]
    pub(crate) fn close_array(&self) {
        if self.marking.get() && self.depth.get() == 2 {
            self.marking.set(false);
            self.marker.borrow_mut().array_end(self.position.get());
        }
        self.close();
    }

    /// Notes that an element of a member starts here.
    #[inline]
    pub(crate) fn element_start(&self) -> u64 {
        let at = self.position.get();
        if self.marking.get() {
            self.marker.borrow_mut().element_start(at);
        }
        at
    }

    /// Reports whether the members being written are the document's own.
    #[inline]
    pub(crate) fn at_members(&self) -> bool {
        self.depth.get() == 1 && self.is_document()
    }

    /// Reports whether the elements being written are of an array that is a
    /// member. An object has no elements, so the depth alone tells.
    #[inline]
    pub(crate) fn at_elements(&self) -> bool {
        self.depth.get() == 2 && self.is_document()
    }

    pub(crate) fn member(&self) -> io::Result<()> {
        let members = self.members.get();
        if members >= self.limits.members {
            let limit = u64::from(self.limits.members);
            return Err(self.over(self.position.get(), LimitKind::Members, limit));
        }
        self.members.set(members + 1);
        Ok(())
    }

    /// Notes that the element which started at `from` ended here.
    #[inline]
    pub(crate) fn element_end(&self, from: u64) -> io::Result<()> {
        let to = self.position.get();
        if self.marking.get() {
            self.marker.borrow_mut().element_end(to);
        }
        self.element(from, to)
    }

    #[inline]
    pub(crate) fn element(&self, from: u64, to: u64) -> io::Result<()> {
        let limit = self.limits.element_bytes;
        if to - from > limit {
            return Err(self.over(from, LimitKind::ElementBytes, limit));
        }
        Ok(())
    }

    /// Checks a raw text that goes out as it is: it must be one JSON value and
    /// keep the rules where it stands.
    pub(crate) fn raw(&self, text: &str) -> io::Result<()> {
        let start = self.position.get();
        if start == 0 {
            self.marker.borrow_mut().give_up();
        }
        let mut lexer = match self.depth.get() {
            0 => Lexer::new(self.limits.depth, RESERVED.len()),
            depth => Lexer::inside(depth, self.limits.depth),
        };
        let mut visit = Raw {
            watch: self,
            start,
            element: 0,
        };
        let checked = lexer
            .feed(text.as_bytes(), &mut visit)
            .and_then(|()| lexer.finish(&mut visit));
        match checked {
            Ok(()) | Err(Stop::Enough) => Ok(()),
            Err(Stop::Failed(error)) => Err(match *error {
                Error::Syntax { .. } => self.refuse(Refusal::RawText),
                Error::Limit {
                    offset,
                    what: LimitKind::Depth,
                    limit,
                } => self.over(start + offset, LimitKind::Depth, limit),
                other => self.fail(other),
            }),
        }
    }
}

/// Hears the members and elements inside a raw text.
#[derive(Debug)]
struct Raw<'a> {
    watch: &'a Watch,
    start: u64,
    element: u64,
}

impl Raw<'_> {
    /// Turns a fault noted by the watch back into the stop of a walk.
    fn stop(&self, result: io::Result<()>) -> Result<(), Stop> {
        match (result, self.watch.take_fault()) {
            (Err(_), Some(fault)) => Err(fault.into()),
            _ => Ok(()),
        }
    }
}

impl Visit for Raw<'_> {
    fn key_start(&mut self, _at: u64) -> Result<(), Stop> {
        if self.watch.is_document() {
            self.stop(self.watch.member())
        } else {
            Ok(())
        }
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        if self.watch.is_document() && key.is(RESERVED) {
            return Err(Error::refused(Refusal::ReservedMember).into());
        }
        Ok(())
    }

    fn value(&mut self, _at: u64, _first: u8) -> Result<Interest, Stop> {
        Ok(Interest::Elements)
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        self.element = at;
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        if !self.watch.is_document() {
            return Ok(());
        }
        self.stop(
            self.watch
                .element(self.start + self.element, self.start + at),
        )
    }

    fn piece_end(&mut self, _piece: Piece<'_>) -> Result<(), Stop> {
        Ok(())
    }
}
