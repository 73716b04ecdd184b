//! "Last session of this directory" without any index: files are looked at.

use anyhow::Result;
use session_model::testing::Layout;
use session_store::IndexKind;

use super::find::{self, Map};
use super::{approximate_count, cores, counts, growing_counts};
use crate::case::{Bench, Case, Field, Scale, Setup, Trait};
use crate::cold;
use crate::data::many::{self, Many};
use crate::floors::Look;
use crate::method::Role;

/// Which file is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Newest,
    Rank7,
    Oldest,
    None,
    Mentioned,
}

impl Answer {
    fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Rank7 => "rank-7",
            Self::Oldest => "oldest",
            Self::None => "none",
            Self::Mentioned => "mentioned",
        }
    }

    fn workspace(self, many: &Many) -> String {
        match self {
            Self::Newest => many::NEWEST.to_owned(),
            Self::Rank7 => many::RANK_7.to_owned(),
            Self::Oldest => many.oldest_workspace(),
            Self::None => many::NONE.to_owned(),
            Self::Mentioned => many::MENTIONED.to_owned(),
        }
    }

    fn rank(self, many: &Many) -> Option<usize> {
        match self {
            Self::Newest => Some(0),
            Self::Rank7 => Some(7),
            Self::Oldest => Some(many.files - 1),
            Self::None | Self::Mentioned => None,
        }
    }
}

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    for &files in counts(scale) {
        for answer in [
            Answer::Newest,
            Answer::Rank7,
            Answer::Oldest,
            Answer::None,
            Answer::Mentioned,
        ] {
            let shape = if answer == Answer::Mentioned {
                "5 % of bodies mention the path"
            } else {
                "realistic"
            };
            let build = move |bench: &Bench| setup(bench, files, Layout::Compact, answer);
            cases.push(Case::built(
                format!("scan/{}/{files}", answer.name()),
                shape,
                build,
            ));
        }
        let build = move |bench: &Bench| setup(bench, files, Layout::OlderPretty, Answer::None);
        cases.push(Case::built(
            format!("scan/older/{files}"),
            "realistic, older layout, no match",
            build,
        ));
    }
    for &files in growing_counts(scale) {
        let build = move |bench: &Bench| growing(bench, files);
        let size = approximate_count(files);
        cases.push(
            Case::built(format!("scan-growth/none/{files}"), "realistic", build)
                .grows("scan/none", size),
        );
    }
    if scale == Scale::Full {
        for &files in counts(scale) {
            let build = move |bench: &Bench| emptied(bench, files);
            let case = Case::built(
                format!("scan-cold/none/{files}"),
                "realistic, cold cache",
                build,
            );
            cases.push(case.needs(Trait::Cold));
        }
    }
    cases
}

fn setup(bench: &Bench, files: usize, layout: Layout, answer: Answer) -> Result<Setup> {
    let many = bench.data.many(files, layout)?;
    let workspace = answer.workspace(&many);
    if bench.field == Field::Ours {
        return Ok(Setup::of(vec![find::ours_traced(&many, &workspace)]));
    }
    let mut contenders = vec![find::ours("ours", &many, &workspace, 1, IndexKind::None)];
    let expected = find::expected(answer.rank(&many));
    let look = if layout == Layout::OlderPretty {
        Look::HeadAndTail
    } else {
        Look::Head
    };
    contenders.extend([
        find::ours("ours-2-threads", &many, &workspace, 2, IndexKind::None),
        find::reference(
            "reference",
            Role::Reference,
            &many,
            &workspace,
            cores(),
            Map::Removed,
        ),
        find::reference(
            "reference-1-thread",
            Role::Rival,
            &many,
            &workspace,
            1,
            Map::Removed,
        ),
        find::sqlite(find::database(bench, &many, layout)?, &workspace),
        find::floor("open+pread 4 KB", &many, look, expected.clone()),
        find::floor("getdents+statx", &many, Look::Stat, expected),
    ]);
    let note = format!(
        "{files} files of 450 KB on average; ours takes one thread, the reference one a core up to 8"
    );
    Ok(Setup::of(contenders).note(note))
}

fn growing(bench: &Bench, files: usize) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    let mut contenders = vec![find::ours("ours", &many, many::NONE, 1, IndexKind::None)];
    if bench.field == Field::All {
        contenders.extend([
            find::reference(
                "reference",
                Role::Reference,
                &many,
                many::NONE,
                cores(),
                Map::Removed,
            ),
            find::floor("open+pread 4 KB", &many, Look::Head, find::expected(None)),
        ]);
    }
    Ok(Setup::of(contenders))
}

/// The cache is emptied before each run of each contender.
fn emptied(bench: &Bench, files: usize) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    let contenders = vec![
        find::ours("ours", &many, many::NONE, 1, IndexKind::None),
        find::ours("ours-2-threads", &many, many::NONE, 2, IndexKind::None),
        find::reference(
            "reference",
            Role::Reference,
            &many,
            many::NONE,
            cores(),
            Map::Kept,
        ),
        find::floor("open+pread 4 KB", &many, Look::Head, find::expected(None)),
    ];
    find::forget(&many.directory)?;
    Ok(Setup::of(
        contenders
            .into_iter()
            .map(|contender| contender.prepare(cold::empty_cache))
            .collect(),
    ))
}
