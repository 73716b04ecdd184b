//! How a run differs from a record of an earlier one.

use std::fmt::Write;

use crate::record::Record;
use crate::row::Row;
use crate::units::time;

/// Prints, for each case that both have, ours then and now, and how it stands to the reference then and now.
///
/// Times of different days and machines say little; ratios to the reference of the same run say more, so a change is
/// called one only if the ratio changed by more than a tenth.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "times far below 2^52 nanoseconds"
)]
pub fn print(before: &Record, now: &Record) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "\ncompared with {} of {}, commit {}",
        before.scale, before.machine.date, before.machine.commit
    );
    if before.machine.name() != now.machine.name() {
        let _ = writeln!(out, "another machine: compare ratios only");
    }
    let _ = writeln!(
        out,
        "{:<36} {:>10} {:>10} {:>9} {:>9}",
        "case", "then", "now", "ref then", "ref now"
    );
    let ratio = |row: &Row| Some(row.reference_ns? as f64 / row.ours_ns? as f64);
    for row in now.rows.iter().filter(|row| row.is_measured()) {
        let Some(old) = before
            .rows
            .iter()
            .find(|old| old.name == row.name && old.is_measured())
        else {
            continue;
        };
        let (Some(then), Some(today)) = (old.ours_ns, row.ours_ns) else {
            continue;
        };
        let ratios = ratio(old).zip(ratio(row));
        let verdict = match ratios {
            Some((then, now)) if now > then * 1.1 => "faster",
            Some((then, now)) if now < then / 1.1 => "slower",
            _ => "",
        };
        let text = |ratio: Option<f64>| {
            ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}x"))
        };
        let _ = writeln!(
            out,
            "{:<36} {:>10} {:>10} {:>9} {:>9} {verdict}",
            row.name,
            time(then),
            time(today),
            text(ratio(old)),
            text(ratio(row))
        );
    }
    out
}
