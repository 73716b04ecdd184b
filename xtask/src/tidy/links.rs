//! Relative links in the Markdown files lead somewhere.
//!
//! Owns that one rule. Links to other sites are not followed, as checks run offline.

use std::path::Path;

use anyhow::{Context, Result};

use crate::tidy::{Finding, source};

/// Checks every Markdown file below the root.
///
/// # Errors
///
/// A file that cannot be read.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for path in source::walk(root, "md")? {
        let full = root.join(&path);
        let text =
            std::fs::read_to_string(&full).with_context(|| format!("read {}", full.display()))?;
        let dir = full.parent().unwrap_or(root);
        let broken = targets(&text).filter(|(_, target)| !dir.join(target).exists());
        found.extend(broken.map(|(line, target)| {
            Finding::at(&path, line, "links", format!("`{target}` does not exist"))
        }));
    }
    Ok(found)
}

/// Returns the lines and paths of inline links to files, without code blocks and fragments.
fn targets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    let prose = text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !fence && !in_code
    });
    prose
        .flat_map(|(number, line)| {
            let links = line.split("](").skip(1);
            links.filter_map(move |rest| Some((number + 1, rest.split_once(')')?.0)))
        })
        .map(|(line, target)| (line, target.split(['#', ' ']).next().unwrap_or_default()))
        .filter(|(_, target)| !target.is_empty() && !target.contains("://"))
        // Rustdoc's own links, as a crate's README may be its front page.
        .filter(|(_, target)| !target.contains("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_found() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("there.md"), "# T\n").unwrap();
        let text = "[a](there.md) [b](there.md#t) [c](#here) [d](https://example.invalid/x)\n\
                    ```text\n[e](code.md)\n```\n[f](gone.md) and [g](crate::x)\n";
        std::fs::write(dir.path().join("README.md"), text).unwrap();
        let found = check(dir.path()).unwrap();
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["README.md:5: links: `gone.md` does not exist"]);
    }
}
