//! Licences, bans, sources and minimum Rust version of every dependency.
//!
//! Owns the walk over the resolved graph; the policy is deny.toml's (`policy`). Works offline, on the platforms that
//! deny.toml names, and must not need cargo-deny installed.

mod graph;
mod policy;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use cargo_metadata::{CargoOpt, MetadataCommand};

use crate::deps::graph::Graph;
use crate::deps::policy::Policy;
use crate::workspace::Workspace;

/// Checks the whole graph, all features on.
///
/// # Errors
///
/// Every violation at once, or a policy or a graph that cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let path = workspace.root().join("deny.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let policy = Policy::parse(&text).with_context(|| format!("parse {}", path.display()))?;

    let mut violations = BTreeSet::new();
    let mut packages = BTreeSet::new();
    for target in policy.targets() {
        let metadata = MetadataCommand::new()
            .current_dir(workspace.root())
            .features(CargoOpt::AllFeatures)
            .other_options(["--filter-platform".to_owned(), target.clone()])
            .exec()
            .with_context(|| format!("run cargo metadata for {target}"))?;
        let graph = Graph::new(&metadata)?;
        violations.extend(policy.check(&graph));
        packages.extend(graph.ids());
    }
    if !violations.is_empty() {
        for violation in &violations {
            println!("{violation}");
        }
        bail!(
            "check dependencies: {} violations of deny.toml",
            violations.len()
        );
    }
    println!("{} packages keep to deny.toml", packages.len());
    Ok(())
}
