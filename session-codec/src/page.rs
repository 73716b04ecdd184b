//! Decoding some elements of one array, wherever in it they stand. Owns the
//! call; reading by a footer is `footer`'s, and the walk without one `tail`'s.

mod cuts;

use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::{
    Codec, Error, FooterFault, FooterUse, LimitKind, Parser, ReadAt, Revision,
    footer::{Keep, document_revision, find, gather},
    lexer::Watch,
    tail::place,
    trace,
    walk::walk_at,
};
use cuts::Cuts;

/// A value decoded with only some elements of one array.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PageDecoded<T> {
    /// The value. Its other capped arrays are empty.
    pub value: T,
    /// Numbers of the elements that are there, from 0: those asked for, as far
    /// as the array has so many.
    pub range: Range<u64>,
    /// Elements that the array has in the document; 0 if it is missing or not an
    /// array.
    pub count: u64,
    /// Bytes of the document.
    pub bytes: u64,
    /// Bytes read for the page.
    pub bytes_read: u64,
    /// The document's revision: by the word of its footer, if that was used.
    pub revision: Revision,
    /// Whether the document's footer said where to read.
    pub footer: FooterUse,
}

impl<P: Parser> Codec<P> {
    /// Decodes a document with only the elements `range` of `array`, and none of
    /// the other arrays `capped`: for going back through a long history.
    ///
    /// What is kept, and what is dropped, is judged as by [`tail`](Self::tail).
    ///
    /// ```
    /// use serde_json::{Value, json};
    /// use session_codec::Codec;
    ///
    /// let document = br#"{"id": "a", "messages": [1, 2, 3, 4], "tool_uses": [5]}"#;
    /// let capped = ["messages", "tool_uses"];
    /// let page = Codec::new().page::<Value, _>(document, &capped, "messages", 1..3)?;
    /// assert_eq!(page.value, json!({"id": "a", "messages": [2, 3], "tool_uses": []}));
    /// assert_eq!((page.range, page.count), (1..3, 4));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`tail`](Self::tail).
    ///
    /// # Complexity
    ///
    /// With a footer, a few reads of the page and two segments at most. Without
    /// one, a pass over the document. Memory is the page and the value.
    pub fn page<T: DeserializeOwned, R: ReadAt + ?Sized>(
        &self,
        source: &R,
        capped: &[&str],
        array: &str,
        range: Range<u64>,
    ) -> Result<PageDecoded<T>, Error> {
        let _span = trace::span("page", source.size()?);
        let mut arrays = vec![(array, Keep::Range(range.clone()))];
        for name in capped.iter().filter(|name| **name != array) {
            arrays.push((name, Keep::Last(0)));
        }
        let mut bytes_read = 0;
        let why = match find(source)? {
            Err(missing) => missing.why,
            Ok(_) if self.is_strict() => FooterUse::Ignored(FooterFault::Strict),
            Ok(found) => match gather(self, source, &found, &arrays)? {
                Err(fault) => FooterUse::Ignored(fault),
                Ok(mut gathered) => {
                    bytes_read = gathered.bytes_read;
                    let text = gathered.text.clone();
                    match (
                        self.parser.parse(&mut gathered.buffer[text]),
                        gathered.arrays.into_iter().next(),
                    ) {
                        (Ok(value), Some((count, range))) => {
                            return Ok(PageDecoded {
                                value,
                                range,
                                count,
                                bytes: found.size,
                                bytes_read,
                                revision: found.footer.revision,
                                footer: FooterUse::Used,
                            });
                        }
                        _ => FooterUse::Ignored(FooterFault::Undecodable),
                    }
                }
            },
        };
        self.page_by_walk(source, capped, array, (range, bytes_read), why)
    }

    fn page_by_walk<T: DeserializeOwned, R: ReadAt + ?Sized>(
        &self,
        source: &R,
        capped: &[&str],
        array: &str,
        (wanted, bytes_read): (Range<u64>, u64),
        why: FooterUse,
    ) -> Result<PageDecoded<T>, Error> {
        let watch = Watch::elements(self.is_strict());
        let mut cuts = Cuts::new(array, capped, wanted.clone(), watch, &self.limits);
        let lexer = self.lexer(capped.iter().copied().chain([array]));
        let lexer = if self.is_strict() {
            lexer.strict()
        } else {
            lexer
        };
        let walked = walk_at(self, lexer, &mut cuts, source)?;
        let Cuts {
            left_out, count, ..
        } = cuts;
        let (mut text, map) = self.uncut(source, &left_out, walked.bytes)?;
        let read = text.len() as u64;
        let value = self
            .parser
            .parse(&mut text)
            .map_err(|error| self.parse_failed(&error, |offset| place(&map, offset)))?;
        Ok(PageDecoded {
            value,
            range: Keep::Range(wanted).of(count),
            count,
            bytes: walked.bytes,
            bytes_read: bytes_read + walked.bytes + read,
            revision: match why {
                FooterUse::Absent => walked.whole,
                _ => document_revision(source)?,
            },
            footer: why,
        })
    }

    /// Reads a document without the stretches that are cut out.
    fn uncut<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        cuts: &[Range<u64>],
        bytes: u64,
    ) -> Result<Uncut, Error> {
        let gone: u64 = cuts.iter().map(|cut| cut.end - cut.start).sum();
        let (kept, limit) = (bytes - gone, self.limits.kept_bytes);
        let Some(room) = usize::try_from(kept).ok().filter(|_| kept <= limit) else {
            return Err(Error::Limit {
                offset: 0,
                what: LimitKind::KeptBytes,
                limit,
            });
        };
        let mut text = vec![0; room];
        let mut map = Vec::with_capacity(cuts.len() + 1);
        let (mut at, mut place) = (0, 0);
        for cut in cuts.iter().chain([&(bytes..bytes)]) {
            // A part of `room`.
            let to = place + usize::try_from(cut.start - at).unwrap_or(usize::MAX);
            source.read_exact_at(&mut text[place..to], at)?;
            map.push((place, at));
            (at, place) = (cut.end, to);
        }
        Ok((text, map))
    }
}

/// A shortened document, and where its stretches stood.
type Uncut = (Vec<u8>, Vec<(usize, u64)>);
