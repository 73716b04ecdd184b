//! Finding a document's footer from its last bytes. Owns the first read and the
//! checks that need nothing but the footer; must not know arrays' meaning.

use std::{io, ops::Range};

use super::{Footer, FooterFault, FooterUse, text};
use crate::{ReadAt, Revision, RevisionHasher, buffer::Buffer};

/// Bytes read first from the end: holds nearly every footer of ours, and the
/// end of the document before most.
const FIRST: u64 = 16 << 10;
/// Documents up to this size are read whole instead: one call is cheaper.
const SMALL: u64 = 64 << 10;
/// Bytes hashed at once.
const HASHED: usize = 256 << 10;

/// A footer that is sound in itself, and the bytes read to find it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) footer: Footer,
    /// The document's bytes from `base` to its end.
    pub(crate) end: Vec<u8>,
    pub(crate) base: u64,
    pub(crate) size: u64,
}

impl Found {
    /// Fills `out` from `offset` on, reading only what is not in memory; says
    /// how much that was.
    pub(crate) fn read<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        out: &mut [u8],
        offset: u64,
    ) -> io::Result<u64> {
        let unread = self.base.saturating_sub(offset).min(out.len() as u64);
        let (read, held) = out.split_at_mut(usize::try_from(unread).unwrap_or(usize::MAX));
        if !held.is_empty() {
            let from = offset + unread - self.base;
            let here = usize::try_from(from)
                .ok()
                .and_then(|from| self.end.get(from..)?.get(..held.len()));
            held.copy_from_slice(here.ok_or(io::ErrorKind::UnexpectedEof)?);
        }
        if !read.is_empty() {
            source.read_exact_at(read, offset)?;
        }
        Ok(unread)
    }
}

/// Why there is no footer to use.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) why: FooterUse,
    /// All of a small document, which was read to see that.
    pub(crate) whole: Option<Vec<u8>>,
}

/// Looks for the footer at the end of a document.
///
/// One read, rarely two; the answer's memory is bounded by the longest footer.
pub(crate) fn find<R: ReadAt + ?Sized>(source: &R) -> io::Result<Result<Found, Missing>> {
    let absent = |why| Ok(Err(Missing { why, whole: None }));
    match find_at(source, source.size()?) {
        // Shortened since its size was asked for, or unreadable there: whoever
        // reads on from the start comes to it, and to what stands before it.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => absent(FooterUse::Absent),
        // There may be one all the same, so what was hashed is no revision yet.
        Err(_) => absent(FooterUse::Ignored(FooterFault::Unread)),
        found => found,
    }
}

fn find_at<R: ReadAt + ?Sized>(source: &R, size: u64) -> io::Result<Result<Found, Missing>> {
    let missing = |why, base, end| {
        Ok(Err(Missing {
            why,
            whole: (base == 0).then_some(end),
        }))
    };
    let mut base = size - if size <= SMALL { size } else { FIRST };
    let mut end = read(source, base..size)?;
    let begin = match begin(&end, size) {
        Ok(begin) => begin,
        Err(why) => return missing(why, base, end),
    };
    if begin < base {
        let mut more = read(source, begin..base)?;
        more.append(&mut end);
        (end, base) = (more, begin);
    }
    // Between `base` and `size`, which are that far apart.
    let text = &end[usize::try_from(begin - base)
        .unwrap_or(usize::MAX)
        .min(end.len())..];
    let checked = text::read(text).and_then(|footer| {
        consistent(&footer, begin).ok_or(FooterFault::Numbers)?;
        Ok(footer)
    });
    match checked {
        Ok(footer) => Ok(Ok(Found {
            footer,
            end,
            base,
            size,
        })),
        Err(fault) => missing(FooterUse::Ignored(fault), base, end),
    }
}

/// Does what [`find`] does where only a footer that is there matters.
pub(crate) fn find_if_there<R: ReadAt + ?Sized>(source: &R) -> io::Result<Option<Found>> {
    Ok(find(source)?.ok())
}

/// Returns how long the bytes before the footer are and what their hash is, if
/// the document ends with a footer that says so.
pub(crate) fn named_body<R: ReadAt + ?Sized>(source: &R) -> io::Result<Option<(u64, Revision)>> {
    // Unlike windows, a revision cannot do without an end that cannot be read.
    let found = match find_at(source, source.size()?) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        found => found?.ok(),
    };
    Ok(found.map(|found| (found.footer.body, found.footer.revision)))
}

