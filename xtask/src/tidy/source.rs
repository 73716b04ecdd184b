//! The Rust files of the tree, and what part each plays.
//!
//! Owns the walk and the classification by path; must not know a rule.

use std::path::Path;

use anyhow::{Context, Result};

/// Directories that hold no code of ours to judge.
const SKIPPED: &[&str] = &["target", "fixtures", "records"];

/// One Rust file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// What a file is for, which decides what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Code of a library that its users run.
    Library,
    /// Conformance suites, generators and doubles behind the feature `testing`.
    Testing,
    /// Integration tests.
    Tests,
    /// Benches, examples, fuzz targets, programs, and the tooling.
    Tools,
}

/// Reads every Rust file below the root, in a fixed order.
///
/// # Errors
///
/// A directory or file that cannot be read.
pub(crate) fn read_all(root: &Path) -> Result<Vec<Source>> {
    let mut paths = walk(root, "rs")?;
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let full = root.join(&path);
            let text = std::fs::read_to_string(&full)
                .with_context(|| format!("read {}", full.display()))?;
            Ok(Source { path, text })
        })
        .collect()
}

/// Returns the relative paths of all files with this extension.
///
/// # Errors
///
/// A directory that cannot be read.
pub(crate) fn walk(root: &Path, extension: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(relative) = open.pop() {
        let dir = root.join(&relative);
        let failed = || format!("read {}", dir.display());
        for entry in std::fs::read_dir(&dir).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = [relative.as_str(), &name]
                .iter()
                .filter(|part| !part.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join("/");
            let kind = entry.file_type().with_context(failed)?;
            if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                open.push(path);
            } else if kind.is_file() && Path::new(&name).extension().is_some_and(|e| e == extension)
            {
                found.push(path);
            }
        }
    }
    Ok(found)
}

impl Source {
    /// Returns the crate's directory.
    pub(crate) fn package(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// Returns what the file is for.
    pub(crate) fn part(&self) -> Part {
        let mut parts = self.path.split('/');
        let package = parts.next().unwrap_or_default();
        let kind = parts.next().unwrap_or_default();
        let file = parts.next().unwrap_or_default();
        match kind {
            _ if ["xtask", "benchmarks", "fuzz"].contains(&package) => Part::Tools,
            "src" if file == "testing.rs" || file == "testing" => Part::Testing,
            // A program is a user of the library; nobody links it.
            "src" if file == "bin" => Part::Tools,
            "src" => Part::Library,
            "tests" => Part::Tests,
            _ => Part::Tools,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_a_file_is_for() {
        for (path, package, part) in [
            ("session-scan/src/newest.rs", "session-scan", Part::Library),
            ("session-scan/src/testing.rs", "session-scan", Part::Testing),
            (
                "session-store/src/bin/x/main.rs",
                "session-store",
                Part::Tools,
            ),
            (
                "session-scan/src/testing/memory.rs",
                "session-scan",
                Part::Testing,
            ),
            (
                "session-scan/src/newest/testing.rs",
                "session-scan",
                Part::Library,
            ),
            (
                "session-scan/tests/it/newest.rs",
                "session-scan",
                Part::Tests,
            ),
            ("session-scan/benches/scan.rs", "session-scan", Part::Tools),
            ("session-scan/build.rs", "session-scan", Part::Tools),
            ("xtask/src/tidy.rs", "xtask", Part::Tools),
            ("benchmarks/src/main.rs", "benchmarks", Part::Tools),
        ] {
            let source = Source {
                path: path.to_owned(),
                text: String::new(),
            };
            assert_eq!((source.package(), source.part()), (package, part), "{path}");
        }
    }

    #[test]
    fn the_walk_skips_what_is_built_hidden_or_a_fixture() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            "a/src/x.rs",
            "a/src/x.txt",
            "target/y.rs",
            ".git/z.rs",
            "a/tests/fixtures/f.rs",
        ] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "//! X.\n").unwrap();
        }
        let found = read_all(dir.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&*found[0].path, &*found[0].text),
            ("a/src/x.rs", "//! X.\n")
        );
    }
}
