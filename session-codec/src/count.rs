//! Counting the elements of arrays without decoding them. Owns the count; must
//! not know types.

use crate::{
    Codec, Error, Parser, ReadAt,
    footer::{Found, Keep, find_if_there, find_little, gather},
    lexer::{Key, Stop, Visit, Watch},
    trace,
    walk::walk_at,
};

/// The number of elements of each array asked for.
type Counted = Vec<(String, Option<u64>)>;

/// Counts elements of the named members.
#[derive(Debug)]
struct Counter<'a> {
    arrays: &'a [&'a str],
    counts: Vec<Option<u64>>,
    current: Option<usize>,
}

impl<'a> Counter<'a> {
    fn new(arrays: &'a [&'a str]) -> Self {
        Self {
            arrays,
            counts: vec![None; arrays.len()],
            current: None,
        }
    }
}

impl Visit for Counter<'_> {
    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        self.current = key.among(self.arrays.iter().copied());
        Ok(())
    }

    fn value(&mut self, _at: u64, first: u8) -> Result<Watch, Stop> {
        let Some(current) = self.current else {
            return Ok(Watch::Nothing);
        };
        // Of members with one name the last counts, as in a map.
        self.counts[current] = (first == b'[').then_some(0);
        Ok(Watch::Skim)
    }

    fn element_end(&mut self, _at: u64) -> Result<(), Stop> {
        if let Some(count) = self
            .current
            .and_then(|current| self.counts[current].as_mut())
        {
            *count += 1;
        }
        Ok(())
    }
}

/// Counts in memory, with chosen instructions.
#[cfg(feature = "testing")]
pub(crate) fn count_slice(
    instructions: crate::testing::Instructions,
    document: &[u8],
    array: &str,
) -> Result<Option<u64>, Error> {
    let names = [array];
    let mut counter = Counter::new(&names);
    let lexer = Codec::new().instructions(instructions).lexer([array]);
    crate::walk::walk_slice(lexer, &mut counter, document)?;
    Ok(counter.counts[0])
}

impl<P: Parser> Codec<P> {
    /// Counts the elements of the named arrays of a document. `None` stands for
    /// a member that is missing or not an array.
    ///
    /// A footer that marks all of them, and agrees with the members around them,
    /// is believed; else the document's structure, and the grammar of the rest, is
    /// checked on the way.
    ///
    /// ```
    /// use session_codec::Codec;
    ///
    /// let counts = Codec::new().count(br#"{"messages": [{}, {}]}"#, &["messages", "pages"])?;
    /// assert_eq!(counts, [("messages".to_owned(), Some(2)), ("pages".to_owned(), None)]);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`], [`Error::Limit`] for depth, or [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// With a footer, the members around the marked arrays in a few reads.
    /// Without one, a pass, in memory of one read.
    pub fn count<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        arrays: &[&str],
    ) -> Result<Vec<(String, Option<u64>)>, Error> {
        let _span = trace::span("count", source.size()?);
        if !self.is_strict()
            && let Some(found) = find_if_there(source)?
            && let Some(counts) = self.count_by_footer(source, &found, arrays)?
        {
            return Ok(counts);
        }
        let mut counter = Counter::new(arrays);
        let lexer = self.lexer(arrays.iter().copied());
        walk_at(self, lexer, &mut counter, source)?;
        Ok(arrays
            .iter()
            .map(|name| (*name).to_owned())
            .zip(counter.counts)
            .collect())
    }

    /// Does what [`count`](Self::count) does, if a footer tells: `None` where the document would have to be read.
    ///
    /// ```
    /// use session_codec::Codec;
    ///
    /// let codec = Codec::new().marks(&["messages"]);
    /// let mut document = Vec::new();
    /// codec.encode(&serde_json::json!({"messages": [1, 2]}), &mut document)?;
    /// let counts = codec.count_marked(&document, &["messages"])?;
    /// assert_eq!(counts, Some(vec![("messages".to_owned(), Some(2))]));
    /// assert_eq!(codec.count_marked(br#"{"messages": [1]}"#, &["messages"])?, None);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// One read of 4 KiB at the end, and the members around the marked arrays as far as they stand before it.
    pub fn count_marked<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        arrays: &[&str],
    ) -> Result<Option<Counted>, Error> {
        if self.is_strict() {
            return Ok(None);
        }
        match find_little(source)? {
            Some(found) => self.count_by_footer(source, &found, arrays),
            None => Ok(None),
        }
    }

    fn count_by_footer<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        found: &Found,
        arrays: &[&str],
    ) -> Result<Option<Counted>, Error> {
        let marked = found.footer.counts().map(|(name, _)| name);
        if !arrays
            .iter()
            .all(|name| marked.clone().any(|other| other == *name))
        {
            return Ok(None);
        }
        // No element is kept, of these or of other marked arrays.
        let none: Vec<(&str, Keep)> = marked.map(|name| (name, Keep::Last(0))).collect();
        let Ok(_) = gather(self, source, found, &none)? else {
            return Ok(None);
        };
        let count = |name: &&str| ((*name).to_owned(), found.footer.count(name));
        Ok(Some(arrays.iter().map(count).collect()))
    }
}
