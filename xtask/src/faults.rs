//! Real faults on real file systems: errors and kills at every system call, power cuts, disks that fail under a sync.
//!
//! Owns the two tiers' reports and their gate. What is done to the store, what breaks it, and what is looked at afterwards
//! are modules of their own that do not know each other.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod driver;
#[cfg(target_os = "linux")]
mod event;
#[cfg(target_os = "linux")]
mod inject;
#[cfg(target_os = "linux")]
mod mounted;
#[cfg(target_os = "linux")]
mod nbd;
#[cfg(target_os = "linux")]
mod power;
#[cfg(target_os = "linux")]
mod script;
#[cfg(target_os = "linux")]
mod tally;
#[cfg(target_os = "linux")]
mod verify;

use anyhow::Result;

use crate::flags;

/// Runs a tier.
///
/// # Errors
///
/// Violations, of which the first are printed; a tier that injected nothing; a tool that is missing.
#[cfg(target_os = "linux")]
pub(crate) fn run(flags: &flags::Faults) -> Result<()> {
    if flags.root {
        power::run(flags)
    } else {
        inject::run(flags)
    }
}

/// Runs one scenario in this process, for a tier that breaks it from outside.
#[cfg(target_os = "linux")]
pub(crate) fn drive(flags: &flags::FaultDriver) -> Result<()> {
    driver::run(flags)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_: &flags::Faults) -> Result<()> {
    anyhow::bail!(
        "run faults: strace and loop devices are Linux's; `cargo test` runs the tier that needs neither"
    )
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn drive(_: &flags::FaultDriver) -> Result<()> {
    anyhow::bail!("run a fault driver: Linux only")
}
