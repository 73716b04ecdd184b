//! A disk for the kernel that is memory of this process: the server's side of the network block device protocol.
//!
//! Owns the bytes on the socket; must not know what the disk remembers of them. The client is `nbdfuse`, which shows the
//! disk as a file that a loop device can sit on: a flush of the file system above arrives here as a flush.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};

use super::disk::{Disk, SIZE_LIMIT};

const MAGIC: u64 = 0x4e42_444d_4147_4943;
const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
const OPTION_REPLY: u64 = 0x0003_e889_0455_65a9;
const REQUEST: u32 = 0x2560_9513;
const REPLY: u32 = 0x6744_6698;

const FIXED_NEWSTYLE: u16 = 1;
const NO_ZEROES: u16 = 2;
/// The flags of the export: there are flags, and flushes are understood.
const EXPORT_FLAGS: u16 = 1 | 4;

const EXPORT_NAME: u32 = 1;
const ABORT: u32 = 2;
const INFO: u32 = 6;
const GO: u32 = 7;
const ACKNOWLEDGED: u32 = 1;
const INFORMATION: u32 = 3;
const UNSUPPORTED: u32 = (1 << 31) + 1;

/// The longest option that is read; the names of exports are shorter.
const LONGEST_OPTION: u32 = 1 << 16;

const EIO: u32 = 5;

/// Serves every connection in a thread of its own, until the listener fails.
pub(crate) fn serve(listener: UnixListener, disk: Arc<Mutex<Disk>>) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), disk) = (stream, Arc::clone(&disk)) else {
                return;
            };
            // A client that leaves in the middle has left; what it wrote is on the disk.
            std::thread::spawn(move || talk(stream, &disk));
        }
    });
}

fn talk(mut stream: UnixStream, disk: &Mutex<Disk>) -> io::Result<()> {
    let size = lock(disk).size();
    if !greet(&mut stream, size)? {
        return Ok(());
    }
    loop {
        if u32::from_be_bytes(read(&mut stream)?) != REQUEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let _flags: [u8; 2] = read(&mut stream)?;
        let kind = u16::from_be_bytes(read(&mut stream)?);
        let cookie: [u8; 8] = read(&mut stream)?;
        let offset = u64::from_be_bytes(read(&mut stream)?);
        let length = u32::from_be_bytes(read(&mut stream)?);
        if u64::from(length) > SIZE_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut data = Vec::new();
        let done = match kind {
            0 => {
                data = lock(disk).read(offset, length as usize);
                true
            }
            1 => {
                let mut bytes = vec![0; length as usize];
                stream.read_exact(&mut bytes)?;
                lock(disk).write(offset, &bytes)
            }
            2 => return Ok(()),
            3 => lock(disk).flush(),
            _ => false,
        };
        let mut reply = Vec::with_capacity(16 + data.len());
        reply.extend(REPLY.to_be_bytes());
        reply.extend(if done { 0_u32 } else { EIO }.to_be_bytes());
        reply.extend(cookie);
        reply.extend(data);
        stream.write_all(&reply)?;
    }
}

/// Settles what is served; `false` if the client does not want it.
fn greet(stream: &mut UnixStream, size: u64) -> io::Result<bool> {
    let mut hello = MAGIC.to_be_bytes().to_vec();
    hello.extend(OPTION_MAGIC.to_be_bytes());
    hello.extend((FIXED_NEWSTYLE | NO_ZEROES).to_be_bytes());
    stream.write_all(&hello)?;
    let client = u32::from_be_bytes(read(stream)?);
    let zeroes = client & u32::from(NO_ZEROES) == 0;
    loop {
        if u64::from_be_bytes(read(stream)?) != OPTION_MAGIC {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let option = u32::from_be_bytes(read(stream)?);
        let length = u32::from_be_bytes(read(stream)?);
        if length > LONGEST_OPTION {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut name = vec![0; length as usize];
        stream.read_exact(&mut name)?;
        match option {
            EXPORT_NAME => {
                let mut answer = size.to_be_bytes().to_vec();
                answer.extend(EXPORT_FLAGS.to_be_bytes());
                answer.resize(answer.len() + if zeroes { 124 } else { 0 }, 0);
                stream.write_all(&answer)?;
                return Ok(true);
            }
            GO | INFO => {
                let mut information = 0_u16.to_be_bytes().to_vec();
                information.extend(size.to_be_bytes());
                information.extend(EXPORT_FLAGS.to_be_bytes());
                answer(stream, option, INFORMATION, &information)?;
                answer(stream, option, ACKNOWLEDGED, &[])?;
                if option == GO {
                    return Ok(true);
                }
            }
            ABORT => {
                answer(stream, option, ACKNOWLEDGED, &[])?;
                return Ok(false);
            }
            _ => answer(stream, option, UNSUPPORTED, &[])?,
        }
    }
}

fn answer(stream: &mut UnixStream, option: u32, kind: u32, data: &[u8]) -> io::Result<()> {
    let mut reply = OPTION_REPLY.to_be_bytes().to_vec();
    reply.extend(option.to_be_bytes());
    reply.extend(kind.to_be_bytes());
    reply.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    reply.extend(data);
    stream.write_all(&reply)
}

fn read<const N: usize>(stream: &mut UnixStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn lock(disk: &Mutex<Disk>) -> std::sync::MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}
