//! Each library alone, with default, no, all, and each single feature.
//!
//! Owns the matrix; must not know what a feature does. Cargo unifies the features of everything that is built together, so a
//! library that forgot a dependency's feature still builds inside the workspace. Here each is checked by itself.

use anyhow::{Context, Result};
use cargo_metadata::Package;
use xshell::cmd;

use crate::workspace::Workspace;

/// Checks the whole matrix, with warnings denied: a combination that leaves an import or a function unused is a fault too.
///
/// # Errors
///
/// The first combination that does not build.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    let mut checked = 0;
    for package in workspace.libraries() {
        let name = package.name.as_str();
        for arguments in combinations(package) {
            let shown = arguments.join(" ");
            // Clippy reports to us what `check` would, and can deny warnings without recompiling the dependencies.
            cmd!(
                sh,
                "cargo clippy --quiet --package {name} --lib {arguments...} -- -D warnings"
            )
            .quiet()
            .run()
            .with_context(|| format!("check {name} with features `{shown}`"))?;
            checked += 1;
        }
    }
    println!("{checked} combinations of features build");
    Ok(())
}

/// Returns the arguments of every combination that is checked.
fn combinations(package: &Package) -> Vec<Vec<String>> {
    let none = "--no-default-features".to_owned();
    let mut all = vec![
        vec![],
        vec![none.clone()],
        vec!["--all-features".to_owned()],
    ];
    let single = package.features.keys().filter(|name| *name != "default");
    all.extend(single.map(|name| vec![none.clone(), "--features".to_owned(), name.clone()]));
    all
}
