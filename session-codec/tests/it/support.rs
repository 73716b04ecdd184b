//! Readers that count or dribble, and the oracle of a window. Owns helpers.

use std::{
    io,
    path::PathBuf,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use serde_json::Value;
use session_codec::{ReadAt, TailCap};

/// Counts the calls and bytes of random access.
#[derive(Debug, Default)]
pub(crate) struct Counting<R> {
    pub(crate) inner: R,
    pub(crate) calls: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

impl<R> Counting<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            calls: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl<R: ReadAt> ReadAt for Counting<R> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.inner.read_at(buf, offset)?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}

/// Gives few bytes at a time, and interruptions between.
#[derive(Debug)]
pub(crate) struct Dribble<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at_once: usize,
    pub(crate) calls: AtomicUsize,
}

impl<'a> Dribble<'a> {
    pub(crate) fn new(bytes: &'a [u8], at_once: usize) -> Self {
        Self {
            bytes,
            at_once,
            calls: AtomicUsize::new(0),
        }
    }

    fn interrupt(&self) -> io::Result<()> {
        if self.calls.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }
}

impl ReadAt for Dribble<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.interrupt()?;
        let room = buf.len().min(self.at_once);
        self.bytes.read_at(&mut buf[..room], offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.bytes.size()
    }
}

impl io::Read for Dribble<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.interrupt()?;
        let room = buf.len().min(self.at_once).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(room);
        buf[..room].copy_from_slice(now);
        self.bytes = later;
        Ok(room)
    }
}

/// Decodes everything and keeps the last elements: what a tail must equal.
/// Returns the value with what was dropped of each capped array.
pub(crate) fn oracle(json: &[u8], cap: &TailCap) -> Result<(Value, Vec<u64>), serde_json::Error> {
    let mut value: Value = serde_json::from_slice(json)?;
    let mut dropped = Vec::new();
    if let Value::Object(members) = &mut value {
        members.remove("session_footer");
    }
    for (name, keep) in cap.arrays() {
        let array = value
            .as_object_mut()
            .and_then(|o| o.get_mut(name))
            .and_then(Value::as_array_mut);
        dropped.push(array.map_or(0, |array| {
            let gone = array.len().saturating_sub(keep);
            array.drain(..gone);
            gone as u64
        }));
    }
    Ok((value, dropped))
}

/// Returns the directory of the large corpora if there is one.
pub(crate) fn corpora() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora");
    let path = std::env::var_os("SESSION_CORPORA").map_or_else(|| beside.into(), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    {
        println!("skipped: no corpora at {}", path.display());
    }
    None
}

/// Returns all files below a directory, in order.
pub(crate) fn files(directory: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
