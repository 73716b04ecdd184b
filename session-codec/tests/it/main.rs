//! The integration tests of the codec; modules mirror `src/`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod amend;
mod corpora;
mod count;
mod decode;
mod encode;
mod errors;
mod header;
mod hostile;
mod lexer;
mod limits;
mod load;
mod load_split;
mod naive;
mod replay;
mod spelling;
mod support;
mod tail;
mod traits;
