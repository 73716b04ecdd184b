//! What a lock's file says of who holds it: one line of fixed width, as a hint. Owns its bytes; must not know locks or files.

use std::fmt;
use std::process;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// What the line begins with: what it is, and the version of its layout.
const TITLE: &[u8] = b"lock 1 ";
/// The digits of a process id and of a time in milliseconds.
const DIGITS: (usize, usize) = (10, 14);
/// The bytes of the line: title, process id, a blank, milliseconds since the epoch, a line's end.
pub(crate) const WIDTH: usize = TITLE.len() + DIGITS.0 + 1 + DIGITS.1 + 1;

/// Who last wrote down that it holds a lock: a hint for people, on which nothing is ever decided.
///
/// It may be of the holder before, for the moment between taking a lock and writing this. The process may run in another
/// container or on another machine, where its id means another program. If the process of this id was started after
/// [`since`](Self::since), it is another one. A process that dies holds no lock any more: the system takes it back,
/// so no lock is ever to be removed by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockOwner {
    /// The process, as it sees its own id.
    pub pid: u32,
    /// When it took the lock, by its clock.
    pub since: DateTime<Utc>,
}

impl LockOwner {
    /// This process, at this moment.
    pub(crate) fn now() -> Self {
        Self {
            pid: process::id(),
            since: Utc::now(),
        }
    }

    /// The line. Times before 1970 and after the year 5138 are cut to these.
    pub(crate) fn line(&self) -> [u8; WIDTH] {
        let mut line = [b' '; WIDTH];
        line[..TITLE.len()].copy_from_slice(TITLE);
        let (pid, since) = line[TITLE.len()..].split_at_mut(DIGITS.0);
        let millis = u64::try_from(self.since.timestamp_millis()).unwrap_or(0);
        digits(pid, u64::from(self.pid));
        digits(&mut since[1..=DIGITS.1], millis.min(99_999_999_999_999));
        line[WIDTH - 1] = b'\n';
        line
    }

    /// Reads a line; `None` for anything that is not exactly one.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line: &[u8; WIDTH] = line.try_into().ok()?;
        let rest = line.strip_prefix(TITLE)?.strip_suffix(b"\n")?;
        let (pid, since) = rest.split_at_checked(DIGITS.0)?;
        let pid = u32::try_from(number(pid)?).ok()?;
        let millis = i64::try_from(number(since.strip_prefix(b" ")?)?).ok()?;
        let since =
            DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::try_milliseconds(millis)?)?;
        Some(Self { pid, since })
    }
}

impl fmt::Display for LockOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.to_rfc3339_opts(SecondsFormat::Millis, true);
        write!(f, "process {} since {since}", self.pid)
    }
}

/// Fills a field from its end, with zeros before the number.
fn digits(field: &mut [u8], mut number: u64) {
    for place in field.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Reads a field of nothing but digits.
fn number(field: &[u8]) -> Option<u64> {
    field.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_put_into_it_and_nothing_else_is_read() {
        for (pid, millis) in [
            (0, 0),
            (1, 1),
            (4_194_304, 1_763_869_030_123),
            (u32::MAX, 99_999_999_999_999),
        ] {
            let since = DateTime::from_timestamp_millis(millis).expect("a time");
            let owner = LockOwner { pid, since };
            let line = owner.line();
            assert_eq!(
                line.as_slice(),
                format!("lock 1 {pid:010} {millis:014}\n").as_bytes()
            );
            assert_eq!(LockOwner::parse(&line), Some(owner));
            for at in 0..WIDTH {
                let mut torn = line;
                torn[at] = 0;
                assert_eq!(
                    LockOwner::parse(&torn),
                    None,
                    "a byte that is none, at {at}"
                );
                assert_eq!(LockOwner::parse(&line[..at]), None, "cut at {at}");
            }
        }
        let too_large = b"lock 1 4294967296 00000000000000\n";
        assert_eq!(LockOwner::parse(too_large), None);
        assert_eq!(LockOwner::parse(&[b'9'; WIDTH]), None);
    }

    #[test]
    fn a_time_out_of_range_is_cut_to_the_range() {
        for (since, millis) in [
            (DateTime::<Utc>::MIN_UTC, 0),
            (DateTime::<Utc>::MAX_UTC, 99_999_999_999_999),
        ] {
            let read = LockOwner::parse(&LockOwner { pid: 7, since }.line()).expect("a line");
            assert_eq!(read.since.timestamp_millis(), millis);
        }
    }
}
