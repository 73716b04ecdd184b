//! The compact formatter, which also sees where members and elements begin.
//! Owns the hooks of `serde_json`; must not know what the rules are.

use std::io;

use serde_json::ser::Formatter;

use super::watch::Watch;
use crate::{RESERVED, Refusal};

/// Where the name of a member of the document stands in comparison with the
/// reserved one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// Not in such a name.
    Elsewhere,
    /// So many bytes were equal so far.
    Equal(usize),
    /// It is another name.
    Other,
}

/// Writes compact JSON and tells the watch what it passes.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    watch: &'a Watch,
    name: Name,
    element: u64,
}

impl<'a> Checked<'a> {
    pub(super) fn new(watch: &'a Watch) -> Self {
        Self {
            watch,
            name: Name::Elsewhere,
            element: 0,
        }
    }

    fn name_goes_on(&mut self, bytes: &[u8]) {
        if let Name::Equal(seen) = self.name {
            self.name = if RESERVED.as_bytes()[seen..].starts_with(bytes) {
                Name::Equal(seen + bytes.len())
            } else {
                Name::Other
            };
        }
    }
}

impl Formatter for Checked<'_> {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.watch.open()?;
        writer.write_all(b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.watch.close();
        writer.write_all(b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.watch.at_elements() {
            self.element = self.watch.position();
        }
        Ok(())
    }

    fn end_array_value<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        if self.watch.at_elements() {
            self.watch.element(self.element, self.watch.position())?;
        }
        Ok(())
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.watch.open()?;
        writer.write_all(b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.watch.close();
        writer.write_all(b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.watch.at_members() {
            self.watch.member()?;
            self.name = Name::Equal(0);
        }
        Ok(())
    }

    fn end_object_key<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        if self.name == Name::Equal(RESERVED.len()) {
            return Err(self.watch.refuse(Refusal::ReservedMember));
        }
        self.name = Name::Elsewhere;
        Ok(())
    }

    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if self.name != Name::Elsewhere {
            self.name_goes_on(fragment.as_bytes());
        }
        writer.write_all(fragment.as_bytes())
    }

    fn write_char_escape<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        char_escape: serde_json::ser::CharEscape,
    ) -> io::Result<()> {
        // The reserved name has no character that is written as an escape.
        if self.name != Name::Elsewhere {
            self.name = Name::Other;
        }
        serde_json::ser::CompactFormatter.write_char_escape(writer, char_escape)
    }

    fn write_raw_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.watch.raw(fragment)?;
        writer.write_all(fragment.as_bytes())
    }
}
