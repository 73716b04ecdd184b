//! Owns what a serde type must say of itself to be kept as a session. Knows no store.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{SessionId, ToolLink};

/// A type that can be a session: [`Session`](crate::Session), or a struct of one's own.
///
/// ```
/// use std::path::{Path, PathBuf};
///
/// use chrono::{DateTime, Utc};
/// use serde::{Deserialize, Serialize};
/// use session_model::{SessionId, SessionRecord};
///
/// #[derive(Serialize, Deserialize)]
/// struct Chat {
///     id: SessionId,
///     cwd: PathBuf,
///     turns: Vec<String>,
/// }
///
/// impl SessionRecord for Chat {
///     const CAPPED: &'static [&'static str] = &["turns"];
///     const DIRECTORY: &'static [&'static str] = &["cwd"];
///
///     fn id(&self) -> &str {
///         &self.id
///     }
///     fn set_id(&mut self, id: SessionId) {
///         self.id = id;
///     }
///     fn directory(&self) -> Option<&Path> {
///         Some(&self.cwd)
///     }
///     fn updated_at(&self) -> Option<DateTime<Utc>> {
///         None // the file's own time is used
///     }
/// }
///
/// let chat = Chat { id: SessionId::new("c1")?, cwd: "/work".into(), turns: Vec::new() };
/// assert_eq!(chat.id(), "c1");
/// # Ok::<(), session_model::InvalidId>(())
/// ```
pub trait SessionRecord: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Names the members that are arrays whose older elements a windowed load may leave out.
    const CAPPED: &'static [&'static str];

    /// Names arrays that mirror a capped one element by element, as (mirror, capped). They no longer
    /// fit once elements of the capped array are left out.
    const PARALLEL: &'static [(&'static str, &'static str)] = &[];

    /// Says that each element of a capped array loads, or does not, whatever else is in the record; and that a record of an id
    /// and such elements loads if they do.
    ///
    /// What is appended is then judged beside the id alone, not beside the record's other members, which were judged before. Leave
    /// it `false` for a type whose [`Deserialize`](trait@serde::Deserialize) compares members with elements, or elements with each other,
    /// or needs more members than the id.
    const INDEPENDENT: bool = false;

    /// Names the capped array at whose middle a document may be split for two threads, for a type that
    /// can [`join`](Self::join) the halves.
    const SPLIT: Option<&'static str> = None;

    /// Names the capped array whose elements make tool calls and answer them, for a type that can tell its
    /// [links](Self::tool_links): windows can then be aligned so that no result is without its call.
    const PAIRED: Option<&'static str> = None;

    /// Leads to the member that holds the directory, from the top of the document.
    const DIRECTORY: &'static [&'static str] = &["metadata", "directory"];

    /// Names the members of the document that a search looks into: arrays by element, others as a whole.
    const SEARCHED: &'static [&'static str] = Self::CAPPED;

    /// Says whether the strings that `path` leads to are text for a search: names of members from the top of the
    /// document, without the elements between them.
    ///
    /// Every string in a [searched](Self::SEARCHED) member is, unless this says otherwise. It is called for strings
    /// that may match only, and never for names of members.
    #[must_use]
    fn is_text(path: &[&str]) -> bool {
        let _ = path;
        true
    }

    /// Returns the id, which for a foreign document need not be a valid one.
    fn id(&self) -> &str;

    /// Replaces the id.
    fn set_id(&mut self, id: SessionId);

    /// Returns the working directory the session belongs to.
    fn directory(&self) -> Option<&Path>;

    /// Returns when the session was last added to.
    fn updated_at(&self) -> Option<DateTime<Utc>>;

    /// Counts the elements of the [paired](Self::PAIRED) array that this record has.
    fn paired(&self) -> usize {
        0
    }

    /// Tells which calls the element of this number makes and answers, in order, counted from 0 in the
    /// [paired](Self::PAIRED) array of this record. None, unless the type says otherwise.
    fn tool_links(&self, element: usize, link: &mut dyn FnMut(ToolLink<'_>)) {
        let _ = (element, link);
    }

    /// Removes so many elements from the front of the [paired](Self::PAIRED) array; `false`, and nothing done, for a type
    /// that does not say how, which is then loaded once more.
    fn drop_front(&mut self, elements: usize) -> bool {
        let _ = elements;
        false
    }

    /// Makes one session of two that were decoded at the same time from one document.
    ///
    /// `first` is the document up to some element of its largest capped array, [`Self::SPLIT`], and ends
    /// there; `rest` is the whole document without the elements that `first` has. So all that is left
    /// to do is to put those elements in front. `None`, which is what a type gets that does not say
    /// how, has the document decoded by one thread.
    fn join(first: Self, rest: Self) -> Option<Self> {
        let _ = (first, rest);
        None
    }
}
