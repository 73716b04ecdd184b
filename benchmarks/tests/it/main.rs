//! What the instrument itself promises: wrong answers are caught, numbers are right, files have the shape they should.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod contenders;
mod document;
mod gates;
mod growth;
mod method;
mod page;
mod row;
mod stats;
mod trace;
