//! The promises of `session-model`, one module for each of its own.

mod allocations;
mod corpora;
mod directory;
mod exact;
mod extra;
mod generator;
mod header;
mod hostile;
mod id;
mod lazy;
mod part;
mod random;
mod raw;
mod record;
mod session;
