//! Whole records behind bytes that are none. Owns how sync is found again; must not know what becomes of the records.

use super::record::{FRAME, claimed, unframe};

/// The bytes that are summed up at most, as a multiple of those that are searched.
const SUMMED: usize = 64;
/// The largest number of a record that is looked at: no journal has as many. What is no record hardly ever has a smaller one.
const MOST: u64 = u32::MAX as u64;

/// A search through bytes for whole records, in the order of their places.
///
/// What a crash leaves hardly ever looks like a record. Something made to look like records at every byte would have all
/// that follows summed up again for each, so the bytes that are summed up are bounded by a multiple of what is there.
pub(super) struct Search<'b> {
    bytes: &'b [u8],
    left: usize,
}

/// A whole record, and where it begins.
pub(super) struct Found<'b> {
    pub(super) from: usize,
    pub(super) number: u64,
    pub(super) payload: &'b [u8],
}

impl Found<'_> {
    /// Where the next one may begin.
    pub(super) fn end(&self) -> usize {
        self.from + FRAME + self.payload.len()
    }
}

/// The search came to its bound: more whole records may follow, and nothing says where.
#[derive(Debug)]
pub(super) struct GivenUp;

impl<'b> Search<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        let left = SUMMED.saturating_mul(bytes.len());
        Self { bytes, left }
    }

    /// Finds the first whole record from a place on whose number is `next` or larger, as any number of others may have been cut out,
    /// and of which the caller says that it means something.
    pub(super) fn find(
        &mut self,
        start: usize,
        next: u64,
        mut means: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<Option<Found<'b>>, GivenUp> {
        for from in start..self.bytes.len() {
            let bytes = &self.bytes[from..];
            let Some((number, length)) = claimed(bytes) else {
                continue;
            };
            if !(next..=MOST).contains(&number) {
                continue;
            }
            self.left = self.left.checked_sub(length).ok_or(GivenUp)?;
            if let Some(payload) = unframe(bytes, number).filter(|payload| means(number, payload)) {
                return Ok(Some(Found {
                    from,
                    number,
                    payload,
                }));
            }
        }
        Ok(None)
    }
}
