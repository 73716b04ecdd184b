//! The frame of every file of the index: a title with a version in front, a checksum behind. Knows no contents.

use std::fmt::Write;

use crate::answer::Reason;

const CHECKSUM: &str = "crc32 ";
/// `crc32`, a space, eight digits and the line feed.
const CHECKSUM_LINE: usize = 15;

/// Ends a text with its checksum.
pub(crate) fn seal(mut text: String) -> Vec<u8> {
    let checksum = crc32fast::hash(text.as_bytes());
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{CHECKSUM}{checksum:08x}");
    text.into_bytes()
}

/// Gives the text before the checksum, its first line being `title` and `version`, or says why it does not verify.
pub(crate) fn unseal<'a>(title: &str, version: &str, bytes: &'a [u8]) -> Result<&'a str, Reason> {
    let text = str::from_utf8(bytes).map_err(|_| Reason::Damaged)?;
    let (found, _) = text
        .strip_prefix(title)
        .and_then(|rest| rest.split_once('\n'))
        .ok_or(Reason::Damaged)?;
    // Another version may well end in another checksum, so this comes first.
    if found != version && !found.is_empty() && found.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Version);
    }
    verify(text)
        .filter(|_| found == version)
        .ok_or(Reason::Damaged)
}

fn verify(text: &str) -> Option<&str> {
    let (body, checksum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_LINE)?)?;
    let digits = checksum.strip_prefix(CHECKSUM)?.strip_suffix('\n')?;
    (u32::from_str_radix(digits, 16).ok()? == crc32fast::hash(body.as_bytes())).then_some(body)
}
