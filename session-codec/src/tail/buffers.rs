//! The window over bytes that come once: holds the bytes of the last elements
//! and of the other members as they stream by. Owns those buffers; must not
//! know the lexer's states.

use super::{
    assemble::Assembly,
    window::{Tallies, Tally, Window},
};
use crate::{
    Error, LimitKind, Limits, RESERVED, TailCap,
    lexer::{Key, Piece, Stop, Visit, Watch},
    members::Members,
};

/// A stretch of the document held in memory.
#[derive(Debug, Default)]
struct Held {
    from: u64,
    bytes: Vec<u8>,
}

impl Held {
    fn end(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }

    /// Lets go of what stands before `from`. Bytes move only when at least half
    /// of the buffer is given up, so each byte moves once on average.
    fn forget_before(&mut self, from: u64) {
        if from <= self.from {
            return;
        }
        let gone = usize::try_from(from - self.from).unwrap_or(usize::MAX);
        if gone >= self.bytes.len() {
            self.bytes.clear();
            self.from = from;
        } else if gone > self.bytes.len() / 2 {
            self.bytes.drain(..gone);
            self.from = from;
        }
    }

    /// Takes what a piece holds from the held end up to `to`.
    fn take(&mut self, piece: Piece<'_>, to: u64) {
        self.bytes.extend_from_slice(piece.between(self.end(), to));
    }

    /// Cuts the stretch to a range within it.
    fn cut(&mut self, from: u64, to: u64) {
        self.bytes
            .truncate(usize::try_from(to.saturating_sub(self.from)).unwrap_or(0));
        let gone = usize::try_from(from.saturating_sub(self.from)).unwrap_or(usize::MAX);
        self.bytes.drain(..gone.min(self.bytes.len()));
        self.from = from;
    }
}

#[derive(Debug)]
enum Part {
    Member(Held),
    Array { cap: usize, held: Held },
}

#[derive(Debug)]
enum Current {
    /// Between members.
    Nothing,
    /// A member whose bytes are held, from its name on.
    Open(Held),
    Named {
        cap: usize,
        keep: usize,
        held: Held,
    },
    Capped {
        cap: usize,
        window: Window,
        held: Held,
    },
}

#[derive(Debug)]
pub(super) struct Buffers<'a> {
    cap: &'a TailCap,
    limits: Limits,
    members: Members,
    parts: Vec<Part>,
    held: u64,
    tallies: Tallies,
    current: Current,
    root: (u64, u64),
    bare: bool,
    strict: bool,
}

impl<'a> Buffers<'a> {
    pub(super) fn new(cap: &'a TailCap, limits: &Limits, strict: bool) -> Self {
        Self {
            cap,
            limits: *limits,
            members: Members::new(limits),
            parts: Vec::new(),
            held: 0,
            tallies: Tallies::new(cap),
            current: Current::Nothing,
            root: (0, 0),
            bare: false,
            strict,
        }
    }

    /// Puts the held bytes together.
    pub(super) fn assemble(self) -> (Assembly, Tallies) {
        let names: Vec<_> = self.cap.arrays().map(|(name, _)| name).collect();
        let bytes = usize::try_from(self.held).unwrap_or(0);
        let mut assembly = Assembly::new(bytes, self.bare, self.root);
        for part in self.parts {
            let (held, name) = match part {
                Part::Member(held) => (held, None),
                Part::Array { cap, held } => (held, Some(names[cap])),
            };
            let from = held.from;
            let copy = |json: &mut Vec<u8>, _| {
                json.extend_from_slice(&held.bytes);
                Ok::<_, std::convert::Infallible>(json.len())
            };
            let Ok(()) = match name {
                None => assembly.member(from, copy),
                Some(name) => assembly.array(name, from, copy),
            };
        }
        (assembly, self.tallies)
    }

    fn check_held(&self, more: usize) -> Result<(), Stop> {
        let limit = self.limits.kept_bytes;
        if self.held.saturating_add(more as u64) > limit {
            let offset = self.root.0;
            return Err(Error::Limit {
                offset,
                what: LimitKind::KeptBytes,
                limit,
            }
            .into());
        }
        Ok(())
    }

