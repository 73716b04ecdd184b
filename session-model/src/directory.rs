//! Owns the text form of a path that may not be UTF-8. Never asks the file system.
//!
//! A path that is UTF-8 is one string. Another is two members: its lossy text, which any tool can
//! show, and beside it `directory_bytes` with the exact bytes in padded base64. On reading, the bytes
//! count only if they are not UTF-8 and their lossy text is the string; a tool that changed the
//! string and did not know of the bytes therefore wins.

use std::path::{Path, PathBuf};

use crate::RawJson;

/// The member that holds the exact bytes.
pub(crate) const BYTES_MEMBER: &str = "directory_bytes";

/// Returns the path of the exact bytes, if they belong to `text`.
pub(crate) fn honoured(text: &str, raw: &RawJson) -> Option<PathBuf> {
    exact(text, &raw.parse::<String>().ok()?)
}

#[cfg(unix)]
pub(crate) fn exact(text: &str, encoded: &str) -> Option<PathBuf> {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let bytes = STANDARD.decode(encoded).ok()?;
    let belongs = std::str::from_utf8(&bytes).is_err() && String::from_utf8_lossy(&bytes) == text;
    belongs.then(|| PathBuf::from(OsString::from_vec(bytes)))
}

/// Returns the base64 of a path that is not UTF-8.
#[cfg(unix)]
pub(crate) fn encoded(path: &Path) -> Option<String> {
    use std::os::unix::ffi::OsStrExt;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    path.to_str()
        .is_none()
        .then(|| STANDARD.encode(path.as_os_str().as_bytes()))
}

// Elsewhere a path is not bytes, and its lossy text is all that is kept.
#[cfg(not(unix))]
pub(crate) fn exact(_text: &str, _encoded: &str) -> Option<PathBuf> {
    None
}

#[cfg(not(unix))]
pub(crate) fn encoded(_path: &Path) -> Option<String> {
    None
}
