//! Cost against size: one row a family, with the exponent fitted to the times of its members.

use std::collections::BTreeMap;

use crate::row::Row;
use crate::stats::exponent;

/// Makes the rows `growth/…` of a run. A family needs three sizes to have an exponent worth printing.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "times far below 2^52 nanoseconds"
)]
pub fn rows(measured: &[Row]) -> Vec<Row> {
    let mut families: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in measured.iter().filter(|row| row.is_measured()) {
        if let Some(family) = &row.family {
            families.entry(family).or_default().push(row);
        }
    }
    families
        .into_iter()
        .filter_map(|(family, members)| {
            if members.len() < 3 {
                return None;
            }
            let mut points: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
            for row in &members {
                for (contender, time) in row.times() {
                    points
                        .entry(contender)
                        .or_default()
                        .push((row.size?, time as f64));
                }
            }
            let sizes: Vec<String> = members
                .iter()
                .filter_map(|row| row.name.rsplit('/').next().map(str::to_owned))
                .collect();
            let mut row = Row::unmeasured(
                &format!("growth/{family}"),
                &sizes.join(" "),
                "fitted".to_owned(),
            );
            // A contender that was not at three sizes has no line.
            points.retain(|_, points| points.len() >= 3);
            row.exponents = points
                .iter()
                .filter_map(|(name, points)| Some((name.clone(), exponent(points)?)))
                .collect();
            Some(row)
        })
        .collect()
}
