//! The part of deny.toml that is enforced here, and the rules it states.
//!
//! Owns the meaning of each key; must not know where the graph comes from. A key that this does not know is an error, so that
//! nobody believes in a rule that nothing checks.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use crate::deps::graph::{Graph, Node};

/// Licences, bans and sources that the workspace accepts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Policy {
    graph: GraphPolicy,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GraphPolicy {
    targets: Vec<String>,
    all_features: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Exception {
    #[serde(rename = "crate")]
    package: String,
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    multiple_versions: Level,
    wildcards: Level,
    /// Ours always; the key is cargo-deny's.
    allow_wildcard_paths: bool,
    deny: Vec<Ban>,
    skip: Vec<Skip>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    package: String,
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Skip {
    /// `name@major`.
    #[serde(rename = "crate")]
    package: String,
    /// Not read here, but a skip without a reason is refused.
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    unknown_registry: Level,
    unknown_git: Level,
    allow_registry: Vec<String>,
    allow_git: Vec<String>,
}

/// Only what fails is written in the policy: a warning that nobody reads is no rule.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Deny,
}

impl Policy {
    /// Reads the policy.
    ///
    /// # Errors
    ///
    /// A key or value that is not enforced here, or an unknown licence.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let policy: Self = toml::from_str(text)?;
        let Level::Deny = policy.bans.multiple_versions;
        let Level::Deny = policy.bans.wildcards;
        let Level::Deny = policy.sources.unknown_registry;
        let Level::Deny = policy.sources.unknown_git;
        ensure!(
            policy.graph.all_features && policy.bans.allow_wildcard_paths,
            "all-features and allow-wildcard-paths must be true"
        );
        for name in policy.licenses.all() {
            licensee(name)?;
        }
        Ok(policy)
    }

    /// Returns the platforms whose graphs are checked.
    pub(crate) fn targets(&self) -> &[String] {
        &self.graph.targets
    }

    /// Returns a sentence for each violation.
    pub(crate) fn check(&self, graph: &Graph) -> Vec<String> {
        let mut found = Vec::new();
        for node in &graph.nodes {
            found.extend(self.check_license(node));
            found.extend(self.check_ban(node));
            found.extend(self.check_source(node));
            found.extend(check_rust(node, graph.promised_rust));
            let any = node.wildcards.iter();
            found.extend(
                any.map(|name| format!("{}: {name} is required at any version", node.id())),
            );
        }
        found.extend(self.check_versions(&graph.nodes));
        found
    }

    fn check_license(&self, node: &Node) -> Option<String> {
        let Some(license) = &node.license else {
            return Some(format!("{}: states no licence", node.id()));
        };
        let expression = match Expression::parse_mode(license, ParseMode::LAX) {
            Ok(expression) => expression,
            Err(error) => {
                return Some(format!(
                    "{}: licence {license}: {}",
                    node.id(),
                    error.reason
                ));
            }
        };
        let exceptions = self.licenses.exceptions.iter();
        let extra = exceptions
            .filter(|exception| exception.package == node.name)
            .flat_map(|exception| &exception.allow);
        let allowed: Vec<Licensee> = self
            .licenses
            .allow
            .iter()
            .chain(extra)
            .filter_map(|name| licensee(name).ok())
            .collect();
        let permitted = expression.evaluate(|term| allowed.iter().any(|one| one.satisfies(term)));
        (!permitted).then(|| format!("{}: licence {license} is not allowed", node.id()))
    }

    fn check_ban(&self, node: &Node) -> Option<String> {
        let ban = self.bans.deny.iter().find(|ban| ban.package == node.name)?;
        let through: Vec<&str> = node
            .dependents
            .iter()
            .map(String::as_str)
            .filter(|name| !ban.wrappers.iter().any(|wrapper| wrapper == name))
            .collect();
        let permitted = !ban.wrappers.is_empty() && through.is_empty();
        (!permitted).then(|| {
            let through = through.join(", ");
            format!("{}: banned ({}), used by {through}", node.id(), ban.reason)
        })
    }

    fn check_source(&self, node: &Node) -> Option<String> {
        let source = node.source.as_deref()?;
        let (kind, address) = source.split_once('+').unwrap_or(("", source));
        let allowed = match kind {
            "registry" | "sparse" => &self.sources.allow_registry,
            _ => &self.sources.allow_git,
        };
        let known = allowed.iter().any(|one| one == address);
        (!known).then(|| format!("{}: source {source} is not allowed", node.id()))
    }

    fn check_versions(&self, nodes: &[Node]) -> Vec<String> {
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in nodes {
            let skipped = self.bans.skip.iter().any(|skip| skip.covers(node));
            if !skipped {
                versions.entry(&node.name).or_default().push(&node.version);
            }
        }
        versions
            .into_iter()
            .filter(|(_, versions)| versions.len() > 1)
            .map(|(name, versions)| format!("{name}: in several versions, {}", versions.join(", ")))
            .collect()
    }
}

impl Licenses {
    fn all(&self) -> impl Iterator<Item = &str> {
        let exceptions = self
            .exceptions
            .iter()
            .flat_map(|exception| &exception.allow);
        self.allow.iter().chain(exceptions).map(String::as_str)
    }
}

impl Skip {
    fn covers(&self, node: &Node) -> bool {
        let (name, version) = self.package.split_once('@').unwrap_or((&self.package, ""));
        let numbers = node.version.strip_prefix(version);
        name == node.name && numbers.is_some_and(|rest| version.is_empty() || rest.starts_with('.'))
    }
}

fn licensee(name: &str) -> Result<Licensee> {
    Licensee::parse(name).with_context(|| format!("read licence {name}"))
}

/// What a user compiles must build with the Rust version that is promised to them; tests and tools may use a newer one.
fn check_rust(node: &Node, promised: Option<(u64, u64)>) -> Option<String> {
    let needed = node.rust.filter(|_| node.shipped)?;
    (needed > promised?).then(|| {
        let (major, minor) = needed;
        format!(
            "{}: needs Rust {major}.{minor}, newer than the one promised",
            node.id()
        )
    })
}

#[cfg(test)]
mod tests;
