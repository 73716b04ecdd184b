//! Runs the check `salvage`, which replay runs too.
#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| session_codec::testing::checks::salvage(document));
