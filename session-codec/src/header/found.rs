//! The members of a header found so far. Owns their bytes and names; must not
//! know which look found them.

use crate::{
    Error, HeaderSpec, HeaderText, LimitKind, Look,
    lexer::{Key, Piece, Stop},
};

/// The names a look compares keys with.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    spec: &'a HeaderSpec,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(spec: &'a HeaderSpec) -> Self {
        Self { spec }
    }

    /// Returns all names, of members and of arrays.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.spec
            .wanted
            .iter()
            .chain(&self.spec.arrays)
            .map(String::as_str)
    }

    /// Returns the members that are to be found.
    pub(super) fn members(&self) -> &'a [String] {
        &self.spec.wanted
    }

    /// Returns the members that are worth more reading.
    pub(super) fn needed(&self) -> &'a [String] {
        &self.spec.needed
    }

    pub(super) fn find(&self, key: Key<'_>) -> Option<&'a str> {
        self.spec
            .wanted
            .iter()
            .map(String::as_str)
            .find(|name| key.is(name))
    }

    pub(super) fn is_array(&self, key: Key<'_>) -> bool {
        key.among(self.spec.arrays.iter().map(String::as_str))
            .is_some()
    }
}

/// A member as it is spelled in the document, name and value.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) start: u64,
    pub(super) text: Vec<u8>,
}

/// Members found, and the one being read.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    members: Vec<Member>,
    open: Option<Member>,
    bytes: u64,
}

impl Found {
    /// Starts a member whose name is not known yet.
    pub(super) fn open(&mut self, start: u64) {
        self.open = Some(Member {
            name: String::new(),
            start,
            text: Vec::new(),
        });
    }

    pub(super) fn name(&mut self, name: &str) {
        if let Some(open) = &mut self.open {
            name.clone_into(&mut open.name);
        }
    }

    pub(super) fn discard(&mut self) {
        self.open = None;
    }

    /// Takes what a piece holds of the open member up to `to`.
    pub(super) fn take(&mut self, piece: Piece<'_>, to: u64, limit: u64) -> Result<(), Stop> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.text
            .extend_from_slice(piece.between(open.start + open.text.len() as u64, to));
        if self.bytes + open.text.len() as u64 > limit {
            let offset = open.start;
            return Err(Error::Limit {
                offset,
                what: LimitKind::KeptBytes,
                limit,
            }
            .into());
        }
        Ok(())
    }

    /// Ends the open member, if there is one.
    pub(super) fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.bytes += open.text.len() as u64;
            self.members.push(open);
        }
    }

    /// Adds members that stand after all of these.
    pub(super) fn add(&mut self, members: Vec<Member>) {
        self.members.extend(members);
    }

    pub(super) fn starts_at(&self, start: u64) -> bool {
        self.members.iter().any(|member| member.start == start)
    }

    pub(super) fn has_all(&self, names: &[String]) -> bool {
        self.missing(names).next().is_none()
    }

    fn missing<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a String> {
        let found = |name: &String| self.members.iter().any(|member| member.name == *name);
        names.iter().filter(move |name| !found(name))
    }

    /// Ends the search with what was found.
    pub(super) fn into_header(
        self,
        wanted: &Wanted<'_>,
        bytes_read: u64,
        look: Look,
    ) -> HeaderText {
        HeaderText {
            json: object(&self.members),
            missing: self.missing(wanted.members()).cloned().collect(),
            bytes_read,
            look,
        }
    }
}

/// Writes members as one object.
pub(super) fn object(members: &[Member]) -> Vec<u8> {
    let mut json = vec![b'{'];
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(&member.text);
    }
    json.push(b'}');
    json
}

/// Refuses a document that has no members.
pub(super) fn expect_object(at: u64, first: u8) -> Result<(), Stop> {
    if first == b'{' {
        Ok(())
    } else {
        Err(Error::data(at, "expected an object").into())
    }
}
