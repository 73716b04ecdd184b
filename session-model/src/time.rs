//! Owns the text form of a point in time. Knows no clock.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};

/// Reads any RFC 3339 time.
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.with_timezone(&Utc))
}

/// Writes a time as chrono does, with as many fractional digits as it needs.
///
/// There is no text for a year that RFC 3339 cannot say.
pub(crate) fn format(at: DateTime<Utc>) -> Option<String> {
    let text = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    (0..=9999).contains(&at.year()).then_some(text)
}
