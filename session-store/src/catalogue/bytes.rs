//! Numbers and texts out of bytes that anybody may have written. Nothing here panics or allocates.

use crate::backend::BlobStat;

/// What is left of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Take<'a>(pub(super) &'a [u8]);

impl<'a> Take<'a> {
    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn i128(&mut self) -> Option<i128> {
        self.array().map(i128::from_le_bytes)
    }

    pub(super) fn stat(&mut self) -> Option<BlobStat> {
        let (device, inode, size) = (self.u64()?, self.u64()?, self.u64()?);
        Some(BlobStat::new(
            device,
            inode,
            size,
            self.i128()?,
            self.i128()?,
        ))
    }
}

/// Writes what is read back with [`Take::stat`].
pub(super) fn put_stat(out: &mut Vec<u8>, stat: &BlobStat) {
    out.extend(stat.device.to_le_bytes());
    out.extend(stat.inode.to_le_bytes());
    out.extend(stat.size.to_le_bytes());
    out.extend(stat.modified.to_le_bytes());
    out.extend(stat.changed.to_le_bytes());
}

/// A length that fits, as it is written.
pub(super) fn length(bytes: usize) -> Option<[u8; 4]> {
    u32::try_from(bytes).ok().map(u32::to_le_bytes)
}

/// A stored length as one of memory.
pub(super) fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
