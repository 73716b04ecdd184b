//! Where the workspace is and which members it has, as `cargo metadata` says.
//!
//! Owns the one call of `cargo metadata` for members and the shell that runs in the root; must not know any rule.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};
use xshell::Shell;

/// The tool's own name: the member that is no library.
pub(crate) const TOOL: &str = "xtask";

/// The workspace that this tool was built in.
pub(crate) struct Workspace {
    root: PathBuf,
    metadata: Metadata,
}

impl Workspace {
    /// Finds the workspace above this crate's manifest and asks cargo for its members.
    pub(crate) fn discover() -> Result<Self> {
        // `cargo run` sets the variable, so that a clone uses its own tree even where two clones share a target directory.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .with_context(|| format!("find workspace above {}: no parent", manifest.display()))?
            .to_path_buf();
        let metadata = MetadataCommand::new()
            .current_dir(&root)
            .no_deps()
            .exec()
            .with_context(|| format!("run cargo metadata in {}", root.display()))?;
        Ok(Self { root, metadata })
    }

    /// Returns the directory of the root manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the directory that cargo builds in.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// Returns what cargo says of the members, without their dependencies resolved.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns the members that are libraries: all but this tool.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &Package> {
        self.metadata
            .packages
            .iter()
            .filter(|package| package.name.as_str() != TOOL)
    }

    /// Returns a shell whose current directory is the root.
    pub(crate) fn shell(&self) -> Result<Shell> {
        let shell = Shell::new().context("open shell")?;
        shell.change_dir(&self.root);
        Ok(shell)
    }
}

/// Returns how many targets of one kind a package has.
pub(crate) fn count_targets(package: &Package, kind: &TargetKind) -> usize {
    let targets = package.targets.iter();
    targets.filter(|target| target.kind.contains(kind)).count()
}
