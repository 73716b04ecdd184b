//! The session crates beside their rivals and floors, measured side by side in one run.
//!
//! What it is: the measuring instrument behind `cargo xtask bench`. Each *case* is one operation on one data set; its
//! *contenders* (ours, the reference algorithm, rival engines, floors) run interleaved in one process, their answers are
//! compared before any time is believed, and a table, a JSON file, a committed record and an HTML report come out.
//!
//! How to read, run and extend it is in `docs/benchmarks.md`. Nothing depends on this crate, and it is a workspace of its
//! own, so that neither users nor the tests of the libraries ever compile the rivals.
//!
//! Linux only: data sets, cold caches and system call counts use its interfaces.

pub mod allocator;
pub mod answer;
pub mod case;
pub mod cases;
pub mod cold;
pub mod compare;
pub mod data;
pub mod flags;
pub mod floors;
pub mod gates;
pub mod growth;
pub mod instructions;
pub mod kernel_trace;
pub mod machine;
pub mod method;
pub mod progress;
pub mod record;
pub mod reference;
pub mod report;
pub mod rivals;
pub mod row;
pub mod single;
pub mod stats;
pub mod suite;
pub mod table;
pub mod units;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;
