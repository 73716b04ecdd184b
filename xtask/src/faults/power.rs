//! Power cuts, shutdowns and failing disks under real file systems.
//!
//! Owns which disks are tried how, and the mutants that must be caught; must not know how a disk remembers, or what is right.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use session_store::Durability;

use super::disk::{self, Cut, Disk, Entry, Failing, Pages};
use super::event::allowed_after_cut;
use super::mounted::{KINDS, Kind, Mount, Served, command, exists};
use super::script::{self, Event, SCENARIOS, Scenario, State};
use super::tally::Tally;
use super::verify::{Run, Wrong, is_out_of_date, verify};
use crate::flags::Faults;

/// How many writes of a scenario fail, each in a run of its own. Neighbours are parts of one file more often than not.
const BROKEN_WRITES: usize = 8;

/// A file system with a place to make it in.
struct Lab<'a> {
    kind: &'a Kind,
    scratch: &'a Path,
    seed: u64,
    /// States in which a lookup would be out of date if the system had not been started since.
    out_of_date: Cell<usize>,
}

/// What a disk went through while a scenario ran.
struct Recording {
    base: Pages,
    last: Pages,
    size: u64,
    log: Vec<Entry>,
    from: State,
    events: Vec<Event>,
    failed: usize,
}

pub(crate) fn run(flags: &Faults) -> Result<()> {
    // The owner of a process's own directory is its effective user.
    ensure!(
        fs::metadata("/proc/self")?.uid() == 0,
        "run faults --root: file systems are mounted by root alone"
    );
    for (program, package) in [
        ("nbdfuse", "libnbd-bin"),
        ("losetup", "mount"),
        ("umount", "mount"),
    ] {
        ensure!(
            exists(program),
            "run {program}: not found; it is in the package {package} (apt-get install {package})"
        );
    }
    let scratch = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let (mut cuts, mut shutdowns, mut broken) =
        (Tally::default(), Tally::default(), Tally::default());
    let mut mutants = Mutants::default();
    for kind in KINDS
        .iter()
        .filter(|kind| flags.fs.as_deref().is_none_or(|name| name == kind.name))
    {
        if let Some(reason) = kind.missing() {
            println!("{}: skipped: {reason}", kind.name);
            continue;
        }
        let lab = Lab {
            kind,
            scratch: scratch.path(),
            seed: flags.seed.unwrap_or(1),
            out_of_date: Cell::new(0),
        };
        for scenario in SCENARIOS.iter().filter(|scenario| {
            let wanted = flags.filter.as_deref();
            wanted.is_none_or(|part| scenario.name.contains(part))
        }) {
            lab.cut(scenario, Durability::Full, &mut cuts)?;
            lab.shut_down(scenario, &mut shutdowns)?;
            lab.break_disk(scenario, &mut broken)?;
            let states = [&cuts, &shutdowns, &broken].map(|tally| tally.total().states());
            let [cut, shut, failed] = states;
            println!(
                "{} {}: so far {cut} power cuts, {shut} shutdowns, {failed} failing disks; lookups in {} states out of date until the system is started anew",
                kind.name,
                scenario.name,
                lab.out_of_date.take()
            );
        }
        mutants.run(&lab)?;
    }
    shutdowns.print("shutdowns");
    broken.print("failing disks");
    mutants.print();
    cuts.print("power cuts");
    let all = [&cuts, &shutdowns, &broken];
    for tally in all {
        tally.print_violations();
    }
    let wrong = all.map(|tally| tally.total().total_wrong());
    ensure!(
        wrong.iter().all(|wrong| *wrong == 0),
        "faults --root: {} violations",
        wrong.iter().sum::<usize>()
    );
    for (what, tally) in [("power cuts", &cuts), ("failing disks", &broken)] {
        ensure!(tally.total().injected > 0, "{what}: nothing was injected");
    }
    mutants.verdict()
}

