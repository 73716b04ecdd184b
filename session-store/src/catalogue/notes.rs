//! What a catalogue says besides its rows: who has to be looked at again, and which names are no sessions.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use session_model::SessionId;

use super::bytes::Take;
use super::joined::Joined;
use crate::backend::FileKind;

/// A name that is no session, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unlisted {
    pub(crate) name: OsString,
    /// What it is instead of a file; `None` if only the name is wrong.
    pub(crate) kind: Option<FileKind>,
}

/// What stands beside the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Sessions that have no row, because they could not be read or their stamps prove nothing yet.
    pub(crate) unsettled: Vec<SessionId>,
    /// Names that are no sessions.
    pub(crate) unlisted: Vec<Unlisted>,
    /// Sessions that have a journal.
    pub(crate) joined: Vec<Joined>,
}

impl Notes {
    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        out.extend(u32::try_from(self.unsettled.len()).ok()?.to_le_bytes());
        out.extend(u32::try_from(self.unlisted.len()).ok()?.to_le_bytes());
        out.extend(u32::try_from(self.joined.len()).ok()?.to_le_bytes());
        for id in &self.unsettled {
            out.push(u8::try_from(id.as_str().len()).ok()?);
            out.extend(id.as_str().as_bytes());
        }
        for unlisted in &self.unlisted {
            out.push(unlisted.kind.map_or(Some(0), code)?);
            let name = unlisted.name.as_bytes();
            out.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
            out.extend(name);
        }
        for joined in &self.joined {
            joined.write(&mut out)?;
        }
        Some(out)
    }

    /// Reads notes back. Memory is bounded by the bytes that are there, not by the numbers they state.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut take = Take(bytes);
        let (unsettled, unlisted, joined) = (take.u32()?, take.u32()?, take.u32()?);
        let mut notes = Self::default();
        for _ in 0..unsettled {
            let length = usize::from(take.u8()?);
            let id = std::str::from_utf8(take.bytes(length)?).ok()?;
            notes.unsettled.push(SessionId::new(id).ok()?);
        }
        for _ in 0..unlisted {
            let kind = match take.u8()? {
                0 => None,
                code => Some(kind(code)?),
            };
            let length = usize::from(take.u16()?);
            let name = OsStr::from_bytes(take.bytes(length)?).to_owned();
            notes.unlisted.push(Unlisted { name, kind });
        }
        for _ in 0..joined {
            notes.joined.push(Joined::read(&mut take)?);
        }
        take.0.is_empty().then_some(notes)
    }
}

/// The kinds in the order of their codes, which begin at 1.
const KINDS: [FileKind; 6] = [
    FileKind::Directory,
    FileKind::Fifo,
    FileKind::Symlink,
    FileKind::Socket,
    FileKind::Device,
    FileKind::Unknown,
];

fn code(kind: FileKind) -> Option<u8> {
    let at = KINDS.iter().position(|known| *known == kind)?;
    u8::try_from(at + 1).ok()
}

fn kind(code: u8) -> Option<FileKind> {
    KINDS.get(usize::from(code).checked_sub(1)?).copied()
}
