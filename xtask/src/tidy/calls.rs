//! What may be called where: the table of forbidden calls.
//!
//! Owns the list, each entry with its reason; must not know how source is read.

use crate::tidy::Finding;
use crate::tidy::source::{Part, Source};
use crate::tidy::tokens::{self, Token};

/// The only places of the libraries that create, rename, sync or remove files. A path that ends in `/` is a directory.
const FILE_SYSTEM: &[&str] = &[
    "session-index/src/dir_storage.rs",
    "session-store/src/fs.rs",
    "session-store/src/fs/",
];

/// The only files with unsafe code: vector instructions, the constructor of a memory map and its tests, and a test's
/// allocator that counts.
const UNSAFE: &[&str] = &[
    "session-codec/src/block/avx2.rs",
    "session-codec/src/block/avx512.rs",
    "session-codec/src/block/neon.rs",
    "session-codec/src/block/sse2.rs",
    "session-codec/src/mapped.rs",
    "session-codec/src/plain.rs",
    "session-codec/tests/it/traits.rs",
    "session-store/tests/allocations.rs",
    "session-store/tests/it/bounded.rs",
];

/// Workspaces of their own, which users never compile: rivals map files, and an allocator that counts is unsafe.
const APART: &[&str] = &["benchmarks/", "fuzz/"];

/// Calls that one kind of file must not make.
struct Rule {
    name: &'static str,
    reason: &'static str,
    applies: fn(&Source) -> bool,
    patterns: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        name: "file-system",
        reason: "files are created, renamed, synced and removed only in the file-system modules, so that crashes can be modelled",
        applies: |source| source.part() == Part::Library && !is_in(source, FILE_SYSTEM),
        patterns: &[
            "fs :: rename",
            "fs :: remove_file",
            "fs :: remove_dir",
            "fs :: remove_dir_all",
            "fs :: create_dir",
            "fs :: create_dir_all",
            "fs :: write",
            "fs :: copy",
            "fs :: hard_link",
            "fs :: set_permissions",
            "fs :: *",
            "fs as",
            "fs :: self as",
            "File :: create",
            "File :: create_new",
            "File :: options",
            "OpenOptions",
            "DirBuilder",
            "symlink",
            ". sync_all",
            ". sync_data",
            ". set_len",
            ". set_permissions",
            ". set_modified",
            ". set_times",
            "tempfile ::",
            "NamedTempFile",
            "renameat",
            "renameat_with",
            "unlinkat",
            "mkdirat",
            "mknodat",
            "linkat",
            "symlinkat",
            "fsync",
            "fdatasync",
            "syncfs",
            "ftruncate",
            "fallocate",
            "fchmod",
            "chmodat",
            "utimensat",
            "copy_file_range",
            "OFlags :: CREATE",
            "OFlags :: WRONLY",
            "OFlags :: RDWR",
            "OFlags :: TRUNC",
            "OFlags :: APPEND",
            "OFlags :: TMPFILE",
        ],
    },
    Rule {
        name: "unsafe",
        reason: "unsafe code lives in the few modules that the table in xtask names",
        applies: |source| !is_in(source, UNSAFE) && !is_in(source, APART),
        patterns: &["unsafe"],
    },
    Rule {
        name: "unfinished",
        reason: "nothing half-done is kept",
        applies: |_| true,
        patterns: &["todo !", "unimplemented !", "dbg !"],
    },
    Rule {
        name: "ambient",
        reason: "the libraries take what they need as values: no thread-locals, no environment, no current directory",
        applies: |source| source.part() == Part::Library,
        patterns: &[
            "thread_local !",
            "static mut",
            "env :: var",
            "env :: var_os",
            "env :: vars",
            "env :: vars_os",
            "env :: set_var",
            "env :: current_dir",
            "env :: set_current_dir",
            "env :: temp_dir",
            "env :: home_dir",
        ],
    },
    Rule {
        name: "model-is-pure",
        reason: "the model does no input or output and has no threads and no clock",
        applies: |source| is_library(source, "session-model"),
        patterns: &[
            "std :: fs",
            "std :: net",
            "std :: thread",
            "std :: process",
            "Instant :: now",
            "SystemTime :: now",
            "Utc :: now",
            "Local :: now",
        ],
    },
    Rule {
        name: "codec-sees-no-directory",
        reason: "the codec turns bytes into values and never looks for them",
        applies: |source| is_library(source, "session-codec"),
        patterns: &["read_dir", "ReadDir", "canonicalize", "fs :: metadata"],
    },
    Rule {
        name: "lossless",
        reason: "serde's flatten and derived tags buffer, and turn big integers into floats",
        applies: |source| source.part() == Part::Library,
        patterns: &[
            "( flatten",
            ", flatten",
            "( tag =",
            ", tag =",
            "( untagged",
            ", untagged",
        ],
    },
    Rule {
        name: "sleep",
        reason: "a test that waits is slow where it passes and flaky where it fails",
        applies: |source| source.part() == Part::Tests,
        patterns: &["thread :: sleep"],
    },
];

/// Applies every rule of the table to one file.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let all = tokens::lex(&source.text);
    let code = tokens::without_tests(&all);
    let rules = RULES.iter().filter(|rule| (rule.applies)(source));
    rules.flat_map(|rule| apply(rule, source, &code)).collect()
}

fn apply(rule: &Rule, source: &Source, code: &[Token<'_>]) -> Vec<Finding> {
    let found = rule.patterns.iter().flat_map(|pattern| {
        let shown = pattern.replace(' ', "");
        let lines = tokens::lines(code, pattern).into_iter();
        lines.map(move |line| (line, format!("`{shown}`: {}", rule.reason)))
    });
    found
        .map(|(line, text)| Finding::at(&source.path, line, rule.name, text))
        .collect()
}

fn is_library(source: &Source, package: &str) -> bool {
    source.package() == package && source.part() == Part::Library
}

fn is_in(source: &Source, places: &[&str]) -> bool {
    places.iter().any(|place| {
        if place.ends_with('/') {
            source.path.starts_with(place)
        } else {
            source.path == *place
        }
    })
}

#[cfg(test)]
mod tests;
