//! A directory on a file system that never answers costs a lookup a bounded wait, and nothing else.
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
use session_store::{IndexKind, LastQuery, SessionStore, SkipReason};

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

/// Looks for a directory: what is found, and how many sessions could not be told.
fn look(store: &SessionStore, asked: &Path) -> (Option<String>, usize) {
    let found = store.find_last(&LastQuery::new().workspace(asked)).unwrap();
    let unresolved = |reason: &SkipReason| matches!(reason, SkipReason::Unresolved { .. });
    let unresolved = found
        .skipped
        .iter()
        .filter(|skipped| unresolved(&skipped.reason));
    let unresolved = unresolved.count();
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
