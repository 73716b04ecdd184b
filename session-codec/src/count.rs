//! Counting the elements of arrays without decoding them. Owns the count; must
//! not know types.

use crate::{
    Codec, Error, Parser, ReadAt,
    lexer::{Key, Stop, Visit, Watch},
    trace,
    walk::walk_at,
};

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
    /// Counts the elements of the named arrays of a document, checking their
    /// structure and the grammar of the rest on the way. `None` stands for a member that is missing or not
    /// an array.
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
    /// One pass, in memory of one read.
    pub fn count<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        arrays: &[&str],
    ) -> Result<Vec<(String, Option<u64>)>, Error> {
        let _span = trace::span("count", source.size()?);
        let mut counter = Counter::new(arrays);
        let lexer = self.lexer(arrays.iter().copied());
        walk_at(self, lexer, &mut counter, source)?;
        Ok(arrays
            .iter()
            .map(|name| (*name).to_owned())
            .zip(counter.counts)
            .collect())
    }
}
