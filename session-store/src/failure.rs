//! Turns the lower layers' errors into the store's, with the path they lack.

use std::path::Path;

use session_codec::LimitKind;

use crate::Error;

/// Says of which file the codec complains, and what was being done with it.
pub(crate) fn from_codec(op: &'static str, path: &Path, error: session_codec::Error) -> Error {
    let path = path.to_owned();
    match error {
        session_codec::Error::Io(source) => Error::Io { op, path, source },
        session_codec::Error::Limit { what, limit, .. } => Error::TooLarge {
            path,
            what: limited(what),
            limit,
        },
        session_codec::Error::Refused { reason, .. } => Error::Refused {
            path,
            reason: reason.to_string(),
        },
        session_codec::Error::Syntax { offset, reason, .. }
        | session_codec::Error::Data { offset, reason, .. } => Error::Corrupt {
            path,
            offset: Some(offset),
            reason,
        },
        other => Error::Corrupt {
            path,
            offset: other.offset(),
            reason: other.to_string(),
        },
    }
}

/// A header whose members are JSON but do not make an object; the text of the parser's error may quote content.
pub(crate) fn from_header(path: &Path, error: &serde_json::Error) -> Error {
    let reason = if error.is_syntax() {
        "header is not JSON"
    } else {
        "header does not fit"
    };
    Error::Corrupt {
        path: path.to_owned(),
        offset: None,
        reason: reason.to_owned(),
    }
}

fn limited(what: LimitKind) -> &'static str {
    match what {
        LimitKind::ElementBytes => "element bytes",
        LimitKind::Depth => "depth",
        LimitKind::Members => "members",
        LimitKind::KeptBytes => "kept bytes",
        _ => "size",
    }
}

/// The error of something that a call does first: that it is there and may not last says nothing of the call itself, of which
/// nothing is to be seen.
pub(crate) fn beforehand(error: Error) -> Error {
    match error {
        Error::NotDurable { path, source } => Error::io("sync", &path, source),
        other => other,
    }
}
