//! A journal's bytes read from the first to the last, whole or piece by piece: what counts, what a crash tore, and what is
//! damaged. Must not know what becomes of it.

#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::io;

use session_codec::{ReadAt, Revision, RevisionHasher, TailCap};

use super::MOST_NAMES;
use super::overlay::begin_hash;
use super::parse::{Added, Damage, Held, Journal, LetGo, text};
use super::record::{
    AdditionKind, Begin, FRAME, Part, Record, TITLE, find_parts, is_cut_short, unframe,
};
use super::search::Search;

/// What is said of a record that does not belong where it stands, or not into any journal.
const MEANINGLESS: &str = "a journal record that has no meaning here";

/// How a journal's end is read.
#[derive(Clone, Copy, Debug)]
struct Steps {
    /// The bytes that are read at once: few enough to be in a processor's cache still when the last look at them is taken. New memory
    /// costs twice what reading into it does, so what is let go makes room for what comes.
    piece: usize,
    /// The bytes up to which an append is held for a wanted element in it; then that is copied out of it.
    held: usize,
}

const STEPS: Steps = Steps {
    piece: 256 << 10,
    held: 1 << 20,
};

/// The least that is read at once: more than enough for the byte that a file does not have.
const GROWN: usize = 64;

impl Journal {
    /// Reads a journal.
    ///
    /// What follows the last whole record is a tail that a crash tore, unless another whole record follows: then
    /// something in the middle was damaged, and what comes after it was acknowledged.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Damage> {
        let mut reading = Reading::new(bytes, None, STEPS);
        reading.take_records(true)?;
        reading.finish()
    }

    /// Reads a journal of `size` bytes or more for the last elements of some arrays, as many as the cap keeps, and the last
    /// value of each member. Of others in these arrays only their number is kept. `None` where reading all of it has more to say.
    pub(crate) fn end_of<R: ReadAt + ?Sized>(
        source: &R,
        size: u64,
        cap: &TailCap,
    ) -> io::Result<Option<Self>> {
        Self::end_in(source, size, cap, STEPS)
    }

    fn end_in<R: ReadAt + ?Sized>(
        source: &R,
        size: u64,
        cap: &TailCap,
        steps: Steps,
    ) -> io::Result<Option<Self>> {
        // A piece, and what may be left of two before it when nothing is wanted.
        let room = usize::try_from(size)
            .unwrap_or(usize::MAX)
            .saturating_add(GROWN);
        let held = Vec::with_capacity(room.min(3 * steps.piece));
        let mut reading = Reading::new(held, Some(cap), steps);
        loop {
            reading.let_go();
            let is_all = reading.fill(source, size)?;
            match reading.take_records(is_all) {
                Ok(_) if is_all => return Ok(reading.finish().ok()),
                Ok(true) => {}
                // What follows a broken record is searched for whole ones, by who reads everything.
                Ok(false) | Err(_) => return Ok(None),
            }
        }
    }
}

/// How far a journal was read. Places are those in the file.
struct Reading<'c> {
    held: Held,
    /// The end of the last whole record.
    end: usize,
    next: u64,
    begin: Option<(Begin, RevisionHasher)>,
    added: VecDeque<Added>,
    parts: VecDeque<Part>,
    replaced: Vec<(usize, Revision)>,
    let_go: LetGo,
    /// The arrays of which not all elements are wanted.
    wanted: Option<Vec<Wanted<'c>>>,
    /// The arrays and members that were named so far.
    names: HashSet<Box<[u8]>>,
    steps: Steps,
}

/// An array of which the last elements are wanted.
struct Wanted<'c> {
    array: &'c str,
    keep: u64,
    held: u64,
}

impl<'c> Reading<'c> {
    fn new(bytes: Vec<u8>, cap: Option<&'c TailCap>, steps: Steps) -> Self {
        let wanted = |(array, keep)| Wanted {
            array,
            keep: keep as u64,
            held: 0,
        };
        Self {
            held: Held { bytes, base: 0 },
            end: 0,
            next: 0,
            begin: None,
            added: VecDeque::new(),
            parts: VecDeque::new(),
            replaced: Vec::new(),
            let_go: LetGo::default(),
            wanted: cap.map(|cap| cap.arrays().map(wanted).collect()),
            names: HashSet::new(),
            steps,
        }
    }

    /// Takes all whole records that are there; `false` once one is not, so that nothing after it is taken.
    fn take_records(&mut self, is_all: bool) -> Result<bool, Damage> {
        let damage = |offset, reason| Err(Damage { offset, reason });
        if self.end == 0 {
            if !self.held.bytes.starts_with(TITLE) {
                return damage(0, "not a journal of this version");
            }
            self.end = TITLE.len();
        }
        while let Some(payload) = unframe(self.held.from(self.end), self.next) {
            let start = self.end + FRAME;
            match (Record::parse(payload), &mut self.begin) {
                (Some(Record::Begin(begin)), none @ None) => {
                    let hasher = begin_hash(begin.revision);
                    *none = Some((begin, hasher));
                }
                (Some(Record::Added), Some((_, hasher))) => {
                    hasher.update(payload);
                    let before = self.parts.len();
                    if find_parts(payload, &mut self.parts).is_none() {
                        return damage(self.end, MEANINGLESS);
                    }
                    let gone = self.let_go.parts;
                    self.added.push_back(Added {
                        payload: start..start + payload.len(),
                        parts: gone + before..gone + self.parts.len(),
                    });
                    for part in self.parts.range(before..) {
                        let [name, _] = part.texts(payload);
                        if !self.names.contains(name) {
                            if self.names.len() == MOST_NAMES {
                                return damage(self.end, "a journal that names too many members");
                            }
                            self.names.insert(name.into());
                        }
                        if let Some(wanted) = wanted(&mut self.wanted, part, name) {
                            wanted.held += 1;
                        }
                    }
                }
                (Some(Record::Replaced(revision)), Some(_)) => {
                    let before = self.let_go.appends + self.added.len();
                    self.replaced.push((before, revision));
                }
                _ => return damage(self.end, MEANINGLESS),
            }
            self.end = start + payload.len();
            self.next += 1;
        }
        Ok(!is_all && is_cut_short(self.held.from(self.end)))
    }

