//! The index's storage in a directory, and the crate's only file-system module. Knows names and bytes; what they mean is
//! not its business.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::gate::WAIT;
use crate::stamp::Watch;
use crate::storage::{IndexStorage, StorageLock};

const LOCK: &str = ".index.lock";
/// There is one writer at a time, so one name does; what a dead writer left under it is removed by the next.
const TEMPORARY: &str = ".index.tmp";
/// The pause between two attempts to take the lock: a change takes well under a millisecond without syncs and a few with
/// them, so waiting starts short and soon stops costing a core.
const PAUSES: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(5));

/// What a change to the storage survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Files and the directory are synced: survives a power cut.
    #[default]
    Full,
    /// Nothing is synced: survives the death of the process only. After a power cut entries may be old, or damaged, which
    /// an index tells from sound ones.
    Process,
}

/// Keeps the blobs of an index as files of one directory.
///
/// The directory appears with the first change. It and its missing parents are made with mode 0700, files with 0600.
/// Names that are links, directories or pipes are errors, and never followed nor waited for. The lock is an advisory lock
/// of the whole file `.index.lock`, which is never removed; where the file system has none, changes fail and lookups work.
///
/// A process that dies leaves one temporary file at most, which the next [`replace`](IndexStorage::replace) removes. So a
/// directory must not be written by anybody who does not hold the lock. It watches no directory: an index on it proves
/// nothing.
#[derive(Debug)]
pub struct DirStorage {
    directory: PathBuf,
    wait: Duration,
    durability: Durability,
}

impl DirStorage {
    /// Makes a storage in `directory`, which need not exist, and touches nothing yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self {
            directory,
            wait: WAIT,
            durability: Durability::default(),
        }
    }

    /// Sets how long [`lock`](IndexStorage::lock) waits for another writer; the default is 10 seconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sets what a change survives; the default is [`Durability::Full`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Returns the directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.bytes().all(plain) && !["", ".", ".."].contains(&name) {
            return Ok(self.directory.join(name));
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a plain name",
        ))
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        // Elsewhere a directory cannot be opened as a file, and a rename is as durable as the system makes it.
        if cfg!(unix) && self.durability == Durability::Full {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    }

    fn create_directory(&self) -> io::Result<()> {
        let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let missing = self
            .directory
            .ancestors()
            .take_while(missing)
            .collect::<Vec<_>>();
        for directory in missing.into_iter().rev() {
            match make_directory(directory) {
                // Somebody else was faster, which is what was wanted.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => result?,
            }
            let parent = directory
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            self.sync_directory(parent.unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }

    fn open_lock(&self) -> io::Result<File> {
        let path = self.directory.join(LOCK);
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        loop {
            match open(&mut options, &path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => return result,
            }
            self.create_directory()?;
            let mut created = options.clone();
            match open(private(created.create_new(true)), &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Ok(file) => {
                    set_private(&file)?;
                    return Ok(file);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Watch for DirStorage {}

impl IndexStorage for DirStorage {
    fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match open(OpenOptions::new().read(true), &self.path(name)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result?,
        };
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(limit);
        // One byte more than the length, so that the end is seen without growing the buffer.
        let mut bytes = Vec::with_capacity(length.saturating_add(1).min(limit));
        file.take(u64::try_from(limit).unwrap_or(u64::MAX))
            .read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name)?;
        let temporary = self.directory.join(TEMPORARY);
        let mut file = create_temporary(&temporary)?;
        let filled = file.write_all(bytes).and_then(|()| {
            if self.durability == Durability::Full {
                file.sync_all()?;
            }
            fs::rename(&temporary, path)
        });
        if filled.is_err() {
            // What cannot be removed now is removed by the next writer.
            let _ = fs::remove_file(&temporary);
        }
        filled?;
        self.sync_directory(&self.directory)
    }

    fn overwrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.durability == Durability::Full {
            return self.replace(name, bytes);
        }
        let path = self.path(name)?;
        let mut options = OpenOptions::new();
        let mut file = match open(options.write(true), &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = open(private(options.create_new(true)), &path)?;
                set_private(&file)?;
                file
            }
            result => result?,
        };
        let longer = file.metadata()?.len() > bytes.len() as u64;
        file.write_all(bytes)?;
        if longer {
            file.set_len(bytes.len() as u64)?;
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            result => result?,
        }
        self.sync_directory(&self.directory)?;
        Ok(true)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        // Names of the index are text.
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(io::Result::transpose).collect()
    }

    fn lock(&self) -> io::Result<StorageLock<'_>> {
        let started = Instant::now();
        let file = self.open_lock()?;
        let (mut pause, longest) = PAUSES;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let left = self.wait.saturating_sub(started.elapsed());
                    if left.is_zero() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    sleep(pause.min(left));
                    pause = longest.min(pause * 2);
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        // Closing the file releases the lock.
        Ok(StorageLock::new(file))
    }
}

/// Creates the one temporary, after removing what a writer that died left of it.
fn create_temporary(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let file = match open(private(&mut options), path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            open(private(&mut options), path)
        }
        result => result,
    }?;
    set_private(&file)?;
    Ok(file)
}

/// Opens a regular file, and neither follows a link nor waits for the other end of a pipe.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;

        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "not a regular file",
    ))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Gives the mode that the umask may have taken from it.
#[cfg(unix)]
fn set_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn set_private(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    fs::DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}
