//! The steps that the suites of an index are made of, and the paths they try. Knows the traits only.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::index::{Change, WorkspaceIndex};
use crate::{Answer, Error, Pointer};

/// Paths that some index might take for one another, or fail to write.
pub(super) fn workspaces() -> Vec<Option<PathBuf>> {
    let texts = [
        "/x/foo",
        "/x/foo2",
        "/x/foo/",
        "/x/./foo",
        "/x/y/../foo",
        "/x//foo",
        "/X/foo",
        "x/foo",
        "",
        ".",
        "/",
        "all",
        "none",
        "/x/\n",
        "/x/\r\n",
        "/x/%2F",
        "/x//",
        "/x/\"quoted\\",
        "/x/caf\u{e9}",
        "/x/cafe\u{301}",
        "/x/\u{1f980} \u{202e}",
        " ",
        "/x/\0",
        "null",
        "entries",
        "C:\\x",
        "\\\\?\\C:\\x",
    ];
    let mut workspaces = texts.map(|text| Some(PathBuf::from(text))).to_vec();
    workspaces.push(Some(PathBuf::from(format!("/{}", "long/".repeat(2_000)))));
    workspaces.extend(odd_paths().map(Some));
    workspaces.push(None);
    workspaces
}

/// Paths that are not UTF-8, and the text that a lossy conversion makes of all of them.
fn odd_paths() -> impl Iterator<Item = PathBuf> {
    #[cfg(unix)]
    let odd = {
        use std::os::unix::ffi::OsStringExt;

        [&b"/x/\xff"[..], b"/x/\xfe"]
            .map(|bytes| OsString::from_vec(bytes.to_vec()))
            .to_vec()
    };
    #[cfg(not(unix))]
    let odd = Vec::<OsString>::new();
    odd.into_iter()
        .chain([OsString::from("/x/\u{fffd}")])
        .map(PathBuf::from)
}

pub(super) fn find(index: &dyn WorkspaceIndex, workspace: Option<&Path>) -> Answer {
    index
        .lookup(workspace)
        .unwrap_or_else(|error| panic!("a lookup in a sound index works: {error}"))
}

/// Begins a change, and tries again while others hold the lock: the suite's own threads do.
pub(super) fn begin(index: &dyn WorkspaceIndex) -> Box<dyn Change + '_> {
    loop {
        match index.begin() {
            Ok(change) => return change,
            Err(error) if error.is_locked() => {}
            Err(error) => panic!("a change can begin: {error}"),
        }
    }
}

pub(super) fn record(index: &dyn WorkspaceIndex, workspace: Option<&Path>, pointer: &Pointer) {
    let mut change = begin(index);
    change.record(workspace, pointer.clone());
    must(change.commit(), "commit");
}

pub(super) fn must(result: Result<(), Error>, what: &str) {
    result.unwrap_or_else(|error| panic!("{what}: {error}"));
}
