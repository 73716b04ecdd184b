//! Owns how large the parts of real sessions are. Knows no content.

use fastrand::Rng;

/// Measured sizes in decoded bytes at these shares of all parts, between which the logarithm is
/// interpolated.
const SHARES: [f64; 9] = [0.0, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 1.0];

/// Sizes of one kind of part at each of [`SHARES`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes([f64; 9]);

/// Of 589 texts.
pub(super) const TEXT: Sizes = Sizes([
    1.0, 12.0, 58.0, 133.0, 293.0, 1_067.0, 1_927.0, 37_712.0, 73_750.0,
]);
/// Of 514 thoughts.
pub(super) const THINKING: Sizes = Sizes([
    8.0, 59.0, 83.0, 130.0, 245.0, 541.0, 991.0, 1_783.0, 8_405.0,
]);
/// Of the arguments of 1,125 tool calls.
pub(super) const ARGUMENTS: Sizes = Sizes([
    16.0, 48.0, 54.0, 94.0, 187.0, 1_632.0, 3_495.0, 18_798.0, 38_981.0,
]);
/// Of 1,125 tool results.
pub(super) const TOOL_RESULT: Sizes = Sizes([
    1.0, 8.0, 112.0, 848.0, 3_993.0, 14_573.0, 27_719.0, 55_734.0, 174_371.0,
]);
/// Of images as base64, which are not in the measurements: from an icon to a screenshot.
pub(super) const IMAGE: Sizes = Sizes([
    800.0,
    4_000.0,
    20_000.0,
    90_000.0,
    240_000.0,
    600_000.0,
    900_000.0,
    1_400_000.0,
    1_900_000.0,
]);

impl Sizes {
    /// Draws a size.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "every size in the tables is positive and far below 2^32"
    )]
    pub(super) fn draw(self, rng: &mut Rng) -> usize {
        let share = rng.f64();
        let above = SHARES
            .iter()
            .position(|&at| share < at)
            .unwrap_or(SHARES.len() - 1)
            .max(1);
        let (low, high) = (SHARES[above - 1], SHARES[above]);
        let part = (share - low) / (high - low);
        let (from, to) = (self.0[above - 1].ln(), self.0[above].ln());
        (from + (to - from) * part).exp() as usize
    }
}
