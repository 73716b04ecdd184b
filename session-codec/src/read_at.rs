//! Random access to a document's bytes. Owns the trait and its implementations
//! for std types; must not know JSON.

use std::{io, sync::Arc};

/// Bytes with a length that can be read at any offset, by several threads.
///
/// ```
/// use session_codec::ReadAt;
///
/// let bytes: &[u8] = b"hello";
/// let mut buf = [0; 2];
/// assert_eq!(bytes.read_at(&mut buf, 4)?, 1);
/// assert_eq!(buf[0], b'o');
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ReadAt: Send + Sync {
    /// Reads up to `buf.len()` bytes from `offset` on and says how many came;
    /// 0 means that `offset` is at or past the end, or that `buf` is empty.
    ///
    /// # Errors
    ///
    /// What the medium says; nothing is promised about `buf` then.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Returns the length in bytes.
    ///
    /// # Errors
    ///
    /// What the medium says.
    fn size(&self) -> io::Result<u64>;

    /// Reads from `offset` on until `buf` is full or there is no more, and says
    /// how many bytes came.
    ///
    /// # Errors
    ///
    /// What the medium says; nothing is promised about `buf` then.
    fn fill_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.read_at(&mut buf[filled..], offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if there are fewer bytes, else what the medium says.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        match self.fill_at(buf, offset)? {
            filled if filled < buf.len() => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Reads everything there is at the time of the call.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` if the size fits no allocation, else what the medium says.
    fn read_all(&self) -> io::Result<Vec<u8>> {
        // One byte more than the size, so that the end is seen without another
        // allocation and a file that grew is still read whole.
        let size = usize::try_from(self.size()?).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let room = size.checked_add(1).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(room)
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        bytes.resize(room, 0);
        let mut filled = self.fill_at(&mut bytes, 0)?;
        while filled == bytes.len() {
            bytes.resize(filled * 2, 0);
            filled += self.fill_at(&mut bytes[filled..], filled as u64)?;
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

// A store keeps readers of several kinds behind one pointer.
const _: Option<&dyn ReadAt> = None;

impl ReadAt for [u8] {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|from| self.get(from..))
            .unwrap_or(&[]);
        let read = rest.len().min(buf.len());
        buf[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl<const N: usize> ReadAt for [u8; N] {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buf, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.as_slice().size()
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buf, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.as_slice().size()
    }
}

#[cfg(any(unix, windows))]
impl ReadAt for std::fs::File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(self, buf, offset);
        // This one moves the file's cursor, which nothing here uses.
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(self, buf, offset);
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: ReadAt + ?Sized> ReadAt for $pointer {
            fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
                (**self).read_at(buf, offset)
            }

            fn size(&self) -> io::Result<u64> {
                (**self).size()
            }

            fn fill_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
                (**self).fill_at(buf, offset)
            }

            fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
                (**self).read_exact_at(buf, offset)
            }

            fn read_all(&self) -> io::Result<Vec<u8>> {
                (**self).read_all()
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);
