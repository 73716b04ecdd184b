//! File systems that break P21, each of which the promise's tests must catch: modes that are too wide, links that are
//! followed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use session_store::backend::{Backend, DirBackend, Trust};
use session_store::fs::{
    AppendFile, DirEntry, FileLock, FileStat, FileSystem, OpenBlob, OsFs, WriteFile,
};

use crate::backend::{all_is_private, caught, no_link_is_followed};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    PublicFiles,
    PublicLocks,
    PublicDirectories,
    FollowsLinks,
}

/// The real file system, used carelessly.
#[derive(Debug)]
struct Careless {
    inner: OsFs,
    kind: Kind,
}

impl Careless {
    fn open(dir: &Path, kind: Kind) -> Box<dyn Backend> {
        let inner = OsFs::new(dir);
        let backend = DirBackend::with_file_system(Self { inner, kind }, Trust::strict());
        Box::new(backend.expect("open"))
    }

    /// Where a name is, and the directory that it is in: the real one, whatever links lead there.
    fn place(&self, path: &str) -> (OsFs, String) {
        let whole = self.inner.root().join(path);
        if self.kind == Kind::FollowsLinks
            && let (Some(parent), Some(name)) = (whole.parent(), whole.file_name())
            && let Ok(parent) = parent.canonicalize()
        {
            return (OsFs::new(parent), name.to_string_lossy().into_owned());
        }
        (OsFs::new(self.inner.root()), path.to_owned())
    }

    fn widen(&self, path: &str, kind: Kind, mode: u32) -> io::Result<()> {
        if self.kind == kind {
            fs::set_permissions(self.file(path), fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    fn file(&self, path: &str) -> PathBuf {
        self.inner.root().join(path)
    }
}

impl FileSystem for Careless {
    fn root(&self) -> &Path {
        self.inner.root()
    }
    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        let (fs, path) = self.place(path);
        fs.stat(&path)
    }
    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        self.inner.list(dir, wanted)
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        let (fs, path) = self.place(path);
        fs.open(&path)
    }
    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        let (fs, name) = self.place(path);
        let file = fs.create_new(&name, mode)?;
        self.widen(path, Kind::PublicFiles, 0o644)?;
        Ok(file)
    }
    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        let (fs, path) = self.place(path);
        fs.open_append(&path)
    }
    fn sync_file(&self, path: &str) -> io::Result<()> {
        let (fs, path) = self.place(path);
        fs.sync_file(&path)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.kind == Kind::FollowsLinks {
            return fs::rename(self.file(from), self.file(to));
        }
        self.inner.rename(from, to)
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename_new(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<bool> {
        let (fs, path) = self.place(path);
        fs.remove(&path)
    }
    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        if self.kind == Kind::FollowsLinks && self.file(dir).is_dir() {
            return Ok(false);
        }
        let made = self.inner.make_dir(dir)?;
        self.widen(dir, Kind::PublicDirectories, 0o755)?;
        Ok(made)
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        if self.kind == Kind::FollowsLinks {
            return fs::File::open(self.file(dir))?.sync_all();
        }
        self.inner.sync_dir(dir)
    }
    fn sync_root_entry(&self) -> io::Result<()> {
        self.inner.sync_root_entry()
    }
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        let (fs, name) = self.place(path);
        let lock = fs.try_lock(&name)?;
        self.widen(path, Kind::PublicLocks, 0o640)?;
        Ok(lock)
    }
}

#[test]
fn modes_that_are_too_wide_are_caught() {
    all_is_private(&|dir| Careless::open(dir, Kind::None));
    for kind in [
        Kind::PublicFiles,
        Kind::PublicLocks,
        Kind::PublicDirectories,
    ] {
        caught(&format!("{kind:?}"), || {
            all_is_private(&|dir| Careless::open(dir, kind));
        });
    }
}

#[test]
fn a_file_system_that_follows_links_is_caught() {
    no_link_is_followed(&|dir| Careless::open(dir, Kind::None));
    caught("following links", || {
        no_link_is_followed(&|dir| Careless::open(dir, Kind::FollowsLinks));
    });
}
