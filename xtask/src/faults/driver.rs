//! The process that is interrupted: one scenario, whose events leave it before anything else can happen to it.
//!
//! Owns how events leave; must not know which call is about to fail.

use std::os::unix::net::UnixDatagram;

use anyhow::{Context, Result};
use session_store::Durability;

use super::script::{self, Event, SCENARIOS, State};
use crate::flags::FaultDriver;

/// What is sent first: system calls from here on are the scenario's.
pub(crate) const BEGIN: &str = "begin";

/// Runs the scenario, starting from a directory that was prepared.
pub(crate) fn run(flags: &FaultDriver) -> Result<()> {
    let scenario = SCENARIOS
        .iter()
        .find(|scenario| scenario.name == flags.scenario)
        .with_context(|| format!("find scenario {}", flags.scenario))?;
    let from = scenario
        .prepare
        .iter()
        .fold(State::default(), |state, step| script::after(state, *step));
    // Sending to an address is a call that the store never makes, so that no fault of the store's calls hits a report.
    let reports = UnixDatagram::unbound()?;
    reports.send_to(BEGIN.as_bytes(), &flags.reports)?;
    let mut sent = Ok(0);
    let mut tell =
        |event: Event| sent = reports.send_to(event.to_string().as_bytes(), &flags.reports);
    script::run(&flags.dir, scenario, Durability::Full, from, &mut tell)?;
    sent.map(drop).context("send a report")
}
