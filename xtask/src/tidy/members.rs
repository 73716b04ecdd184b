//! What every member has: the workspace's lints, a README, an example, a bench, and features that its docs explain.
//!
//! Owns rules on a package as a whole; must not read its code beyond `lib.rs`.

use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{Package, TargetKind};

use crate::tidy::Finding;
use crate::workspace::{self, Workspace};

/// Files of the project as a whole.
const FILES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "docs/format.md",
    "deny.toml",
    ".ci/run",
];

/// What the rules need to know of a member.
#[derive(Debug, Default)]
struct Member {
    name: String,
    manifest: String,
    /// The text of `lib.rs` and of the crate's README, where features are explained; empty for the tool.
    docs: String,
    features: Vec<String>,
    has_readme: bool,
    examples: usize,
    benches: usize,
    library: bool,
}

/// Applies the rules to the root and to every member.
///
/// # Errors
///
/// A manifest that cannot be read.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let root = workspace.root();
    let mut found: Vec<Finding> = FILES
        .iter()
        .filter(|file| !root.join(file).is_file())
        .map(|file| Finding::on(file, "project-files", "is missing"))
        .collect();
    for package in &workspace.metadata().packages {
        found.extend(judge(&Member::read(package)?));
    }
    Ok(found)
}

fn judge(member: &Member) -> Vec<Finding> {
    let on = |rule, text: &str| Finding::on(&member.name, rule, text);
    let mut found = Vec::new();
    if !inherits_lints(&member.manifest) {
        found.push(on("lints", "does not inherit the workspace's lints"));
    }
    if !member.library {
        return found;
    }
    if !member.has_readme {
        found.push(on("readme", "has no README.md"));
    }
    if member.examples == 0 || member.benches == 0 {
        found.push(on(
            "alone",
            "needs an example and a bench that use it alone",
        ));
    }
    let described = |feature: &&String| !member.docs.contains(&format!("`{feature}`"));
    let features = member.features.iter().filter(|name| *name != "default");
    found.extend(features.filter(described).map(|feature| {
        on(
            "feature-docs",
            &format!("feature `{feature}` is not in the crate's docs"),
        )
    }));
    found
}

fn inherits_lints(manifest: &str) -> bool {
    let table: Option<toml::Table> = manifest.parse().ok();
    table
        .as_ref()
        .and_then(|table| table.get("lints")?.get("workspace")?.as_bool())
        .unwrap_or(false)
}

impl Member {
    fn read(package: &Package) -> Result<Self> {
        let path = package.manifest_path.as_std_path();
        let dir = path.parent().unwrap_or(Path::new("."));
        let manifest =
            std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let text = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        let readme = text("README.md");
        Ok(Self {
            name: package.name.to_string(),
            manifest,
            docs: format!("{}\n{readme}", text("src/lib.rs")),
            features: package.features.keys().cloned().collect(),
            has_readme: !readme.is_empty(),
            examples: workspace::count_targets(package, &TargetKind::Example),
            benches: workspace::count_targets(package, &TargetKind::Bench),
            library: package.name.as_str() != workspace::TOOL,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Member {
        Member {
            name: "a".to_owned(),
            manifest: "[lints]\nworkspace = true\n".to_owned(),
            docs: "//! Feature `testing`: suites.".to_owned(),
            features: vec!["testing".to_owned(), "default".to_owned()],
            has_readme: true,
            examples: 1,
            benches: 1,
            library: true,
        }
    }

    fn rules(member: &Member) -> Vec<&'static str> {
        judge(member).iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn each_missing_thing_is_a_finding() {
        assert!(rules(&good()).is_empty());
        let change = |change: fn(&mut Member)| {
            let mut member = good();
            change(&mut member);
            rules(&member)
        };
        assert_eq!(change(|m| m.manifest.clear()), ["lints"]);
        assert_eq!(
            change(|m| m.manifest = "[lints]\nworkspace = false\n".to_owned()),
            ["lints"]
        );
        assert_eq!(change(|m| m.has_readme = false), ["readme"]);
        assert_eq!(change(|m| m.examples = 0), ["alone"]);
        assert_eq!(change(|m| m.benches = 0), ["alone"]);
        assert_eq!(
            change(|m| m.features.push("mmap".to_owned())),
            ["feature-docs"]
        );
        let tool = change(|m| {
            m.library = false;
            m.has_readme = false;
            m.benches = 0;
        });
        assert!(tool.is_empty());
    }
}
