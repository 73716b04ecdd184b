//! Every case there is, those whose operation is not built yet included. One module an operation.

mod append;
mod check;
mod delete;
mod encode;
mod find;
mod header;
mod index;
mod journal;
mod list;
mod load;
mod open;
mod page;
mod proven;
mod save;
mod scan;
mod search;
mod tail;

use crate::case::{Case, Scale};

/// The sizes of single documents.
#[must_use]
pub fn sizes(scale: Scale) -> &'static [u64] {
    const KB: u64 = 1_000;
    const MB: u64 = 1_000_000;
    match scale {
        Scale::Quick => &[100 * KB, MB, 3 * MB, 10 * MB],
        Scale::Full => &[100 * KB, MB, 10 * MB, 100 * MB, 1_000 * MB],
    }
}

/// The numbers of files in directories.
#[must_use]
pub fn counts(scale: Scale) -> &'static [usize] {
    match scale {
        Scale::Quick => &[1_000],
        Scale::Full => &[1_000, 10_000],
    }
}

/// The numbers of files at which cost against size is measured.
#[must_use]
pub fn growing_counts(scale: Scale) -> &'static [usize] {
    match scale {
        Scale::Quick => &[125, 250, 500, 1_000],
        Scale::Full => &[1_250, 2_500, 5_000, 10_000],
    }
}

/// All cases of a scale, in the order in which they run.
#[must_use]
pub fn all(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(tail::cases(scale));
    cases.extend(page::cases(scale));
    cases.extend(load::cases(scale));
    cases.extend(header::cases(scale));
    cases.extend(encode::cases(scale));
    cases.extend(scan::cases(scale));
    cases.extend(index::cases(scale));
    cases.extend(proven::cases(scale));
    cases.extend(list::cases(scale));
    cases.extend(search::cases(scale));
    cases.extend(save::cases(scale));
    cases.extend(append::cases(scale));
    cases.extend(journal::cases(scale));
    cases.extend(delete::cases());
    cases.extend(open::cases(scale));
    cases.extend(check::cases(scale));
    // Cases of one operation stand together, whichever module registers them.
    let mut order: Vec<String> = Vec::new();
    for case in &cases {
        if !order.iter().any(|group| group == case.group()) {
            order.push(case.group().to_owned());
        }
    }
    cases.sort_by_key(|case| order.iter().position(|group| group == case.group()));
    cases
}

/// How many threads the reference takes: one a core, up to 8.
fn cores() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8)
}

/// A count as a size that cost is measured against.
fn approximate_count(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