    /// Lets go of the first appends, as long as nothing that they add is among what is wanted, or is little beside what comes after it.
    fn let_go(&mut self) {
        self.drop_carried();
        while let Some(first) = self.added.front() {
            let behind = self.end - first.payload.start;
            if behind < self.steps.held && !self.is_spare(first) {
                break;
            }
            let (payload, parts) = (self.held.at(&first.payload), first.parts.len());
            for part in self.parts.drain(..parts) {
                let [name, json] = part.texts(payload);
                match wanted(&mut self.wanted, &part, name) {
                    Some(wanted) if wanted.held > wanted.keep => {
                        wanted.held -= 1;
                        self.let_go.count(text(name));
                    }
                    _ if part.kind == AdditionKind::Element => {
                        let element = (text(name).to_owned(), text(json).to_owned());
                        self.let_go.carried.push_back(element);
                    }
                    _ => self.let_go.set(text(name), text(json)),
                }
            }
            self.let_go.appends += 1;
            self.let_go.parts += parts;
            self.added.pop_front();
        }
        let first = self.added.front();
        let from = first.map_or(self.end, |added| added.payload.start - FRAME);
        let (held, stays) = (self.held.bytes.len(), self.held.from(from).len());
        // What stays is moved, so that no byte is moved more than once for each that goes.
        if held - stays >= self.steps.piece.max(stays) {
            self.held.let_go(from);
        }
    }

    /// Drops elements that were carried on until as many came after them as are wanted.
    fn drop_carried(&mut self) {
        let arrays = self.wanted.iter_mut().flatten();
        for wanted in arrays.filter(|wanted| wanted.held > wanted.keep) {
            let let_go = &mut self.let_go;
            let is_wanted = |(name, _): &(String, String)| {
                let is_spare = name == wanted.array && wanted.held > wanted.keep;
                wanted.held -= u64::from(is_spare);
                !is_spare
            };
            let before = let_go.carried.len();
            let_go.carried.retain(is_wanted);
            (let_go.carried.len()..before).for_each(|_| let_go.count(wanted.array));
        }
    }

    /// Whether an append has no element that is wanted.
    fn is_spare(&self, append: &Added) -> bool {
        let Some(wanted) = &self.wanted else {
            return false;
        };
        let payload = self.held.at(&append.payload);
        let elements = || {
            let parts = self.parts.range(..append.parts.len());
            parts
                .filter(|part| part.kind == AdditionKind::Element)
                .map(|part| part.texts(payload)[0])
        };
        let is_known = |name: &[u8]| wanted.iter().any(|wanted| wanted.array.as_bytes() == name);
        elements().all(is_known)
            && wanted.iter().all(|wanted| {
                let here = elements().filter(|name| *name == wanted.array.as_bytes());
                let here = here.count() as u64;
                here == 0 || wanted.held - here >= wanted.keep
            })
    }

    /// Reads on, and says whether that was the end.
    fn fill<R: ReadAt + ?Sized>(&mut self, source: &R, size: u64) -> io::Result<bool> {
        let Held { bytes, base } = &mut self.held;
        let held = bytes.len();
        // One byte more than there should be, so that the end is seen; what was added since is read as it comes.
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let next = match size.checked_sub(*base + held) {
            Some(left) if left > 0 || held == 0 => left.saturating_add(1).max(GROWN),
            _ => self.steps.piece,
        };
        let next = next.min(self.steps.piece);
        let room = bytes.try_reserve(next);
        room.map_err(|_| io::ErrorKind::OutOfMemory)?;
        bytes.resize(held + next, 0);
        let filled = source.fill_at(&mut bytes[held..], (*base + held) as u64)?;
        bytes.truncate(held + filled);
        Ok(filled < next)
    }

    /// Gives the journal, unless what follows its last whole record is damaged.
    fn finish(self) -> Result<Journal, Damage> {
        let damage = |offset, reason| Err(Damage { offset, reason });
        let Some((begin, hasher)) = self.begin else {
            return damage(self.end, "a journal that does not say what it extends");
        };
        // Where the search is given up, whole ones may follow, and nothing is thrown away.
        let rest = self.held.from(self.end);
        let is_last = matches!(Search::new(rest).find(0, self.next, |_, _| true), Ok(None));
        if !is_last {
            let reason = "a damaged journal record with whole ones after it";
            return damage(self.end, reason);
        }
        Ok(Journal {
            held: self.held,
            begin,
            hasher,
            added: self.added,
            parts: self.parts,
            replaced: self.replaced,
            let_go: self.let_go,
            end: self.end,
            next: self.next,
        })
    }
}

/// The array that a part adds an element to, if not all of its elements are wanted.
fn wanted<'w, 'c>(
    wanted: &'w mut Option<Vec<Wanted<'c>>>,
    part: &Part,
    name: &[u8],
) -> Option<&'w mut Wanted<'c>> {
    if part.kind != AdditionKind::Element {
        return None;
    }
    let mut wanted = wanted.as_mut()?.iter_mut();
    wanted.find(|wanted| wanted.array.as_bytes() == name)
}
