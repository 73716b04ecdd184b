//! Errors and kills at every system call, by strace, which sees those that no preloaded library does.
//!
//! Owns which call is broken how, and the processes; must not know the store's steps.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::calls::{self, Call};
use super::driver::BEGIN;
use super::event;
use super::script::{self, Event, SCENARIOS, Scenario, State};
use super::tally::Tally;
use super::verify::{Run, Wrong, verify};
use crate::flags::Faults;

/// How a call is broken, as strace is told it.
#[derive(Clone, Debug)]
struct Fault {
    call: Call,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Kill,
    Once(&'static str),
    FromThenOn(&'static str),
}

/// How calls are broken: the process dies there, or one error, or one that lasts.
const KINDS: [&str; 3] = ["kill", "once", "lasting"];

impl Fault {
    fn expression(&self) -> String {
        let Call { name, nth } = &self.call;
        match self.how {
            How::Kill => format!("inject={name}:signal=SIGKILL:when={nth}"),
            How::Once(error) => format!("inject={name}:error={error}:when={nth}"),
            How::FromThenOn(error) => format!("inject={name}:error={error}:when={nth}+"),
        }
    }

    fn kind(&self) -> &'static str {
        match self.how {
            How::Kill => "kill",
            How::Once(_) => "once",
            How::FromThenOn(_) => "lasting",
        }
    }
}

/// How a driver ended.
struct Ended {
    killed: bool,
    injected: bool,
    success: bool,
    events: Vec<Event>,
    says: String,
}

/// A scenario with everything that its runs need.
struct Bench<'a> {
    scenario: &'a Scenario,
    program: PathBuf,
    scratch: &'a Path,
    prepared: PathBuf,
    from: State,
    only: Option<&'a str>,
}

pub(crate) fn run(flags: &Faults) -> Result<()> {
    if Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        bail!("run strace: not found; it is in the package of that name (apt-get install strace)");
    }
    // What is under a store does not matter here, so it may be memory, where syncs cost nothing.
    if let Some(kind) = &flags.kind {
        ensure!(
            KINDS.contains(&kind.as_str()),
            "run faults --kind {kind}: no such kind, there are {}",
            KINDS.join(", ")
        );
    }
    let scratch = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let mut tally = Tally::default();
    for scenario in SCENARIOS {
        if flags
            .filter
            .as_ref()
            .is_some_and(|part| !scenario.name.contains(part.as_str()))
        {
            continue;
        }
        let prepared = scratch.path().join(scenario.name);
        let bench = Bench {
            scenario,
            program: std::env::current_exe()?,
            scratch: scratch.path(),
            from: script::prepare(&prepared, scenario)?,
            prepared,
            only: flags.kind.as_deref(),
        };
        bench.run(&mut tally)?;
    }
    println!(
        "power cuts and failing disks: skipped, as they need root and `cargo xtask faults --root`"
    );
    tally.verdict("system calls")
}

