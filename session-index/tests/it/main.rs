//! The integration tests of the crate, one module for each concept.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod answer;
mod concurrency;
mod conformance;
mod dir_storage;
mod faults;
mod history;
mod json_map;
mod pointer;
mod processes;
mod proof;
mod support;
