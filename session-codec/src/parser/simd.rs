//! The parser that uses vector instructions. Owns the fall-back to `serde_json`;
//! must not know windows or files.

use serde::de::DeserializeOwned;

use crate::{ParseError, Parser, SerdeJson};

/// A parser that uses SIMD and falls back to [`SerdeJson`].
///
/// simd-json works on a buffer it overwrites. What it refuses is decoded again
/// by `serde_json` from an untouched copy, so this parser accepts all that the
/// default one does (integers over 64 bits and raw values among it), with the
/// same errors. It needs a copy for that and a table of the whole text, so it is
/// slower than [`SerdeJson`] on ordinary transcripts, about even where escapes are
/// dense, and cannot decode a document in pieces. See the crate's *Limitations* for where values differ.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimdJson;

impl Parser for SimdJson {
    fn parse<T: DeserializeOwned>(&self, json: &mut [u8]) -> Result<T, ParseError> {
        let mut scratch = json.to_vec();
        match simd_json::serde::from_slice(&mut scratch) {
            Ok(value) => Ok(value),
            Err(_) => SerdeJson.parse(json),
        }
    }
}
