//! What became of the sessions of a directory that was moved, and the edit that moves one. Knows no files.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use session_codec::Revision;
use session_model::{SessionId, SessionMetadata};

use crate::repository::is_below;
use crate::{Error, Skipped};

/// Whether [`rebind`](crate::SessionStore::rebind) changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rebind {
    /// Says what would be done.
    DryRun,
    /// Does it.
    Apply,
}

/// What became of all sessions that named a moved directory.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rebinding {
    /// One entry a session that named the old directory or one below it, newest first.
    pub sessions: Vec<Rebound>,
    /// What is in the store and could not be read, so that it is not known where it belongs.
    pub skipped: Vec<Skipped>,
}

/// What became of one session.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rebound {
    /// The session.
    pub id: SessionId,
    /// The directory that it named.
    pub from: PathBuf,
    /// The directory that it names now, or would.
    pub to: PathBuf,
    /// The new revision, `None` in a dry run and where nothing is to be changed, or why the session is as it was.
    ///
    /// [`Error::NotDurable`] is the exception: it names the new directory, but a power cut may undo that.
    /// [`Error::Cancelled`] stands for all that was left when the call was [ended](crate::SessionStore::rebind_watched).
    pub outcome: Result<Option<Revision>, Error>,
}

/// Where a directory went that is `from` or below it, as it is written; `None` for all others.
pub(crate) fn moved(directory: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    if !is_below(directory, from) {
        return None;
    }
    let rest = directory.strip_prefix(from).ok()?;
    let is_itself = rest.as_os_str().is_empty();
    Some(if is_itself {
        to.to_owned()
    } else {
        to.join(rest)
    })
}

/// The JSON of a directory: its text, and the exact bytes where it is not UTF-8.
#[derive(Debug)]
pub(crate) struct DirectoryText {
    text: String,
    bytes: Option<String>,
}

impl DirectoryText {
    pub(crate) fn of(directory: &Path) -> Result<Self, serde_json::Error> {
        let metadata = SessionMetadata {
            directory: Some(directory.to_owned()),
            ..SessionMetadata::default()
        };
        let json = serde_json::to_string(&metadata)?;
        let mut of = Self {
            text: "null".to_owned(),
            bytes: None,
        };
        for (name, value) in members(&json)? {
            match name.as_str() {
                "directory" => value.get().clone_into(&mut of.text),
                "directory_bytes" => of.bytes = Some(value.get().to_owned()),
                _ => {}
            }
        }
        Ok(of)
    }

    /// The members of the object that holds the directory under a name, with the new one in its place: what is set, and
    /// what is removed.
    fn edits(&self, name: &str) -> [(String, Option<&str>); 2] {
        [
            (name.to_owned(), Some(self.text.as_str())),
            (format!("{name}_bytes"), self.bytes.as_deref()),
        ]
    }
}

/// Why a directory cannot be replaced in a document.
#[derive(Debug)]
pub(crate) enum NotThere {
    /// The path does not lead to one.
    Missing,
    /// A member on the way, or the directory itself, stands there twice.
    Twice,
    /// It is no JSON object.
    Json(serde_json::Error),
}

/// One change of a document's top-level members: a new value, or `None` to take the member out.
pub(crate) type TopEdit = (String, Option<String>);

/// Says how the top-level members of a document change when the directory at `path` does.
pub(crate) fn top_edits(
    json: &str,
    path: &[&str],
    directory: &DirectoryText,
) -> Result<Vec<TopEdit>, NotThere> {
    let (name, below) = path.split_first().ok_or(NotThere::Missing)?;
    if below.is_empty() {
        let edits = directory.edits(name).into_iter();
        return Ok(edits
            .map(|(name, value)| (name, value.map(str::to_owned)))
            .collect());
    }
    let value = only(&members(json).map_err(NotThere::Json)?, name)?;
    let edited = edited(value.get(), below, directory)?;
    Ok(vec![((*name).to_owned(), Some(edited))])
}

/// Writes an object anew with the directory at `path` replaced; every other value keeps its very text.
fn edited(json: &str, path: &[&str], directory: &DirectoryText) -> Result<String, NotThere> {
    let (name, below) = path.split_first().ok_or(NotThere::Missing)?;
    let all = members(json).map_err(NotThere::Json)?;
    let value = only(&all, name)?;
    let inner = if below.is_empty() {
        directory.text.clone()
    } else {
        edited(value.get(), below, directory)?
    };
    let [_, (bytes_name, bytes)] = directory.edits(name);
    let mut parts: Vec<(&str, &str)> = Vec::with_capacity(all.len() + 1);
    for (member, value) in &all {
        if member == name {
            parts.push((member, &inner));
            // Beside it, as a session writes it; the old one goes.
            if let Some(bytes) = bytes.filter(|_| below.is_empty()) {
                parts.push((&bytes_name, bytes));
            }
        } else if !below.is_empty() || *member != bytes_name {
            parts.push((member, value.get()));
        }
    }
    let mut out = String::from("{");
    for (at, (name, value)) in parts.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let name = serde_json::to_string(name).map_err(NotThere::Json)?;
        out.extend([comma, &name, ":", value]);
    }
    out.push('}');
    Ok(out)
}

fn only<'a>(members: &[(String, &'a RawValue)], name: &str) -> Result<&'a RawValue, NotThere> {
    let mut named = members.iter().filter(|(member, _)| member == name);
    let (_, value) = named.next().ok_or(NotThere::Missing)?;
    match named.next() {
        Some(_) => Err(NotThere::Twice),
        None => Ok(value),
    }
}

/// The members of an object in their order, values as they are written.
fn members(json: &str) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(json);
    let members = deserializer.deserialize_map(Members)?;
    deserializer.end()?;
    Ok(members)
}
