//! Medians, spreads and fitted exponents. Knows numbers only.

use std::time::Duration;

/// The middle of the samples and how far the middle half of them lies apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The median, in nanoseconds.
    pub median: f64,
    /// The distance between the quartiles, as a share of the median.
    pub spread: f64,
    /// How many samples there are.
    pub samples: usize,
}

impl Summary {
    /// Summarises samples; `None` of none.
    #[must_use]
    pub fn of(samples: &[Duration]) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.iter().map(nanoseconds).collect();
        sorted.sort_by(f64::total_cmp);
        let median = quantile(&sorted, 0.5)?;
        let spread = quantile(&sorted, 0.75)? - quantile(&sorted, 0.25)?;
        let spread = if median > 0.0 { spread / median } else { 0.0 };
        Some(Self {
            median,
            spread,
            samples: sorted.len(),
        })
    }
}

fn nanoseconds(duration: &Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// The value below which `share` of the sorted values lie, linear between neighbours.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a list of samples, far below 2^52, and the position is never negative"
)]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = share.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let weight = position - below as f64;
    Some(sorted[below] * (1.0 - weight) + sorted[above] * weight)
}

/// The exponent `k` of the power law `y = c * x^k` that fits best on logarithmic axes.
///
/// `None` for fewer than two different sizes or for values that have no logarithm. 0 says that the cost does not
/// depend on the size, 1 that it is proportional to it.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "the number of points is small")]
pub fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    if points.iter().any(|&(x, y)| x <= 0.0 || y <= 0.0) {
        return None;
    }
    let logs: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let mean_x = logs.iter().map(|&(x, _)| x).sum::<f64>() / count;
    let mean_y = logs.iter().map(|&(_, y)| y).sum::<f64>() / count;
    let along: f64 = logs.iter().map(|&(x, _)| (x - mean_x).powi(2)).sum();
    let both: f64 = logs.iter().map(|&(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (logs.len() >= 2 && along > f64::EPSILON).then(|| both / along)
}