    /// Brings what is held of the current member up to `to`.
    fn catch_up(&mut self, piece: Piece<'_>, to: u64) -> Result<(), Stop> {
        let more = match &mut self.current {
            Current::Nothing => return Ok(()),
            Current::Open(held) | Current::Named { held, .. } => {
                held.take(piece, to);
                held.bytes.len()
            }
            Current::Capped { window, held, .. } => {
                let Some(from) = window.from() else {
                    return Ok(());
                };
                held.forget_before(from);
                // White space may follow the element; what ends in it is looked
                // at when there is more.
                let solid = piece.between(0, to).trim_ascii_end().len();
                if solid > 0 && window.is_over(piece.base + solid as u64) {
                    // Either enough elements follow to drop this one and all
                    // before it, or the document is refused: none is needed.
                    held.bytes = Vec::new();
                    held.from = to;
                } else {
                    held.take(piece, to);
                }
                held.bytes.len()
            }
        };
        self.check_held(more)
    }

    fn keep(&mut self, part: Part) {
        let (Part::Member(held) | Part::Array { held, .. }) = &part;
        self.held += held.bytes.len() as u64;
        self.parts.push(part);
    }
}

impl Visit for Buffers<'_> {
    fn root(&mut self, at: u64, first: u8) -> Result<(), Stop> {
        self.root.0 = at;
        self.bare = first != b'{';
        if self.bare {
            self.current = Current::Open(Held {
                from: at,
                bytes: Vec::new(),
            });
        }
        Ok(())
    }

    fn root_end(&mut self, at: u64, piece: Piece<'_>) -> Result<(), Stop> {
        self.root.1 = at;
        if self.bare {
            self.value_end(at, piece)
        } else {
            Ok(())
        }
    }

    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        self.members.count(at)?;
        self.current = Current::Open(Held {
            from: at,
            bytes: Vec::new(),
        });
        Ok(())
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        let found = self
            .cap
            .arrays()
            .enumerate()
            .find(|(_, (name, _))| key.is(name));
        if key.is(RESERVED) {
            self.current = Current::Nothing;
        } else if let Some((cap, (_, keep))) = found
            && let Current::Open(held) = std::mem::replace(&mut self.current, Current::Nothing)
        {
            self.current = Current::Named { cap, keep, held };
        }
        Ok(())
    }

    fn value(&mut self, _at: u64, first: u8) -> Result<Watch, Stop> {
        let Current::Named { cap, keep, .. } = self.current else {
            return Ok(Watch::Nothing);
        };
        if first == b'[' {
            let window = Window::new(keep, self.limits.element_bytes);
            self.current = Current::Capped {
                cap,
                window,
                held: Held::default(),
            };
            return Ok(Watch::elements(self.strict));
        }
        self.tallies.set(cap, Tally::default());
        Ok(Watch::Nothing)
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        if let Current::Capped { window, .. } = &mut self.current {
            window.element_start(at);
        }
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        if let Current::Capped { window, .. } = &mut self.current {
            window.element_end(at);
        }
        Ok(())
    }

    fn value_end(&mut self, at: u64, piece: Piece<'_>) -> Result<(), Stop> {
        let to = match &self.current {
            Current::Capped { window, .. } => window.last_end(),
            _ => at,
        };
        self.catch_up(piece, to)?;
        match std::mem::replace(&mut self.current, Current::Nothing) {
            Current::Nothing => {}
            Current::Open(held) | Current::Named { held, .. } => self.keep(Part::Member(held)),
            Current::Capped {
                cap,
                window,
                mut held,
            } => {
                let (kept, tally) = window.finish()?;
                self.tallies.set(cap, tally);
                held.cut(kept.start, kept.end);
                self.keep(Part::Array { cap, held });
            }
        }
        Ok(())
    }

    fn piece_end(&mut self, piece: Piece<'_>) -> Result<(), Stop> {
        self.catch_up(piece, piece.end())
    }
}
