//! Adding to a document without decoding it. Owns what an amendment may say and
//! the copying; where the edits go is `plan`'s.

mod mark;
mod plan;

use std::{borrow::Cow, io};

use crate::{
    Codec, Encoded, Error, Parser, RESERVED, ReadAt, Refusal, RevisionHasher,
    buffer::Buffer,
    encode::{Rules, Watch},
    trace,
    walk::walk_at,
};
use mark::Marking;
use plan::Plan;

/// Elements to add at the end of arrays, and members to set or remove. Texts may
/// be borrowed: a window of megabytes need not be copied to be put somewhere.
///
/// ```
/// use session_codec::{Amendment, Codec};
///
/// let document = br#"{"messages": [1], "agent": "plan"}"#;
/// let amendment = Amendment::new().element("messages", "2").member("agent", "\"build\"");
/// let mut out = Vec::new();
/// Codec::new().amend(document, &amendment, &mut out)?;
/// assert_eq!(out, br#"{"messages": [1,2], "agent": "build"}"#);
/// # Ok::<(), session_codec::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amendment<'a> {
    elements: Vec<(String, Vec<Cow<'a, str>>)>,
    members: Vec<(String, Cow<'a, str>)>,
    removed: Vec<String>,
}

impl<'a> Amendment<'a> {
    /// Creates an amendment that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one element, given as JSON text, at the end of `array`; a missing or
    /// null member becomes an array.
    #[must_use]
    pub fn element(mut self, array: &str, json: impl Into<Cow<'a, str>>) -> Self {
        match self.elements.iter_mut().find(|(name, _)| name == array) {
            Some((_, elements)) => elements.push(json.into()),
            None => self.elements.push((array.to_owned(), vec![json.into()])),
        }
        self
    }

    /// Sets a member to a value given as JSON text; the last call for a name
    /// wins.
    #[must_use]
    pub fn member(mut self, name: &str, json: impl Into<Cow<'a, str>>) -> Self {
        match self.members.iter_mut().find(|(known, _)| known == name) {
            Some(member) => member.1 = json.into(),
            None => self.members.push((name.to_owned(), json.into())),
        }
        self
    }

    /// Removes a member, wherever and however often it stands; setting it or
    /// adding to it as well is refused.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.removed.push(name.to_owned());
        self
    }

    /// Reports whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty() && self.members.is_empty() && self.removed.is_empty()
    }

    /// How many bytes a document grows by at most, names that JSON has to escape
    /// left aside: for whoever makes room for it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let comma = |text: &Cow<'_, str>| text.len() + 1;
        let arrays = self.elements.iter().map(|(name, texts)| {
            name.len() + ",\"\":[]".len() + texts.iter().map(comma).sum::<usize>()
        });
        let members = self.members.iter();
        let members = members.map(|(name, text)| name.len() + "\"\":".len() + comma(text));
        arrays.chain(members).sum()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let elements = self.elements.iter().map(|(name, _)| name.as_str());
        let members = self.members.iter().map(|(name, _)| name.as_str());
        elements
            .chain(members)
            .chain(self.removed.iter().map(String::as_str))
    }
}

