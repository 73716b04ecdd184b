//! The compact formatter, which also sees where members and elements begin.
//! Owns the hooks of `serde_json`; must not know what the rules are.

use std::io;

use serde_json::ser::Formatter;

use super::watch::Watch;
use crate::{RESERVED, Refusal};

/// Writes compact JSON and tells the watch what it passes.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    watch: &'a Watch,
    names: &'static [&'static str],
    /// The name of the member being written, as far as it matters.
    name: Vec<u8>,
    in_name: bool,
    /// Whether the string being written has its closing quote already.
    closed: bool,
    /// The marked array that the member is, by its name.
    marked: Option<usize>,
    element: u64,
}

impl<'a> Checked<'a> {
    pub(super) fn new(watch: &'a Watch) -> Self {
        let names = watch.marker().borrow().names();
        Self {
            watch,
            names,
            name: Vec::new(),
            in_name: false,
            closed: false,
            marked: None,
            element: 0,
        }
    }

    #[cold]
    fn name_goes_on(&mut self, bytes: &[u8]) {
        self.name.extend_from_slice(bytes);
    }
}

impl Formatter for Checked<'_> {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if let Some(name) = self.marked.take_if(|_| self.watch.at_members()) {
            self.watch.marked_array(name);
        }
        self.watch.open()?;
        writer.write_all(b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.watch.close_array();
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
            self.element = self.watch.element_start();
        }
        Ok(())
    }

    fn end_array_value<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        if self.watch.at_elements() {
            self.watch.element_end(self.element)?;
        }
        Ok(())
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.watch.open()?;
        writer.write_all(b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.watch.at_members() {
            self.watch.leave_open();
            self.watch.close();
            return Ok(());
        }
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
            self.name.clear();
            self.in_name = true;
        }
        Ok(())
    }

    fn end_object_key<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        if self.in_name {
            self.in_name = false;
            if self.name == RESERVED.as_bytes() {
                return Err(self.watch.refuse(Refusal::ReservedMember));
            }
            self.marked = self
                .names
                .iter()
                .position(|name| name.as_bytes() == self.name);
        }
        Ok(())
    }

    #[inline]
    fn begin_string<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.closed = self.watch.text().write_whole(writer)?;
        if self.closed {
            return Ok(());
        }
        writer.write_all(b"\"")
    }

    #[inline]
    fn end_string<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        writer.write_all(b"\"")
    }

    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if self.watch.text().write_piece(writer)? {
            return Ok(());
        }
        if self.in_name {
            self.name_goes_on(fragment.as_bytes());
        }
        writer.write_all(fragment.as_bytes())
    }

    fn write_char_escape<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        char_escape: serde_json::ser::CharEscape,
    ) -> io::Result<()> {
        // A name with a character that is written as an escape is nobody's: a
        // quote that a name cannot hold as it is makes it differ from all.
        if self.in_name {
            self.name_goes_on(b"\"");
        }
        serde_json::ser::CompactFormatter.write_char_escape(writer, char_escape)
    }

    fn write_raw_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if self.marked.take_if(|_| self.watch.at_members()).is_some() {
            self.watch.marker().borrow_mut().give_up();
        }
        self.watch.raw(fragment)?;
        writer.write_all(fragment.as_bytes())
    }
}
