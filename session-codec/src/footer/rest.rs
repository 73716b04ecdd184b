//! The members around the marked arrays, read as a document whose marked arrays
//! are empty. Owns the check that the arrays stand where a footer says; must
//! not know what is kept of them.

use super::{Footer, FooterFault};
use crate::{
    Codec, Limits, Parser, RESERVED,
    lexer::{Key, Piece, Stop, Visit, Watch},
    members::Members,
};

/// Checks the grammar of the stretches around the marked arrays, that each
/// stands where two of them meet, and that nothing else would be an array to
/// shorten or a footer.
pub(super) fn check<P: Parser>(
    codec: &Codec<P>,
    footer: &Footer,
    capped: &[&str],
    stretches: &[&[u8]],
) -> Result<(), FooterFault> {
    let mut meet = 0;
    let meets = stretches.iter().map(|stretch| {
        meet += stretch.len() as u64;
        meet
    });
    let mut rest = Rest {
        footer,
        capped,
        meets: meets.collect(),
        members: Members::new(&codec.limits),
        current: Current::Other,
        passed: 0,
        fault: FooterFault::Structure,
    };
    let marked = footer.arrays.iter().map(|array| array.name.as_str());
    let mut lexer = codec.lexer(marked.chain(capped.iter().copied()));
    let checked = stretches
        .iter()
        .try_for_each(|stretch| lexer.feed(stretch, &mut rest))
        // The footer itself is a member too.
        .and_then(|()| Ok(rest.members.count(footer.body)?))
        .and_then(|()| lexer.feed(b"}", &mut rest))
        .and_then(|()| lexer.finish(&mut rest));
    if checked.is_err() || rest.passed != footer.arrays.len() {
        return Err(rest.fault);
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Current {
    Other,
    Capped,
    Marked,
}

#[derive(Debug)]
struct Rest<'a> {
    footer: &'a Footer,
    capped: &'a [&'a str],
    /// Offsets in the rest at which stretches end.
    meets: Vec<u64>,
    members: Members,
    current: Current,
    /// Marked arrays whose member has ended.
    passed: usize,
    fault: FooterFault,
}

impl Rest<'_> {
    fn stop(&mut self, fault: FooterFault) -> Stop {
        self.fault = fault;
        Stop::Enough
    }

    fn meet(&self) -> u64 {
        self.meets.get(self.passed).copied().unwrap_or(0)
    }
}

impl Visit for Rest<'_> {
    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        Ok(self.members.count(at)?)
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        let names = self.footer.arrays.iter().map(|array| array.name.as_str());
        if key.is(RESERVED) {
            return Err(self.stop(FooterFault::Misplaced));
        }
        self.current = match key.among(names) {
            Some(array) if array == self.passed => Current::Marked,
            Some(_) => return Err(self.stop(FooterFault::Structure)),
            None if key.among(self.capped.iter().copied()).is_some() => Current::Capped,
            None => Current::Other,
        };
        Ok(())
    }

    fn value(&mut self, at: u64, first: u8) -> Result<Watch, Stop> {
        match self.current {
            Current::Marked if first == b'[' && at < self.meet() => Ok(Watch::Elements),
            Current::Marked => Err(self.stop(FooterFault::Structure)),
            Current::Capped if first == b'[' => Err(self.stop(FooterFault::Unmarked)),
            Current::Capped | Current::Other => Ok(Watch::Nothing),
        }
    }

    fn element_start(&mut self, _at: u64) -> Result<(), Stop> {
        Err(self.stop(FooterFault::Structure))
    }

    fn value_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        if let Current::Marked = self.current {
            if at <= self.meet() {
                return Err(self.stop(FooterFault::Structure));
            }
            self.passed += 1;
        }
        Ok(())
    }
}

/// Returns where in a segment, which begins with an element, another starts or
/// ends; `None` if it has no such element.
pub(super) fn edge(segment: &[u8], number: u64, edge: Edge, limits: &Limits) -> Option<usize> {
    const BEFORE: &[u8] = b"{\"\":[";
    if number == 0 && edge == Edge::Start {
        return Some(0);
    }
    let mut elements = Elements {
        left: number,
        edge,
        found: None,
    };
    let mut lexer = crate::lexer::Lexer::new(limits.depth, 0);
    lexer.feed(BEFORE, &mut elements).ok()?;
    // A segment may end behind its last element's comma, or right behind a number.
    let _ = lexer.feed(segment, &mut elements);
    if elements.found.is_none() {
        let _ = lexer.feed(b"]", &mut elements);
    }
    usize::try_from(elements.found? - BEFORE.len() as u64).ok()
}

/// Which side of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Start,
    End,
}

#[derive(Debug)]
struct Elements {
    left: u64,
    edge: Edge,
    found: Option<u64>,
}

impl Visit for Elements {
    fn value(&mut self, _at: u64, _first: u8) -> Result<Watch, Stop> {
        Ok(Watch::Elements)
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        if self.left == 0 && self.edge == Edge::Start {
            self.found = Some(at);
            return Err(Stop::Enough);
        }
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        if self.left == 0 {
            self.found = Some(at);
            return Err(Stop::Enough);
        }
        self.left -= 1;
        Ok(())
    }
}
