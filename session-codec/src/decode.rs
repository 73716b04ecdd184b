//! Decoding a whole document. Owns hiding the reserved member in place; must
//! not know windows.

use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::{
    Codec, Error, LimitKind, Limits, Parser, RESERVED,
    lexer::{Key, Piece, Stop, Visit, Watch},
    members::Members,
    parser::direct,
    trace,
    walk::walk_slice,
};

impl<P: Parser> Codec<P> {
    /// Decodes a whole document, judging every byte as `serde_json` would.
    ///
    /// The reserved member is hidden from `T`, so only its grammar is checked. The limits hold for all of the
    /// document, also for the parts that `T` ignores or keeps as raw text.
    ///
    /// ```
    /// use session_codec::Codec;
    /// use serde_json::{Value, json};
    ///
    /// let json = br#"{"id": "a", "session_footer": {"v": 1}}"#.to_vec();
    /// assert_eq!(Codec::new().decode::<Value>(json)?, json!({"id": "a"}));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`], [`Error::Data`] or [`Error::Limit`], with the offset
    /// in `json`.
    pub fn decode<T: DeserializeOwned>(&self, json: Vec<u8>) -> Result<T, Error> {
        let _span = trace::span("decode", json.len() as u64);
        if self.parser.is_exact() {
            let rules = direct::Rules::document(&self.limits);
            let value = direct::Whole::new(&json).and_then(|text| direct::decode(text, rules).ok());
            if let Some(decoded) = value {
                return Ok(decoded.value);
            }
        }
        self.decode_judged(json)
    }

    /// Decodes in two passes, one for the structure and one by the parser, whose
    /// verdict is final.
    pub(crate) fn decode_judged<T: DeserializeOwned>(&self, mut json: Vec<u8>) -> Result<T, Error> {
        let mut hide = Hide::new(&self.limits);
        walk_slice(self.lexer([RESERVED]), &mut hide, &json)?;
        for range in hide.ranges {
            // White space instead of removal keeps every offset as it was.
            json[range].fill(b' ');
        }
        self.parser
            .parse(&mut json)
            .map_err(|error| self.parse_failed(&error, |offset| offset as u64))
    }
}

/// Finds what to blank so that the reserved member is gone, comma included, and
/// checks the limits on the way.
#[derive(Debug)]
struct Hide {
    members: Members,
    element_limit: u64,
    element: u64,
    ranges: Vec<Range<usize>>,
    key_start: u64,
    comma: u64,
    reserved: bool,
    /// Whether a member that stays has been seen.
    kept: bool,
    /// Set while a hidden member's following comma must go too.
    open: Option<u64>,
}

impl Hide {
    fn new(limits: &Limits) -> Self {
        Self {
            members: Members::new(limits),
            element_limit: limits.element_bytes,
            element: 0,
            ranges: Vec::new(),
            key_start: 0,
            comma: 0,
            reserved: false,
            kept: false,
            open: None,
        }
    }

    fn blank(&mut self, from: u64, to: u64) {
        // Offsets of a slice in memory fit.
        let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
        self.ranges.push(place(from)..place(to));
    }
}

impl Visit for Hide {
    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        self.key_start = at;
        Ok(self.members.count(at)?)
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        self.reserved = key.is(RESERVED);
        Ok(())
    }

    fn value(&mut self, _at: u64, _first: u8) -> Result<Watch, Stop> {
        Ok(if self.reserved {
            Watch::Nothing
        } else {
            Watch::Elements
        })
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        self.element = at;
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        if at - self.element > self.element_limit {
            let (offset, limit) = (self.element, self.element_limit);
            return Err(Error::Limit {
                offset,
                what: LimitKind::ElementBytes,
                limit,
            }
            .into());
        }
        Ok(())
    }

    fn value_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        if !self.reserved {
            self.kept = true;
        } else if self.kept {
            self.blank(self.comma, at);
        } else {
            // The comma to remove, if any, is the one that follows.
            self.blank(self.key_start, at);
            self.open = Some(at);
        }
        Ok(())
    }

    fn comma(&mut self, at: u64) -> Result<(), Stop> {
        self.comma = at;
        if let Some(from) = self.open.take() {
            self.blank(from, at + 1);
        }
        Ok(())
    }
}
