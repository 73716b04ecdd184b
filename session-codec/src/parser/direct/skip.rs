//! Values that a type ignores or keeps as text: only their grammar is looked
//! at, and the limits. Owns that walk; must not know types.

use serde_json::Error;

use super::{
    Direct, Input,
    scan::{plain, simple_escape},
};

/// Kinds of the containers that are open, the innermost in the lowest bit, 1
/// for an object. The depth limit is below its width.
type Open = u128;

impl<I: Input> Direct<'_, I> {
    /// Takes one value. With `watched`, elements of a member of the document
    /// are held to their limit.
    pub(super) fn skip_value(&mut self, watched: bool) -> Result<(), Error> {
        let floor = self.depth;
        let mut open: Open = 0;
        let mut element = 0;
        loop {
            let byte = self.token()?;
            if watched && self.element_limit().is_some() && self.depth > floor {
                element = self.offset();
            }
            match byte {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    self.open()?;
                    let object = byte == b'{';
                    open = open << 1 | Open::from(object);
                    let end = if object { b'}' } else { b']' };
                    if self.token()? != end {
                        if object {
                            self.skip_name()?;
                        }
                        continue;
                    }
                    self.at += 1;
                    self.depth -= 1;
                    open >>= 1;
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.skip_number()?,
            }
            // A value has ended: close what it ends.
            loop {
                if self.depth == floor {
                    return Ok(());
                }
                let object = open & 1 == 1;
                if watched && !object {
                    self.check_element(element)?;
                }
                let byte = self.token()?;
                self.at += 1;
                match byte {
                    b',' => {
                        if object {
                            if self.token()? != b'"' {
                                return Err(self.refuse());
                            }
                            self.skip_name()?;
                        }
                        break;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return Err(self.refuse()),
                }
                self.depth -= 1;
                open >>= 1;
            }
        }
    }

    /// Checks the size of an element that has just ended, if it is one.
    #[inline]
    pub(super) fn check_element(&mut self, start: u64) -> Result<(), Error> {
        match self.element_limit() {
            Some(limit) if self.offset() - start > limit => Err(self.refuse()),
            _ => Ok(()),
        }
    }

    fn skip_name(&mut self) -> Result<(), Error> {
        if self.token()? != b'"' {
            return Err(self.refuse());
        }
        self.skip_string()?;
        self.expect(b':')
    }

    /// Takes a string without looking at its characters.
    fn skip_string(&mut self) -> Result<(), Error> {
        self.at += 1;
        loop {
            let rest = &self.input.bytes()[self.at..];
            let length = plain(rest);
            self.at += length;
            match rest.get(length) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek()? {
                        Some(b'u') => {
                            self.at += 1;
                            for _ in 0..4 {
                                if !self.peek()?.is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return Err(self.refuse());
                                }
                                self.at += 1;
                            }
                        }
                        Some(letter) if simple_escape(letter).is_some() => self.at += 1,
                        _ => return Err(self.refuse()),
                    }
                }
                Some(_) => return Err(self.refuse()),
                None => {
                    if !self.more()? {
                        return Err(self.refuse());
                    }
                }
            }
        }
    }
}