impl Lab<'_> {
    /// Looks at every state that a power cut may leave.
    fn cut(&self, scenario: &Scenario, durability: Durability, tally: &mut Tally) -> Result<()> {
        let recording = self.record(scenario, durability, Failing::Never)?;
        ensure!(
            recording.events.len() >= 2 * scenario.steps.len(),
            "run {} on {}: fails unbroken: {:?}",
            scenario.name,
            self.kind.name,
            recording.events
        );
        let row = format!("{} {}", self.kind.name, scenario.name);
        let Recording {
            base, log, size, ..
        } = recording;
        disk::cuts(base, &log, self.seed, |cut| {
            let Cut { pages, told, place } = cut;
            let allowed = allowed_after_cut(recording.from, &told);
            tally.count(&row, || place, self.look(&pages, size, &allowed));
            Ok(())
        })
    }

    /// Runs a scenario on a disk that remembers.
    fn record(
        &self,
        scenario: &Scenario,
        durability: Durability,
        failing: Failing,
    ) -> Result<Recording> {
        let (image, from) = self.prepared(scenario)?;
        let disk = Disk::load(&image)?;
        let (base, size) = (disk.pages().clone(), disk.size());
        let disk = Arc::new(Mutex::new(disk));
        let served = Served::new(&disk, self.scratch)?;
        let mount = Mount::new(&served.image(), &self.scratch.join("recorded"))?;
        lock(&disk).fail(failing);
        let mut events = Vec::new();
        let ran = script::run(
            &mount.sessions(),
            scenario,
            durability,
            from,
            &mut |event| {
                events.push(event);
                lock(&disk).told(event);
            },
        );
        if failing == Failing::Never {
            ran?;
        }
        lock(&disk).fail(Failing::Never);
        mount.close()?;
        served.close()?;
        let mut disk = lock(&disk);
        Ok(Recording {
            base,
            last: disk.pages().clone(),
            size,
            log: disk.take_log(),
            from,
            events,
            failed: disk.failed(),
        })
    }

    /// Makes a file system with what a scenario starts from.
    fn prepared(&self, scenario: &Scenario) -> Result<(PathBuf, State)> {
        let image = self.scratch.join("image");
        self.kind.make(&image)?;
        let mount = Mount::new(&image, &self.scratch.join("prepared"))?;
        let from = script::prepare(&mount.sessions(), scenario)?;
        mount.close()?;
        Ok((image, from))
    }

    /// Mounts what a disk holds and looks at the store on it.
    fn look(
        &self,
        pages: &Pages,
        size: u64,
        allowed: &[State],
    ) -> Result<State, (Wrong, anyhow::Error)> {
        let image = self.scratch.join("state");
        disk::store(pages, size, &image)
            .context("write a state")
            .map_err(|error| (Wrong::Stuck, error))?;
        self.look_at(&image, allowed)
    }

    fn look_at(&self, image: &Path, allowed: &[State]) -> Result<State, (Wrong, anyhow::Error)> {
        let mount = Mount::new(image, &self.scratch.join("looked-at"))
            .map_err(|error| (Wrong::Unreadable, error))?;
        // What is wrong besides is said below.
        if is_out_of_date(&mount.sessions()).unwrap_or(false) {
            self.out_of_date.set(self.out_of_date.get() + 1);
        }
        let found = verify(&mount.sessions(), Run::Next, allowed);
        mount.close().map_err(|error| (Wrong::Stuck, error))?;
        found
    }

    /// Stops the file system after each event of a scenario, with its log as far as it got to the disk.
    fn shut_down(&self, scenario: &Scenario, tally: &mut Tally) -> Result<()> {
        if self.kind.name == "btrfs" {
            println!("btrfs {}: no shutdowns: it has no such call", scenario.name);
            return Ok(());
        }
        if !exists("xfs_io") {
            println!(
                "{} {}: no shutdowns: xfs_io not found; it is in xfsprogs",
                self.kind.name, scenario.name
            );
            return Ok(());
        }
        let row = format!("{} {}", self.kind.name, scenario.name);
        for at in 0..2 * scenario.steps.len() {
            let (image, from) = self.prepared(scenario)?;
            let mount = Mount::new(&image, &self.scratch.join("shut-down"))?;
            let (mut events, mut shut) = (Vec::new(), Ok(()));
            // From there on every step fails, and none may say otherwise.
            let _failed = script::run(
                &mount.sessions(),
                scenario,
                Durability::Full,
                from,
                &mut |event| {
                    if events.len() == at {
                        let mut shutdown = Command::new("xfs_io");
                        shut = command(shutdown.args(["-x", "-c", "shutdown"]).arg(mount.dir()));
                    }
                    events.push(event);
                },
            );
            shut?;
            mount.close()?;
            let allowed = allowed_after_cut(from, &events);
            let place = || format!("after event {at} of {events:?}");
            tally.count(&row, place, self.look_at(&image, &allowed));
        }
        Ok(())
    }

    /// Lets the disk refuse a write, and then all writes, while a scenario runs; mounts what it then holds.
    fn break_disk(&self, scenario: &Scenario, tally: &mut Tally) -> Result<()> {
        let row = format!("{} {}", self.kind.name, scenario.name);
        let whole = self.record(scenario, Durability::Full, Failing::Never)?;
        let is_write = |entry: &&Entry| matches!(entry, Entry::Write(_));
        let writes = whole.log.iter().filter(is_write).count();
        for after in (0..writes).step_by(writes.div_ceil(BROKEN_WRITES).max(1)) {
            for failing in [Failing::Once(after), Failing::FromThenOn(after + 1)] {
                let recording = self.record(scenario, Durability::Full, failing)?;
                if recording.failed == 0 {
                    continue;
                }
                let allowed = allowed_after_cut(recording.from, &recording.events);
                let found = self.look(&recording.last, recording.size, &allowed);
                let place = || format!("{failing:?}, {:?}", recording.events);
                tally.count(&row, place, found);
            }
        }
        Ok(())
    }
}

/// Stores that leave syncs out, of which a test that finds nothing tests nothing.
#[derive(Default)]
struct Mutants {
    ordered: Tally,
    process: Tally,
}

impl Mutants {
    fn run(&mut self, lab: &Lab<'_>) -> Result<()> {
        for scenario in SCENARIOS
            .iter()
            .filter(|scenario| ["save-new", "append"].contains(&scenario.name))
        {
            lab.cut(scenario, Durability::Ordered, &mut self.ordered)?;
            lab.cut(scenario, Durability::Process, &mut self.process)?;
        }
        Ok(())
    }

    fn print(&self) {
        self.ordered.print("mutant: no directory sync");
        self.process.print("mutant: no sync at all");
    }

    /// Both must be caught; and the one that syncs files must not have left anything unreadable.
    fn verdict(&self) -> Result<()> {
        let (ordered, process) = (self.ordered.total(), self.process.total());
        let count = |row: &super::tally::Row, wrong| row.wrong.get(&wrong).copied().unwrap_or(0);
        ensure!(
            count(&ordered, Wrong::Lost) > 0,
            "mutant without directory syncs: not caught"
        );
        ensure!(
            count(&process, Wrong::Lost) + count(&process, Wrong::Unreadable) > 0,
            "mutant without syncs: not caught"
        );
        ensure!(
            count(&ordered, Wrong::Unreadable) == 0,
            "without directory syncs: something is unreadable"
        );
        Ok(())
    }
}

fn lock(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}
