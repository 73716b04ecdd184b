//! The resolved dependency graph as the policy needs it.
//!
//! Owns the translation from cargo's metadata, so that rules can be tested on graphs made by hand; must not know a rule.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, PackageId};

use crate::workspace::TOOL;

/// One package of the graph.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Where it was fetched from; `None` for a member of the workspace.
    pub(crate) source: Option<String>,
    /// The Rust version it asks for, as major and minor.
    pub(crate) rust: Option<(u64, u64)>,
    /// Names of the packages that depend on it directly.
    pub(crate) dependents: BTreeSet<String>,
    /// Whether a user of the libraries compiles it: reached from one without development dependencies.
    pub(crate) shipped: bool,
    /// Names of its dependencies that accept any version and are not members.
    pub(crate) wildcards: Vec<String>,
}

/// All packages, and the Rust version the workspace promises.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) promised_rust: Option<(u64, u64)>,
}

impl Graph {
    /// Translates cargo's answer.
    ///
    /// # Errors
    ///
    /// Metadata without a resolved graph.
    pub(crate) fn new(metadata: &Metadata) -> Result<Self> {
        let resolve = metadata
            .resolve
            .as_ref()
            .context("read metadata: no graph")?;
        let names: BTreeMap<&PackageId, &str> = metadata
            .packages
            .iter()
            .map(|package| (&package.id, package.name.as_str()))
            .collect();
        let mut dependents: BTreeMap<&PackageId, BTreeSet<String>> = BTreeMap::new();
        for node in &resolve.nodes {
            for dependency in &node.deps {
                let name = names.get(&node.id).copied().unwrap_or_default();
                dependents
                    .entry(&dependency.pkg)
                    .or_default()
                    .insert(name.to_owned());
            }
        }
        let shipped = shipped(metadata, &names)?;
        let promised_rust = metadata
            .workspace_packages()
            .iter()
            .filter_map(|package| package.rust_version.as_ref())
            .map(|version| (version.major, version.minor))
            .min();
        let nodes = metadata
            .packages
            .iter()
            .map(|package| Node {
                name: package.name.to_string(),
                version: package.version.to_string(),
                license: package.license.clone(),
                source: package.source.as_ref().map(|source| source.repr.clone()),
                rust: package.rust_version.as_ref().map(|v| (v.major, v.minor)),
                dependents: dependents.remove(&package.id).unwrap_or_default(),
                shipped: shipped.contains(&package.id),
                wildcards: wildcards(package),
            })
            .collect();
        Ok(Self {
            nodes,
            promised_rust,
        })
    }

    /// Returns a name with version for each package.
    pub(crate) fn ids(&self) -> impl Iterator<Item = String> {
        self.nodes.iter().map(Node::id)
    }
}

impl Node {
    /// Returns the name with the version.
    pub(crate) fn id(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// Only registry dependencies count: a member may depend on itself or a sibling by path alone.
fn wildcards(package: &cargo_metadata::Package) -> Vec<String> {
    if package.source.is_some() {
        return Vec::new();
    }
    let any = package.dependencies.iter();
    any.filter(|dependency| dependency.path.is_none() && dependency.req.to_string() == "*")
        .map(|dependency| dependency.name.clone())
        .collect()
}

fn shipped<'a>(
    metadata: &'a Metadata,
    names: &BTreeMap<&PackageId, &str>,
) -> Result<BTreeSet<&'a PackageId>> {
    let resolve = metadata
        .resolve
        .as_ref()
        .context("read metadata: no graph")?;
    let nodes: BTreeMap<&PackageId, _> =
        resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut open: Vec<&PackageId> = metadata
        .workspace_members
        .iter()
        .filter(|id| names.get(id).copied() != Some(TOOL))
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in nodes.get(id).into_iter().flat_map(|node| &node.deps) {
            let mut kinds = dependency.dep_kinds.iter();
            if kinds.any(|kind| kind.kind != DependencyKind::Development) {
                open.push(&dependency.pkg);
            }
        }
    }
    Ok(seen)
}
