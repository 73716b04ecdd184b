//! A crate outside the workspace that depends on one library only.
//!
//! Owns the scratch crates under the target directory and the question what came along; must not know what a library offers.
//! Each lower crate promises to be useful alone, so a user of one must not compile the others.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};
use xshell::{Shell, cmd};

use crate::workspace::Workspace;

/// The facade, which is expected to bring all the others.
const FACADE: &str = "session-store";

/// Builds one consumer a library, with its default and with all its features, and compares what it pulls in.
///
/// # Errors
///
/// A consumer that does not build offline, or that has more or fewer members of this workspace in its graph than promised.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    let members: BTreeSet<String> = workspace
        .metadata()
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    for package in workspace.libraries() {
        let name = package.name.as_str();
        let expected: BTreeSet<String> = if name == FACADE {
            workspace.libraries().map(|p| p.name.to_string()).collect()
        } else {
            BTreeSet::from([name.to_owned()])
        };
        let dir = workspace.target().join("xtask/consumers").join(name);
        write_consumer(&sh, workspace, package, &dir)?;
        for features in ["--no-default-features", "--all-features"] {
            check(&sh, workspace, &dir, features)
                .with_context(|| format!("check a consumer of {name} {features}"))?;
        }
        let found = members_in(&resolve(&dir)?, &members);
        ensure!(
            found == expected,
            "check a consumer of {name}: it pulls in {found:?}, promised is {expected:?}"
        );
    }
    println!("each library builds in a crate of its own, and brings only what is promised");
    Ok(())
}

/// Writes the scratch crate: one dependency by path, its features passed through, and a source that uses it.
fn write_consumer(sh: &Shell, workspace: &Workspace, package: &Package, dir: &Path) -> Result<()> {
    let manifest = manifest(package, workspace.root());
    let source = format!(
        "//! A consumer of one library of the workspace.\npub use {}::*;\n",
        package.name.replace('-', "_")
    );
    let failed = || format!("write {}", dir.display());
    sh.write_file(dir.join("Cargo.toml"), manifest)
        .with_context(failed)?;
    sh.write_file(dir.join("src/lib.rs"), source)
        .with_context(failed)?;
    // The workspace's lock file makes the consumer use the versions that are already on this machine.
    sh.copy_file(workspace.root().join("Cargo.lock"), dir.join("Cargo.lock"))
        .with_context(failed)
}

fn manifest(package: &Package, root: &Path) -> String {
    let name = package.name.as_str();
    let features: Vec<String> = package
        .features
        .keys()
        .filter(|feature| *feature != "default")
        .map(|feature| format!("{feature} = [\"{name}/{feature}\"]"))
        .collect();
    let features = features.join("\n");
    // A JSON string is a TOML string too.
    let path = serde_json::Value::from(root.join(name).to_string_lossy());
    format!(
        "[package]\nname = \"consumer-of-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [workspace]\n\n[dependencies]\n{name} = {{ path = {path} }}\n\n[features]\n{features}\n"
    )
}

fn check(sh: &Shell, workspace: &Workspace, dir: &Path, features: &str) -> Result<()> {
    let target = workspace.target();
    let manifest = dir.join("Cargo.toml");
    cmd!(
        sh,
        "cargo check --quiet --offline --target-dir {target} --manifest-path {manifest} {features}"
    )
    .quiet()
    .run()
    .context("run cargo check")
}

fn resolve(dir: &Path) -> Result<Metadata> {
    MetadataCommand::new()
        .current_dir(dir)
        .features(CargoOpt::AllFeatures)
        .other_options([
            "--offline".to_owned(),
            "--filter-platform".to_owned(),
            host()?,
        ])
        .exec()
        .with_context(|| format!("run cargo metadata in {}", dir.display()))
}

/// Returns the triple that this compiler builds for, as only its dependencies are sure to be on this machine.
fn host() -> Result<String> {
    let sh = Shell::new().context("open shell")?;
    let text = cmd!(sh, "rustc -vV")
        .quiet()
        .read()
        .context("run rustc -vV")?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("run rustc -vV: it names no host")
}

fn members_in(graph: &Metadata, members: &BTreeSet<String>) -> BTreeSet<String> {
    let names = graph
        .packages
        .iter()
        .map(|package| package.name.to_string());
    names.filter(|name| members.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_names_one_dependency_and_passes_its_features_on() {
        let workspace = Workspace::discover().unwrap();
        let codec = workspace
            .libraries()
            .find(|package| package.name == "session-codec")
            .unwrap();
        let text = manifest(codec, Path::new("/a \"quoted\" root"));
        let parsed: toml::Table = text.parse().unwrap();
        let dependencies = parsed["dependencies"].as_table().unwrap();
        assert_eq!(dependencies.len(), 1);
        assert_eq!(
            dependencies["session-codec"]["path"].as_str().unwrap(),
            "/a \"quoted\" root/session-codec"
        );
        let features = parsed["features"].as_table().unwrap();
        assert_eq!(
            features["testing"].as_array().unwrap()[0].as_str(),
            Some("session-codec/testing")
        );
    }

    #[test]
    fn a_second_member_in_the_graph_is_seen() {
        let workspace = Workspace::discover().unwrap();
        let members = BTreeSet::from(["session-model".to_owned(), "session-codec".to_owned()]);
        // The workspace itself stands in for a consumer that pulled in a sibling.
        assert_eq!(members_in(workspace.metadata(), &members), members);
    }
}
