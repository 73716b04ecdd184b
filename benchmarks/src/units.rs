//! Numbers as people read them. Knows no case.

/// A number with about three digits.
#[must_use]
pub fn significant(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// A time in the unit that fits.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "times far below 2^52 nanoseconds"
)]
pub fn time(nanoseconds: u64) -> String {
    let number = nanoseconds as f64;
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{} µs", significant(number / 1e3)),
        1_000_000..10_000_000_000 => format!("{} ms", significant(number / 1e6)),
        _ => format!("{} s", significant(number / 1e9)),
    }
}

/// A size in the unit that fits.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52 bytes")]
pub fn size(bytes: u64) -> String {
    let number = bytes as f64;
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} KB", significant(number / 1e3)),
        _ => format!("{} MB", significant(number / 1e6)),
    }
}
