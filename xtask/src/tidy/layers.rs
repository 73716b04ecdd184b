//! Who may import whom, from the manifests as cargo reads them.
//!
//! Owns the layering of the workspace; must not read source. Development and build dependencies count as well: a sibling that
//! is needed to test a layer is needed to understand it.

use cargo_metadata::{DependencyKind, Metadata};

use crate::tidy::Finding;
use crate::workspace::TOOL;

/// The layers that know no other member.
const SIBLINGS: &[&str] = &[
    "session-model",
    "session-codec",
    "session-scan",
    "session-index",
];
/// The layer that wires the siblings.
const FACADE: &str = "session-store";

/// Packages outside the workspace that a layer must not use in its own code, and what it would mean if it did.
const FOREIGN: &[(&str, &[&str], &str)] = &[
    (
        "session-model",
        &[
            "rustix",
            "tempfile",
            "memmap2",
            "crossbeam",
            "tokio",
            "tracing",
        ],
        "the model does no input or output",
    ),
    (
        "session-codec",
        &[
            "rustix",
            "tempfile",
            "crossbeam",
            "tokio",
            "walkdir",
            "chrono",
        ],
        "the codec knows bytes, no directories and no sessions",
    ),
    (
        "session-scan",
        &["serde", "serde_json", "simd-json", "chrono"],
        "scan knows files, no JSON",
    ),
    (
        "session-index",
        &["chrono", "simd-json", "memmap2"],
        "the index knows no session documents",
    ),
];

/// One package's use of another, by name.
#[derive(Clone, Debug)]
pub(crate) struct Uses {
    package: String,
    dependency: String,
    kind: DependencyKind,
    /// Whether the other is a member.
    member: bool,
}

/// Returns every direct dependency of every member.
pub(crate) fn dependencies(metadata: &Metadata) -> Vec<Uses> {
    let members: Vec<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let packages = metadata.packages.iter();
    packages
        .flat_map(|package| {
            package.dependencies.iter().map(|dependency| Uses {
                package: package.name.to_string(),
                dependency: dependency.name.clone(),
                kind: dependency.kind,
                member: members.contains(&dependency.name.as_str()),
            })
        })
        .collect()
}

/// Applies the layering.
pub(crate) fn check(dependencies: &[Uses]) -> Vec<Finding> {
    dependencies.iter().filter_map(judge).collect()
}

fn judge(uses: &Uses) -> Option<Finding> {
    let reason = if uses.member {
        if may_import(uses) {
            return None;
        }
        "the layers are siblings, only the store wires them, and nothing imports the tooling"
    } else {
        // Tests may compare with anything.
        let (_, _, reason) = FOREIGN.iter().find(|(package, foreign, _)| {
            *package == uses.package
                && foreign.contains(&uses.dependency.as_str())
                && uses.kind != DependencyKind::Development
        })?;
        reason
    };
    let text = format!("depends on {} ({}): {reason}", uses.dependency, uses.kind);
    Some(Finding::on(&uses.package, "layering", text))
}

fn may_import(uses: &Uses) -> bool {
    let sibling = SIBLINGS.contains(&uses.dependency.as_str());
    match uses.package.as_str() {
        // A crate names itself to turn on a feature in its own tests.
        package if package == uses.dependency => true,
        FACADE => sibling,
        TOOL => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(package: &str, dependency: &str, kind: DependencyKind) -> Uses {
        Uses {
            package: package.to_owned(),
            dependency: dependency.to_owned(),
            kind,
            member: dependency.starts_with("session-") || dependency == TOOL,
        }
    }

    #[test]
    fn siblings_import_no_member_of_any_kind() {
        use DependencyKind::{Build, Development, Normal};
        for package in SIBLINGS {
            for dependency in SIBLINGS.iter().chain(&[FACADE, TOOL, "session-new"]) {
                for kind in [Normal, Development, Build] {
                    let found = check(&[uses(package, dependency, kind)]);
                    assert_eq!(
                        found.is_empty(),
                        package == dependency,
                        "{package} {dependency} {kind}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_facade_imports_the_siblings_and_nothing_imports_the_tooling() {
        for (package, dependency, allowed) in [
            (FACADE, "session-model", true),
            (FACADE, FACADE, true),
            (FACADE, TOOL, false),
            (FACADE, "session-new", false),
            (TOOL, "session-codec", true),
            (TOOL, FACADE, true),
            ("session-new", "session-model", false),
        ] {
            let found = check(&[uses(package, dependency, DependencyKind::Normal)]);
            assert_eq!(
                found.is_empty(),
                allowed,
                "{package} {dependency}: {found:?}"
            );
        }
    }

    #[test]
    fn a_layer_does_not_learn_its_neighbours_trade() {
        let json = |kind| check(&[uses("session-scan", "serde_json", kind)]);
        assert_eq!(json(DependencyKind::Normal).len(), 1);
        assert_eq!(json(DependencyKind::Build).len(), 1);
        assert!(json(DependencyKind::Development).is_empty());
        assert!(check(&[uses("session-scan", "memchr", DependencyKind::Normal)]).is_empty());
    }
}
