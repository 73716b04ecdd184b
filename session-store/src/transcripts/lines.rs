//! Owns how JSON lines become records: several in one line, cut ones, and such as are no JSON. Knows no format.

use std::io;

use super::draft::Draft;
use super::input::{Input, Line};
use super::object::Object;
use super::report::BrokenReason;

/// How often a record is looked for behind one that is cut: each attempt may read to the end of the line.
const ATTEMPTS: usize = 32;

/// Reads all lines. Each record goes to `take`; what is none is counted and kept in the draft.
///
/// A crash in the middle of a line, and then a program that goes on in the same line, leave a record behind a cut one. It is
/// found if it reaches to the end of the line and `accepts` it.
///
/// # Errors
///
/// What the input says.
pub(super) fn read(
    input: &mut Input<'_>,
    draft: &mut Draft,
    accepts: fn(&Object) -> bool,
    mut take: impl FnMut(&mut Draft, Object),
) -> io::Result<()> {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        match input.next_line(&mut line)? {
            Line::End => return Ok(()),
            Line::TooLong => draft.report.count_broken(number, 0, BrokenReason::TooLong),
            Line::Read => {
                let (records, end) = split(&line);
                accept(draft, records, &mut take);
                let rest = &line[end..];
                if rest.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                let (cut, behind) = resume(rest, accepts);
                draft
                    .report
                    .count_broken(number, end, BrokenReason::NotARecord);
                draft.keep_text("broken", &String::from_utf8_lossy(cut));
                accept(draft, behind, &mut take);
            }
        }
    }
}

fn accept(draft: &mut Draft, records: Vec<Object>, take: &mut impl FnMut(&mut Draft, Object)) {
    let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
    draft.report.records += count;
    draft.report.glued += count.saturating_sub(1);
    for record in records {
        take(draft, record);
    }
}

/// Reads the records that stand one behind another, and says where they end.
fn split(line: &[u8]) -> (Vec<Object>, usize) {
    let mut stream = serde_json::Deserializer::from_slice(line).into_iter::<Object>();
    let (mut records, mut end) = (Vec::new(), 0);
    while let Some(Ok(record)) = stream.next() {
        records.push(record);
        end = stream.byte_offset();
    }
    (records, end)
}

/// Looks for records that fill the end of a line whose beginning is none, and returns what is before them.
fn resume(rest: &[u8], accepts: fn(&Object) -> bool) -> (&[u8], Vec<Object>) {
    let starts = memchr::memmem::find_iter(rest, b"{\"").filter(|at| *at > 0);
    for at in starts.take(ATTEMPTS) {
        let (records, end) = split(&rest[at..]);
        let whole = rest[at + end..].iter().all(u8::is_ascii_whitespace);
        if whole && !records.is_empty() && records.iter().all(accepts) {
            return (&rest[..at], records);
        }
    }
    (rest, Vec::new())
}
