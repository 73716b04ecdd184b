//! Taking the parts of a footer's text one after the other. Owns the spelling of
//! each; must not know what they say together.

use std::borrow::Cow;

use serde_json::Value;

use super::{Entries, Name};
use crate::footer::{FooterFault, Segment};

/// So many digits are never more than a number of 64 bits holds.
const SAFE: usize = 19;

/// What is left of the text.
pub(super) struct Reader<'a> {
    pub(super) left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn literal(&mut self, expected: &[u8]) -> Result<(), FooterFault> {
        self.left = self
            .left
            .strip_prefix(expected)
            .ok_or(FooterFault::Malformed)?;
        Ok(())
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], FooterFault> {
        let (taken, left) = self
            .left
            .split_at_checked(bytes)
            .ok_or(FooterFault::Malformed)?;
        self.left = left;
        Ok(taken)
    }

    pub(super) fn digits(&mut self, count: usize) -> Result<&'a str, FooterFault> {
        std::str::from_utf8(self.take(count)?).map_err(|_| FooterFault::Malformed)
    }

    /// Takes lower-case hexadecimal digits, at most sixteen.
    pub(super) fn hex(&mut self, count: usize) -> Result<u64, FooterFault> {
        let mut number = 0;
        for digit in self.take(count)? {
            let digit = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return Err(FooterFault::Malformed),
            };
            number = number << 4 | u64::from(digit);
        }
        Ok(number)
    }

    /// Takes a decimal number without leading zeros.
    pub(super) fn number(&mut self) -> Result<u64, FooterFault> {
        let (mut number, mut length) = (0_u64, 0);
        while let Some(digit) = self.left.get(length).filter(|byte| byte.is_ascii_digit()) {
            let digit = u64::from(digit - b'0');
            number = if length < SAFE {
                number * 10 + digit
            } else {
                let ten = number.checked_mul(10);
                let sum = ten.and_then(|ten| ten.checked_add(digit));
                sum.ok_or(FooterFault::Malformed)?
            };
            length += 1;
        }
        if length == 0 || (length > 1 && self.left.starts_with(b"0")) {
            return Err(FooterFault::Malformed);
        }
        self.left = &self.left[length..];
        Ok(number)
    }

    pub(super) fn checksum(&mut self) -> Result<u32, FooterFault> {
        u32::try_from(self.number()?).map_err(|_| FooterFault::Malformed)
    }

    /// Takes what stands in an array whose bracket was taken, up to its end.
    pub(super) fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), FooterFault>,
    ) -> Result<(), FooterFault> {
        if self.literal(b"]").is_ok() {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.literal(b"]").is_ok() {
                return Ok(());
            }
            self.literal(b",")?;
        }
    }

    /// Takes a string in the one spelling that it has.
    fn name(&mut self) -> Result<Name<'a>, FooterFault> {
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let inner = self.left.get(1..).unwrap_or_default();
        let plain = inner.iter().take_while(|byte| is_plain(byte)).count();
        if self.left.starts_with(b"\"") && inner.get(plain) == Some(&b'"') {
            self.take(1)?;
            let name = self.digits(plain)?;
            self.take(1)?;
            return Ok(Name {
                spelled: name.as_bytes(),
                decoded: Cow::Borrowed(name),
            });
        }
        let mut names = serde_json::Deserializer::from_slice(self.left).into_iter::<String>();
        let Some(Ok(name)) = names.next() else {
            return Err(FooterFault::Malformed);
        };
        let written = Value::from(name.as_str()).to_string();
        let from = self.left;
        self.literal(written.as_bytes())?;
        Ok(Name {
            spelled: from.get(1..written.len() - 1).unwrap_or_default(),
            decoded: Cow::Owned(name),
        })
    }

    pub(super) fn array(&mut self, entries: &mut impl Entries<'a>) -> Result<(), FooterFault> {
        self.literal(b"{\"name\":")?;
        let name = self.name()?;
        self.literal(b",\"count\":")?;
        let count = self.number()?;
        self.literal(b",\"start\":")?;
        let start = self.number()?;
        self.literal(b",\"end\":")?;
        let end = self.number()?;
        self.literal(b",\"marks\":[")?;
        entries.array(name, count, start, end);
        self.list(|reader| {
            reader.literal(b"[")?;
            let bytes = reader.number()?;
            reader.literal(b",")?;
            let count = reader.number()?;
            reader.literal(b",")?;
            let checksum = reader.checksum()?;
            reader.literal(b"]")?;
            entries.segment(Segment {
                bytes,
                count,
                checksum,
            });
            Ok(())
        })?;
        self.literal(b"}")
    }
}
