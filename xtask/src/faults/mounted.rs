//! File systems made and mounted for a moment, each undone when its guard goes.
//!
//! Owns the programs that do this; must not know what is done on them.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::disk::Disk;
use super::nbd;

/// A file system that a power cut is tried on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The smallest disk that its program makes one on.
    pub(crate) megabytes: u64,
    make: &'static [&'static str],
    /// Where the program is found.
    package: &'static str,
}

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "ext4",
        megabytes: 24,
        make: &["mkfs.ext4", "-q", "-F"],
        package: "e2fsprogs",
    },
    Kind {
        name: "xfs",
        megabytes: 300,
        make: &["mkfs.xfs", "-q", "-f"],
        package: "xfsprogs",
    },
    Kind {
        name: "btrfs",
        megabytes: 128,
        make: &["mkfs.btrfs", "-q", "-f"],
        package: "btrfs-progs",
    },
];

impl Kind {
    /// Why it cannot be tried here, if it cannot.
    pub(crate) fn missing(&self) -> Option<String> {
        let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
        let name = self.name;
        if !known.lines().any(|line| line.trim() == name) {
            return Some(format!("this kernel has no {name}"));
        }
        let program = self.make[0];
        (!exists(program)).then(|| format!("{program} not found; it is in {}", self.package))
    }

    /// Makes an empty file system in a new file.
    pub(crate) fn make(&self, image: &Path) -> Result<()> {
        let file = fs::File::create(image)?;
        file.set_len(self.megabytes << 20)?;
        let (program, arguments) = self.make.split_first().context("no program")?;
        command(Command::new(program).args(arguments).arg(image))
    }
}

/// Whether a program can be started.
pub(crate) fn exists(program: &str) -> bool {
    ["/usr/sbin", "/sbin"]
        .iter()
        .map(PathBuf::from)
        .chain(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ))
        .any(|dir| dir.join(program).is_file())
}

/// Runs a program to its end.
pub(crate) fn command(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {name}"))?;
    if !output.status.success() {
        bail!(
            "run {name}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// A mounted file system, unmounted when this goes.
#[derive(Debug)]
pub(crate) struct Mount {
    dir: PathBuf,
}

impl Mount {
    /// Mounts the file system in a file or on a device.
    pub(crate) fn new(image: &Path, dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        command(
            Command::new("mount")
                .args(["-o", "loop"])
                .arg(image)
                .arg(dir),
        )?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// The sessions directory on it.
    pub(crate) fn sessions(&self) -> PathBuf {
        self.dir.join("sessions")
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Unmounts, and says if that could not be done.
    pub(crate) fn close(self) -> Result<()> {
        let dir = self.dir.clone();
        std::mem::forget(self);
        unmount(&dir)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // What matters has failed already, or is told by `close`.
        let _ = unmount(&self.dir);
    }
}

fn unmount(dir: &Path) -> Result<()> {
    let mut last = Ok(());
    // Somebody who looks at all mounts, such as an indexer, may be at it for a moment.
    for _ in 0..50 {
        last = command(Command::new("umount").arg(dir));
        if last.is_ok() {
            return last;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    last
}

/// A disk of this process as a file, on which file systems can be mounted.
#[derive(Debug)]
pub(crate) struct Served {
    client: Child,
    dir: PathBuf,
}

impl Served {
    pub(crate) fn new(disk: &Arc<Mutex<Disk>>, scratch: &Path) -> Result<Self> {
        let (socket, dir) = (scratch.join("nbd"), scratch.join("disk"));
        let _ = fs::remove_file(&socket);
        fs::create_dir_all(&dir)?;
        nbd::serve(UnixListener::bind(&socket)?, Arc::clone(disk));
        let client = Command::new("nbdfuse")
            .arg(&dir)
            .arg("--unix")
            .arg(&socket)
            // It repeats every error that the disk is made to answer.
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("run nbdfuse")?;
        let served = Self { client, dir };
        for _ in 0..250 {
            if served.image().is_file() {
                return Ok(served);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("run nbdfuse: its file does not appear")
    }

    /// The file that is the disk.
    pub(crate) fn image(&self) -> PathBuf {
        self.dir.join("nbd")
    }

    pub(crate) fn close(mut self) -> Result<()> {
        unmount(&self.dir)?;
        let status = self.client.wait()?;
        ensure!(status.success(), "run nbdfuse: {status}");
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Ok(None) = self.client.try_wait() {
            let _ = unmount(&self.dir);
            let _ = self.client.wait();
        }
    }
}
