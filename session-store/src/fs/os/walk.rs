//! From the root down to a directory or a file, following no link: in one call where the kernel can, else step by step.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{DIRECTORY, check_component, retry};

/// Opens a directory below `root`; `None` for the root itself.
pub(super) fn walk(root: &OwnedFd, dir: &str) -> io::Result<Option<OwnedFd>> {
    if dir.is_empty() {
        return Ok(None);
    }
    if dir.contains('/')
        && let Some(fd) = in_one_call(root, dir, DIRECTORY, Mode::empty())?
    {
        return Ok(Some(fd));
    }
    let mut here: Option<OwnedFd> = None;
    for component in dir.split('/') {
        check_component(component)?;
        let parent = here.as_ref().unwrap_or(root);
        here = Some(retry(|| {
            rustix::fs::openat(parent, component, DIRECTORY, Mode::empty())
        })?);
    }
    Ok(here)
}

/// Opens a path of several components with one call; `None` where that cannot be done, or where the step-by-step way has
/// to say what is wrong.
pub(super) fn in_one_call(
    root: &OwnedFd,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> io::Result<Option<OwnedFd>> {
    path.split('/').try_for_each(check_component)?;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::ResolveFlags;

        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
        match rustix::io::retry_on_intr(|| rustix::fs::openat2(root, path, flags, mode, resolve)) {
            Ok(fd) => return Ok(Some(fd)),
            Err(Errno::NOENT) => return Err(Errno::NOENT.into()),
            Err(_) => {}
        }
    }
    let _ = (root, flags, mode, Errno::NOENT);
    Ok(None)
}
