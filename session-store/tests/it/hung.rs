//! Directories on a file system that never answers cost a query a bounded wait, and hide no sessions but their own.
//!
//! The file system is a FUSE mount whose server never reads a request. Mounting needs root and `/dev/fuse`; without them
//! the test says so and ends.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use session_store::{
    IndexKind, LastQuery, Query, Scope, SearchQuery, Session, SessionStore, SkipReason, Skipped,
};

use crate::support::{Scratch, moment, session};

/// A mount point at which every call waits until this goes.
struct Hung {
    point: PathBuf,
    done: Option<Sender<()>>,
    watch: Option<JoinHandle<bool>>,
}

impl Hung {
    fn mount(point: PathBuf) -> Option<Self> {
        let device = File::options()
            .read(true)
            .write(true)
            .open("/dev/fuse")
            .ok()?;
        let options = format!(
            "fd={},rootmode=40000,user_id=0,group_id=0",
            device.as_raw_fd()
        );
        let options = std::ffi::CString::new(options).ok()?;
        mount(
            "hung",
            &point,
            "fuse",
            MountFlags::empty(),
            Some(options.as_c_str()),
        )
        .ok()?;
        let (done, wait) = mpsc::channel();
        // Closing the device ends every wait with an error, so that a lookup without a deadline fails the test instead of
        // hanging it.
        let watch = thread::spawn(move || {
            let gave_up =
                wait.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout);
            drop(device);
            gave_up
        });
        Some(Self {
            point,
            done: Some(done),
            watch: Some(watch),
        })
    }

    /// Lets everybody go; true if somebody waited for the mount without a deadline.
    fn release(&mut self) -> bool {
        drop(self.done.take());
        let gave_up = self
            .watch
            .take()
            .is_some_and(|watch| watch.join().unwrap_or(true));
        let _ = unmount(&self.point, UnmountFlags::DETACH);
        gave_up
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        self.release();
    }
}

fn store(scratch: &Scratch, index: IndexKind) -> SessionStore {
    SessionStore::builder(scratch.sessions())
        .index(index)
        .resolve_deadline(Duration::from_millis(50))
        .open()
        .unwrap()
}

/// How many sessions could not be told.
fn unresolved(skipped: &[Skipped]) -> usize {
    let reasons = skipped.iter().map(|skipped| &skipped.reason);
    reasons
        .filter(|reason| matches!(reason, SkipReason::Unresolved { .. }))
        .count()
}

/// Looks for a directory: what is found, and how many sessions could not be told.
fn look(store: &SessionStore, asked: &Path) -> (Option<String>, usize) {
    let found = store.find_last(&LastQuery::new().workspace(asked)).unwrap();
    let unresolved = unresolved(&found.skipped);
    (
        found.session.map(|session| session.id.to_string()),
        unresolved,
    )
}

#[test]
fn a_mount_that_never_answers_hides_only_its_own_sessions() {
    let scratch = Scratch::new();
    let point = scratch.workspace("mount");
    let here = scratch.workspace("here");
    let there = scratch.workspace("there");
    let dead = point.join("project");
    for (name, directory, at) in [
        ("oldest", &there, 1),
        ("wanted", &here, 2),
        ("dead-1", &dead, 3),
        ("dead-2", &point.join("another"), 4),
        ("newest", &there, 5),
    ] {
        scratch.write_foreign(&session(name, directory, 1, at));
        scratch.touch(&format!("{name}.json"), moment(at));
    }
    let Some(mut hung) = Hung::mount(point) else {
        println!("not run: a FUSE mount needs root and /dev/fuse");
        return;
    };
    for index in [IndexKind::None, IndexKind::Sidecar] {
        let store = store(&scratch, index);
        assert_eq!(look(&store, &here), (Some("wanted".to_owned()), 2));
        assert_eq!(look(&store, &there), (Some("newest".to_owned()), 0));
        // Asked as written, no file system has to be asked; the other sessions may lie there under another name.
        assert_eq!(look(&store, &dead).0, Some("dead-1".to_owned()));
    }
    assert!(!hung.release(), "a lookup waited until the mount was gone");
}

#[test]
fn three_dead_directories_hide_no_session_that_is_elsewhere() {
    let scratch = Scratch::new();
    let point = scratch.workspace("mount");
    let there = scratch.workspace("there");
    let here = scratch.workspace("here");
    // The kernel follows this link only where it may wait, so that it is as one that nobody has asked for yet.
    let link = Path::new("/proc/self/root").join(here.strip_prefix("/").unwrap());
    let write = |name: &str, directory: &Path, at| {
        scratch.write_foreign(&session(name, directory, 1, at));
        scratch.touch(&format!("{name}.json"), moment(at));
    };
    write("older", &here, 1);
    write("wanted", &link, 2);
    for n in 0..8 {
        write(&format!("dead-{n}"), &point.join(n.to_string()), 3 + n);
    }
    std::os::unix::fs::symlink(&point, scratch.path().join("away")).unwrap();
    write("dead-8", &scratch.path().join("away/8"), 20);
    let Some(mut hung) = Hung::mount(point) else {
        println!("not run: a FUSE mount needs root and /dev/fuse");
        return;
    };
    // Long, as an answer is due: only the first query waits it out, and the others know that the mount is waited for.
    let store = SessionStore::<Session>::builder(scratch.sessions())
        .resolve_deadline(Duration::from_secs(5))
        .open()
        .unwrap();
    // More queries than threads may be stuck.
    for _ in 0..5 {
        for (scope, found) in [
            (Scope::Exact, "wanted"),
            (Scope::Below, "wanted"),
            (Scope::Repository, "wanted"),
            (Scope::All, "dead-8"),
        ] {
            let of_scope = if scope == Scope::All { 11 } else { 2 };
            let lost = 11 - of_scope;
            let query = LastQuery::new().workspace(&here).scope(scope);
            let newest = store.find_last(&query).unwrap();
            assert_eq!(newest.session.unwrap().id.as_str(), found, "{scope:?}");
            let query = Query::new().workspace(&here).scope(scope);
            let listing = store.list(&query).unwrap();
            assert_eq!(listing.rows.len(), of_scope, "{scope:?}");
            assert_eq!(unresolved(&listing.skipped), lost, "{scope:?}");
            let query = SearchQuery::text("message").workspace(&here).scope(scope);
            let mut hits = store.search(&query).unwrap();
            assert_eq!(hits.by_ref().count(), of_scope, "{scope:?}");
            assert_eq!(unresolved(&hits.take_skipped()), lost, "{scope:?}");
        }
        assert_eq!(look(&store, &there).0, None);
    }
    assert!(!hung.release(), "a query waited until the mount was gone");
}