impl Bench<'_> {
    fn run(&self, tally: &mut Tally) -> Result<()> {
        let calls = self.calls()?;
        let mut faults = faults(&calls);
        faults.retain(|fault| self.wants(fault.kind()));
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(tally));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|worker| {
                    let (faults, next, tally) = (&faults, &next, &tally);
                    scope.spawn(move || -> Result<()> {
                        let place = self.scratch.join(worker.to_string());
                        fs::create_dir_all(&place)?;
                        while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                            self.inject(fault, &place, tally)?;
                        }
                        Ok(())
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| bail!("run {}: a worker panicked", self.scenario.name))
            })
        })?;
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in KINDS.iter().filter(|kind| self.wants(kind)) {
            let row = format!("{} {kind}", self.scenario.name);
            ensure!(tally.row(&row).injected > 0, "{row}: nothing was injected");
        }
        Ok(())
    }

    fn wants(&self, kind: &str) -> bool {
        self.only.is_none_or(|only| only == kind)
    }

    /// Breaks one call of one run, and looks at what is left.
    fn inject(&self, fault: &Fault, place: &Path, tally: &Mutex<&mut Tally>) -> Result<()> {
        let dir = self.copy(place)?;
        let ended = self.drive(place, &dir, Some(fault))?;
        // A call that is not made this time, as an allocation came out otherwise.
        if !ended.injected {
            return Ok(());
        }
        let row = format!("{} {}", self.scenario.name, fault.kind());
        let found = judge(&ended, fault)
            .and_then(|()| verify(&dir, Run::Same, &event::allowed(self.from, &ended.events)));
        let told = || {
            let events: Vec<String> = ended.events.iter().map(Event::to_string).collect();
            format!("{}, {}", fault.expression(), events.join(", "))
        };
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.count(&row, told, found);
        Ok(())
    }

    /// The calls of a run that nothing is done to, which must be right.
    fn calls(&self) -> Result<Vec<Call>> {
        let dir = self.copy(self.scratch)?;
        let ended = self.drive(self.scratch, &dir, None)?;
        ensure!(
            ended.success && !ended.events.is_empty(),
            "run {}: fails unbroken: {}",
            self.scenario.name,
            ended.says
        );
        verify(&dir, Run::Same, &event::allowed(self.from, &ended.events))
            .map_err(|(_, error)| error)
            .with_context(|| format!("verify {} unbroken", self.scenario.name))?;
        let trace = fs::read_to_string(self.scratch.join("trace"))?;
        let (calls, threads) = calls::read(&trace, BEGIN);
        println!(
            "{}: {} system calls, {} of them about files; {threads} threads beside the first, left alone",
            self.scenario.name,
            calls.len(),
            calls
                .iter()
                .filter(|call| !calls::errors(&call.name).is_empty())
                .count()
        );
        Ok(calls)
    }

    fn copy(&self, place: &Path) -> Result<PathBuf> {
        let dir = place.join("run");
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        copy_tree(&self.prepared, &dir)?;
        Ok(dir)
    }

    fn drive(&self, place: &Path, dir: &Path, fault: Option<&Fault>) -> Result<Ended> {
        let (socket, trace) = (place.join("reports"), place.join("trace"));
        let _ = fs::remove_file(&socket);
        let reports = UnixDatagram::bind(&socket)?;
        reports.set_read_timeout(Some(Duration::from_millis(2)))?;
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o"]).arg(&trace);
        if let Some(fault) = fault {
            strace
                .arg(format!("-etrace={}", fault.call.name))
                .arg(format!("-e{}", fault.expression()));
            // Stopping at no other calls is faster, but then strace sends no signals.
            if !matches!(fault.how, How::Kill) {
                strace.arg("--seccomp-bpf");
            }
        }
        let mut child = strace
            .arg(&self.program)
            .args(["fault-driver", "--scenario", self.scenario.name])
            .arg("--dir")
            .arg(dir)
            .arg("--reports")
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("run strace")?;
        let (mut events, mut ended) = (Vec::new(), false);
        // A socket holds few reports that nobody takes; those of a driver that has ended are all there.
        while !ended {
            ended = child.try_wait()?.is_some();
            take(&reports, &mut events)?;
        }
        let output = child.wait_with_output()?;
        let killed = output.status.signal() == Some(9);
        let injected = killed || fs::read_to_string(&trace)?.contains("(INJECTED)");
        Ok(Ended {
            killed,
            injected,
            success: output.status.success(),
            events,
            says: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// Takes the reports that are there, or come within a moment.
fn take(reports: &UnixDatagram, events: &mut Vec<Event>) -> Result<()> {
    let mut buffer = [0; 64];
    while let Ok(length) = reports.recv(&mut buffer) {
        let text = std::str::from_utf8(&buffer[..length])?;
        if text != BEGIN {
            events.push(text.parse()?);
        }
    }
    Ok(())
}

/// A kill at every call; every error of a call that is about files, and of those one that lasts.
fn faults(calls: &[Call]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for call in calls {
        let errors = calls::errors(&call.name);
        let once = errors.iter().map(|error| How::Once(error));
        let lasting = errors.first().map(|error| How::FromThenOn(error));
        // Reports are not the store's.
        let kill = (call.name != "sendto").then_some(How::Kill);
        for how in kill.into_iter().chain(once).chain(lasting) {
            faults.push(Fault {
                call: call.clone(),
                how,
            });
        }
    }
    faults
}

/// A driver ends well, or is killed, or says why its store does not open; it does not panic.
fn judge(ended: &Ended, fault: &Fault) -> Result<(), (Wrong, anyhow::Error)> {
    let fine = match fault.how {
        How::Kill => ended.killed,
        How::Once(_) | How::FromThenOn(_) => ended.success || ended.says.starts_with("error: "),
    };
    if !fine {
        return Err((Wrong::Stuck, anyhow::anyhow!("{}", ended.says.trim())));
    }
    // Whatever fails once works when it is tried again.
    let settled = |event: &Event| !matches!(event, Event::Try(_));
    if matches!(fault.how, How::Once(_))
        && matches!(
            ended.events.iter().rev().find(|event| settled(event)),
            Some(Event::Failed(_)) | None
        )
    {
        return Err((Wrong::Stuck, anyhow::anyhow!("failed twice")));
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}