impl<P: Parser> Codec<P> {
    /// Copies a document with an amendment made, everything else byte for byte.
    ///
    /// Elements go to the end of their arrays, a set member is replaced where it
    /// stands, and what is new goes to the end of the document. The reserved
    /// member is left out, since it describes the document as it was; if arrays
    /// are [marked](Self::marks) the result ends with a new one, and white space
    /// after the document is left out. The
    /// document is walked over and every check made before the first byte is
    /// written.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a text that is not JSON, the reserved name, or a
    /// name both set and added to; [`Error::Limit`]; [`Error::Syntax`] for a
    /// broken document, [`Error::Data`] if its root is no object, if elements
    /// would go into a member that is neither array nor null, or if an amended
    /// name stands in it twice; [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// Two passes over the document, in memory of one read and the amendment.
    pub fn amend<R: ReadAt + ?Sized, W: io::Write>(
        &self,
        source: &R,
        amendment: &Amendment<'_>,
        mut out: W,
    ) -> Result<Encoded, Error> {
        let _span = trace::span("amend", source.size()?);
        self.check_amendment(amendment)?;
        let mut plan = Plan::new(amendment, &self.limits);
        let walked = walk_at(self, self.lexer(amendment.names()), &mut plan, source)?;
        let brace = plan.brace();
        let edits = plan.finish()?;
        let mut copier = Copier {
            source,
            hasher: RevisionHasher::new(),
            marking: Marking::new(self),
            bytes: 0,
            gathered: Vec::new(),
            out: &mut out,
        };
        drop(walked.last);
        let mut buffer = Buffer::new(self.piece_bytes_for(walked.bytes));
        let mut at = 0;
        for edit in &edits {
            copier.copy(at, edit.range.start, &mut buffer)?;
            copier.put(&edit.text)?;
            at = edit.range.end;
        }
        copier.copy(at, brace, &mut buffer)?;
        let body = copier.hasher.finish();
        let marking = std::mem::take(&mut copier.marking);
        let footer = marking.and_then(|marking| marking.finish(body));
        let revision = if let Some(footer) = footer {
            copier.write(&footer)?;
            body
        } else {
            copier.copy(brace, walked.bytes, &mut buffer)?;
            copier.hasher.finish()
        };
        let encoded = Encoded::new(copier.bytes, revision);
        out.flush()?;
        Ok(encoded)
    }

    fn check_amendment(&self, amendment: &Amendment<'_>) -> Result<(), Error> {
        if amendment.names().any(|name| name == RESERVED) {
            return Err(Error::refused(Refusal::ReservedMember));
        }
        // Each name once, in one role: all lists are as short as what one turn changes.
        let mut names: Vec<&str> = amendment.names().collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::refused(Refusal::AmendedTwice));
        }
        let watch = Watch::new(&self.limits, Rules::Document);
        let checked = watch.inside(1, || {
            amendment
                .members
                .iter()
                .try_for_each(|(_, json)| watch.raw(json))?;
            watch.inside(2, || {
                amendment
                    .elements
                    .iter()
                    .flat_map(|(_, texts)| texts)
                    .try_for_each(|json| {
                        watch.raw(json)?;
                        watch.element(0, json.trim_ascii().len() as u64)
                    })
            })
        });
        match (watch.take_fault(), checked) {
            (Some(fault), _) => Err(fault),
            (None, Err(error)) => Err(Error::Io(error)),
            (None, Ok(())) => Ok(()),
        }
    }
}

/// Copies stretches of a document and counts, hashes and marks what goes out.
struct Copier<'a, R: ?Sized, W> {
    source: &'a R,
    hasher: RevisionHasher,
    marking: Option<Marking>,
    bytes: u64,
    /// Short texts on their way out, so that few calls take many.
    gathered: Vec<u8>,
    out: &'a mut W,
}

/// Bytes of an amendment that are written at once, few enough to stay in the
/// innermost cache while they are hashed, marked and passed on.
const GATHERED: usize = 16 << 10;

impl<R: ReadAt + ?Sized, W: io::Write> Copier<'_, R, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        if let Some(marking) = &mut self.marking {
            marking.take(bytes);
        }
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Writes the texts of an edit.
    fn put(&mut self, texts: &[Cow<'_, str>]) -> io::Result<()> {
        let mut gathered = std::mem::take(&mut self.gathered);
        for text in texts {
            if gathered.len() + text.len() > GATHERED && !gathered.is_empty() {
                self.write(&gathered)?;
                gathered.clear();
            }
            if text.len() > GATHERED {
                self.write(text.as_bytes())?;
            } else {
                gathered.extend_from_slice(text.as_bytes());
            }
        }
        self.write(&gathered)?;
        gathered.clear();
        self.gathered = gathered;
        Ok(())
    }

    fn copy(&mut self, mut from: u64, to: u64, buffer: &mut [u8]) -> io::Result<()> {
        while from < to {
            let left = usize::try_from(to - from).unwrap_or(usize::MAX);
            let part = left.min(buffer.len());
            self.source.read_exact_at(&mut buffer[..part], from)?;
            self.write(&buffer[..part])?;
            from += part as u64;
        }
        Ok(())
    }
}
