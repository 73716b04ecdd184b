//! Runs the check `footer`, which replay runs too.
#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| session_codec::testing::checks::footer(document));
