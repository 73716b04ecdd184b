//! A shared file system is a file system.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{
    AppendFile, DirEntry, DirName, FileLock, FileStat, FileSystem, OpenBlob, Witness, WriteFile,
};

impl<F: FileSystem + ?Sized> FileSystem for Arc<F> {
    fn root(&self) -> &Path {
        (**self).root()
    }
    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        (**self).stat(path)
    }
    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        (**self).list(dir, wanted)
    }
    fn names(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirName>>> {
        (**self).names(dir, wanted)
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        (**self).open(path)
    }
    fn overwrite(&self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        (**self).overwrite(path, mode, bytes)
    }
    fn witness(&self) -> Option<Witness> {
        (**self).witness()
    }
    fn now(&self) -> i128 {
        (**self).now()
    }
    fn open_listed(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        (**self).open_listed(path)
    }
    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        (**self).create_new(path, mode)
    }
    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        (**self).open_append(path)
    }
    fn sync_file(&self, path: &str) -> io::Result<()> {
        (**self).sync_file(path)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        (**self).rename(from, to)
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        (**self).rename_new(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<bool> {
        (**self).remove(path)
    }
    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        (**self).make_dir(dir)
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        (**self).sync_dir(dir)
    }
    fn touch_dir(&self, dir: &str) -> io::Result<()> {
        (**self).touch_dir(dir)
    }
    fn sync_root_entry(&self) -> io::Result<()> {
        (**self).sync_root_entry()
    }
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        (**self).try_lock(path)
    }
    fn turns(&self, path: &str) -> io::Result<Option<Box<dyn OpenBlob>>> {
        (**self).turns(path)
    }
}