/// Returns the revision of a document whose bytes, up to where a footer that it
/// has says that they end, have this hash.
pub(crate) fn settle<R: ReadAt + ?Sized>(
    source: &R,
    named: Option<(u64, Revision)>,
    hash: Revision,
) -> io::Result<Revision> {
    match named {
        Some((_, revision)) if revision != hash => document_revision(source),
        _ => Ok(hash),
    }
}

fn read<R: ReadAt + ?Sized>(source: &R, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(0)];
    source.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes)
}

/// Returns where the footer says that it begins, if that can be.
fn begin(end: &[u8], size: u64) -> Result<u64, FooterUse> {
    let Some(begin) = text::begin(end) else {
        let trimmed = end.trim_ascii_end();
        return Err(if text::begin(trimmed).is_some() {
            FooterUse::Ignored(FooterFault::Misplaced)
        } else {
            FooterUse::Absent
        });
    };
    match size.checked_sub(begin) {
        None | Some(0) => Err(FooterUse::Ignored(FooterFault::Numbers)),
        Some(bytes) if bytes > text::LONGEST => Err(FooterUse::Ignored(FooterFault::TooLong)),
        Some(_) => Ok(begin),
    }
}

/// Checks the numbers against each other: stretches and segments lie in the
/// body, in order, without gaps.
fn consistent(footer: &Footer, begin: u64) -> Option<()> {
    let require = |holds: bool| holds.then_some(());
    require(footer.body == begin)?;
    require(footer.rest.len() == footer.arrays.len() + 1)?;
    // The shortest text before the first element is `{"":[`.
    let mut at = 0_u64;
    for (index, array) in footer.arrays.iter().enumerate() {
        let names = &footer.arrays[..index];
        require(names.iter().all(|other| other.name != array.name))?;
        require(at < array.start)?;
        let (mut bytes, mut count) = (0_u64, 0_u64);
        for segment in &array.segments {
            require(segment.count > 0 && segment.bytes >= segment.count)?;
            bytes = bytes.checked_add(segment.bytes)?;
            count = count.checked_add(segment.count)?;
        }
        require(array.start.checked_add(bytes)? == array.end && array.count == count)?;
        at = array.end;
    }
    require(at < footer.body)
}

/// Returns a document's revision: of its body if a footer ends it and names it
/// rightly, else of all its bytes.
///
/// Reads the document once; only one whose footer is wrong is hashed twice over.
pub(crate) fn document_revision<R: ReadAt + ?Sized>(source: &R) -> io::Result<Revision> {
    let body = named_body(source)?;
    let mut hasher = RevisionHasher::new();
    let mut buffer = Buffer::new(HASHED);
    let (mut at, mut left) = (0, body.map_or(u64::MAX, |(bytes, _)| bytes));
    loop {
        let room = usize::try_from(left).unwrap_or(HASHED).min(HASHED);
        if room == 0 {
            let here = hasher.finish();
            if body == Some((at, here)) {
                return Ok(here);
            }
            left = u64::MAX;
            continue;
        }
        match source.read_at(&mut buffer[..room], at) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => {
                hasher.update(&buffer[..read.min(room)]);
                at += read as u64;
                left -= read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Revision {
    /// Returns the revision of a document in memory: of the bytes before its
    /// footer if that ends it and names them rightly, else of all.
    ///
    /// ```
    /// use session_codec::{Codec, Revision};
    ///
    /// let mut document = Vec::new();
    /// let codec = Codec::new().marks(&["messages"]);
    /// let encoded = codec.encode(&serde_json::json!({"messages": [1]}), &mut document)?;
    /// assert_eq!(Revision::of_document(&document), encoded.revision);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    #[must_use]
    pub fn of_document(bytes: &[u8]) -> Self {
        // Memory cannot fail to be read.
        if let Ok(Ok(found)) = find(bytes)
            && let Some(body) = usize::try_from(found.footer.body)
                .ok()
                .and_then(|body| bytes.get(..body))
        {
            let revision = Self::of(body);
            if revision == found.footer.revision {
                return revision;
            }
        }
        Self::of(bytes)
    }
}
