//! The first bytes of a document, read once for everybody who wants them, and a header that stands in them.
//!
//! Owns what is certain of a header from one page. Whatever is not certain is left to the codec and the model, which are exact
//! and slower.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use session_codec::{Glance, ReadAt, plain_text};
use session_model::SessionRecord;

use super::{PLACE, shown};
use crate::catalogue::Shown;
use crate::corpus::Document;

/// Holds the head of nearly every session; what is longer is read by the codec. Copying more costs more, as it has to come
/// from memory first.
pub(super) const HEAD: usize = 2 << 10;

/// A document of which the length and the first bytes are known.
#[derive(Debug)]
pub(crate) struct Headed<'d> {
    pub(super) document: &'d Document<'d>,
    /// Nothing where they could not be read: whoever wants them then meets the reason.
    head: &'d [u8],
    size: u64,
}

impl<'d> Headed<'d> {
    /// Reads the first bytes of a document that is `size` long into `head`.
    pub(super) fn read(document: &'d Document<'d>, size: u64, head: &'d mut [u8; HEAD]) -> Self {
        let read = document.read_at(head, 0).unwrap_or(0);
        Self {
            document,
            head: &head[..read],
            size,
        }
    }

    /// What the header says, if all its members stand in the first bytes, and it is of the session that has this id.
    pub(super) fn shown<S: SessionRecord>(&self, id: &str) -> Option<Shown<'d>> {
        let whole = self.head.len() as u64 == self.size;
        let names = shown::<S>();
        if names[..PLACE].contains(&names[PLACE]) {
            return None;
        }
        let glance = Glance::head(self.head, whole, names, S::CAPPED)?;
        let values = glance.values();
        if glance.may_have_more() && values.iter().any(Option::is_none) {
            return None;
        }
        let [own_id, title, created_at, updated_at, place, agent] = values;
        if text(own_id)? != id {
            return None;
        }
        Some(Shown {
            title: text(title),
            agent: text(agent),
            updated_at: text(updated_at).and_then(|text| time(&text)),
            created_at: text(created_at).and_then(|text| time(&text)),
            ..belonging(place, S::DIRECTORY)?
        })
    }
}

impl ReadAt for Headed<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        // Less than was asked for is no end: the rest is asked for next, and only that is read.
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        match self.head.get(from..) {
            Some(held) if !held.is_empty() => {
                let length = held.len().min(buf.len());
                buf[..length].copy_from_slice(&held[..length]);
                Ok(length)
            }
            _ => self.document.read_at(buf, offset),
        }
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.size)
    }
}

/// A member that is a string; `None` where it is something else, no text after all, or not there.
fn text(value: Option<&str>) -> Option<Cow<'_, str>> {
    let value = value.filter(|value| value.starts_with('"'))?;
    match plain_text(value) {
        Some(plain) => Some(Cow::Borrowed(plain)),
        None => serde_json::from_str(value).ok().map(Cow::Owned),
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.with_timezone(&Utc))
}

/// The directory to which `path` leads from the value of its first member, and the model beside it.
fn belonging<'a>(mut value: Option<&'a str>, path: &[&'a str]) -> Option<Shown<'a>> {
    let (_, steps) = path.split_first()?;
    let (last, between) = steps.split_last()?;
    for &step in between {
        [value] = match value {
            Some(object) if object.starts_with('{') => Glance::object(object, [step])?.values(),
            _ => return Some(Shown::default()),
        };
    }
    let Some(object) = value.filter(|value| value.starts_with('{')) else {
        return Some(Shown::default());
    };
    let [directory, model] = Glance::object(object, [last, "model"])?.values();
    let directory = text(directory);
    // A path with bytes that are no text is stored twice, and the other spelling counts.
    if (directory.as_deref()).is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
        return None;
    }
    let path = |text| match text {
        Cow::Borrowed(text) => Cow::Borrowed(Path::new(text)),
        Cow::Owned(text) => Cow::Owned(PathBuf::from(text)),
    };
    Some(Shown {
        directory: directory.map(path),
        model: text(model),
        ..Shown::default()
    })
}
