//! The integration tests of the codec; modules mirror `src/`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod amend;
mod corpora;
mod count;
mod decode;
mod elements;
mod encode;
mod errors;
mod footer;
mod footer_hostile;
mod glance;
mod header;
mod hostile;
mod lexer;
mod limits;
mod load;
mod load_split;
mod naive;
mod needle;
mod replay;
mod salvage;
mod skim;
mod spelling;
mod strict;
mod support;
mod tail;
mod text;
mod traits;
