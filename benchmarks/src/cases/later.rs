//! Operations that no module above has a case for yet, registered so that the table shows what is missing.

use super::sizes;
use crate::case::{Case, Scale};
use crate::data::document::Size;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let mut cases = vec![Case::not_built(
        "salvage/10MB",
        "truncated in the middle",
        6,
    )];
    let checked = sizes(scale)
        .iter()
        .copied()
        .filter(|bytes| *bytes <= 100_000_000);
    cases.extend(
        checked.map(|bytes| Case::not_built(format!("check/{}", Size(bytes)), "realistic", 6)),
    );
    cases
}
