//! The first bytes of a catalogue: what it is of, what proves it, and where its parts are.

use session_index::Stamp;

use super::bytes::Take;

/// How long a header is, in bytes.
pub(super) const HEADER: usize = 136;
/// The name and version of the layout.
const MAGIC: [u8; 8] = *b"sesscat2";

/// What a catalogue says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Which type of record, read under which limits, the rows are of.
    pub(crate) kind: u64,
    /// The stamp under which the catalogue is the whole truth; `None` where nothing proves that.
    pub(crate) stamp: Option<Stamp>,
    /// The run of the system that wrote it; 0 if that is not known.
    pub(crate) boot: u128,
    /// When the listing began that it was made of, in nanoseconds since the Unix epoch.
    pub(crate) since: i128,
}

/// Where the parts of a catalogue are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) rows: u64,
    pub(super) pages: u32,
    pub(super) notes_length: u32,
    pub(super) notes_crc: u32,
    pub(super) directory_at: u64,
    pub(super) directory_crc: u32,
}

pub(super) fn write(header: &Header, parts: &Parts) -> [u8; HEADER] {
    let stamp = header.stamp.unwrap_or(Stamp::new(0, 0, 0, 0, 0));
    let mut out = Vec::with_capacity(HEADER);
    out.extend(MAGIC);
    out.extend(u32::from(header.stamp.is_some()).to_le_bytes());
    out.extend(parts.notes_length.to_le_bytes());
    out.extend(parts.notes_crc.to_le_bytes());
    out.extend(parts.pages.to_le_bytes());
    out.extend(parts.rows.to_le_bytes());
    out.extend(header.kind.to_le_bytes());
    out.extend(header.boot.to_le_bytes());
    out.extend(stamp.device.to_le_bytes());
    out.extend(stamp.inode.to_le_bytes());
    out.extend(stamp.modified.to_le_bytes());
    out.extend(stamp.changed.to_le_bytes());
    out.extend(header.since.to_le_bytes());
    out.extend(parts.directory_at.to_le_bytes());
    out.extend(parts.directory_crc.to_le_bytes());
    out.extend(crc32fast::hash(&out).to_le_bytes());
    let mut fixed = [0; HEADER];
    fixed.copy_from_slice(&out);
    fixed
}

/// Reads a header back; `None` for anything else.
pub(super) fn read(bytes: &[u8]) -> Option<(Header, Parts)> {
    let (covered, crc) = bytes.get(..HEADER)?.split_last_chunk()?;
    if crc32fast::hash(covered) != u32::from_le_bytes(*crc) {
        return None;
    }
    let mut take = Take(covered);
    if take.array()? != MAGIC {
        return None;
    }
    let proven = match take.u32()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let notes_length = take.u32()?;
    let notes_crc = take.u32()?;
    let pages = take.u32()?;
    let rows = take.u64()?;
    let kind = take.u64()?;
    let boot = take.u128()?;
    let (device, inode) = (take.u64()?, take.u64()?);
    let stamp = Stamp::new(boot, device, inode, take.i128()?, take.i128()?);
    let header = Header {
        kind,
        stamp: proven.then_some(stamp),
        boot,
        since: take.i128()?,
    };
    let parts = Parts {
        rows,
        pages,
        notes_length,
        notes_crc,
        directory_at: take.u64()?,
        directory_crc: take.u32()?,
    };
    Some((header, parts))
}
