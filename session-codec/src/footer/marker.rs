//! Marks made while a document goes by. Owns where segments end and how they
//! are merged; must not know how the document is written.

use std::ops::Range;

use super::{Footer, MarkedArray, Segment, text};
use crate::Revision;

/// Bytes after which the next element begins a segment: what a window reads in
/// vain before its first element is shorter.
const SHORTEST: u64 = 8 << 10;
/// Bytes up to which neighbours are merged wherever they stand.
const NEAR: u64 = 16 << 10;
/// What a window reads in vain is at most this part of it.
const SLACK: u64 = 16;
/// No segment is merged beyond this part of the document.
const PARTS: u64 = 192;
/// Segments an array may have before neighbours are merged: far more than a
/// merge leaves, so that merging costs little, and 48 KiB.
const CROWD: usize = 2048;

/// Follows a document: is told of the elements of the marked arrays, then given
/// the bytes.
///
/// Memory is at most about 48 KiB an array. Every call tells a place at or after
/// all bytes given so far, so that a stretch can end there.
#[derive(Debug)]
pub(crate) struct Marker {
    names: &'static [&'static str],
    depth: u32,
    /// Set when the document is of a kind that is not marked.
    given_up: bool,
    arrays: Vec<MarkedArray>,
    rest: Vec<u32>,
    largest: u64,
    /// Whether the array being read has an element yet.
    inside: Inside,
    element: u64,
    segment: u64,
    elements: u64,
    /// Ends of stretches whose bytes are still to come.
    cuts: Vec<Cut>,
    at: u64,
    hasher: crc32fast::Hasher,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Empty,
    Elements,
}

#[derive(Debug)]
struct Cut {
    at: u64,
    /// A segment of this array with so many elements, or a stretch of the rest.
    of: Option<(usize, u64)>,
}

impl Marker {
    /// Starts before a document whose arrays `names` are to be marked, nested at
    /// most `depth` deep.
    pub(crate) fn new(names: &'static [&'static str], depth: u32) -> Self {
        Self {
            names,
            depth,
            given_up: names.is_empty() || depth < text::DEPTH,
            arrays: Vec::new(),
            rest: Vec::new(),
            largest: 0,
            inside: Inside::Nothing,
            element: 0,
            segment: 0,
            elements: 0,
            cuts: Vec::new(),
            at: 0,
            hasher: crc32fast::Hasher::new(),
        }
    }

    pub(crate) fn names(&self) -> &'static [&'static str] {
        self.names
    }

    /// Makes no footer after all.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// The value of the member `name`, an array, starts.
    pub(crate) fn array(&mut self, name: usize) {
        let name = self.names[name];
        if self.arrays.iter().any(|array| array.name == name) {
            self.given_up = true;
        }
        self.arrays.push(MarkedArray {
            name: name.to_owned(),
            count: 0,
            start: 0,
            end: 0,
            segments: Vec::new(),
        });
        self.inside = Inside::Empty;
    }

    #[inline]
    pub(crate) fn element_start(&mut self, at: u64) {
        match self.inside {
            Inside::Nothing => return,
            Inside::Empty => self.elements_start(at),
            Inside::Elements if at - self.segment >= SHORTEST => self.end_segment(at),
            Inside::Elements => {}
        }
        self.element = at;
    }

    #[inline]
    pub(crate) fn element_end(&mut self, at: u64) {
        if self.inside == Inside::Elements {
            self.elements += 1;
            self.largest = self.largest.max(at - self.element);
        }
    }

    /// The array ends, with its closing bracket at `at`.
    pub(crate) fn array_end(&mut self, at: u64) {
        match self.inside {
            Inside::Nothing => return,
            Inside::Empty => self.elements_start(at),
            Inside::Elements => self.end_segment(at),
        }
        if let Some(array) = self.arrays.last_mut() {
            array.end = at;
        }
        self.inside = Inside::Nothing;
    }

    fn elements_start(&mut self, at: u64) {
        if let Some(array) = self.arrays.last_mut() {
            array.start = at;
        }
        self.cuts.push(Cut { at, of: None });
        self.inside = Inside::Elements;
        self.segment = at;
        self.elements = 0;
    }

    fn end_segment(&mut self, at: u64) {
        let of = self.arrays.len().checked_sub(1);
        let elements = std::mem::take(&mut self.elements);
        self.cuts.push(Cut {
            at,
            of: of.map(|array| (array, elements)),
        });
        self.segment = at;
    }

    /// Takes the next bytes of the document.
    pub(crate) fn absorb(&mut self, mut bytes: &[u8]) {
        if self.given_up {
            return;
        }
        let mut cuts = std::mem::take(&mut self.cuts);
        let mut done = 0;
        for cut in &cuts {
            // At most the length of the slice, so it fits.
            let Ok(to) = usize::try_from(cut.at - self.at) else {
                break;
            };
            let Some((now, later)) = bytes.split_at_checked(to) else {
                break;
            };
            self.hash(now);
            bytes = later;
            self.end_stretch(cut.of);
            done += 1;
        }
        cuts.drain(..done);
        self.cuts = cuts;
        self.hash(bytes);
    }

    fn hash(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.at += bytes.len() as u64;
    }

    fn end_stretch(&mut self, of: Option<(usize, u64)>) {
        let hasher = std::mem::take(&mut self.hasher);
        let bytes = hasher.total_len();
        let checksum = hasher.finalize();
        let Some((array, count)) = of else {
            self.rest.push(checksum);
            return;
        };
        let array = &mut self.arrays[array];
        array.count += count;
        array.segments.push(Segment {
            bytes,
            count,
            checksum,
        });
        if array.segments.len() >= CROWD {
            merge(&mut array.segments, self.at);
        }
    }

    /// Ends the document with its footer: the text that follows the body, the
    /// closing brace included. `None` if there is to be no footer.
    pub(crate) fn finish(mut self, revision: Revision) -> Option<Vec<u8>> {
        if self.given_up || self.arrays.is_empty() {
            return None;
        }
        self.end_stretch(None);
        for array in &mut self.arrays {
            merge(&mut array.segments, self.at);
        }
        Some(text::write(&Footer {
            body: self.at,
            revision,
            depth: self.depth,
            largest: self.largest,
            rest: self.rest,
            arrays: self.arrays,
        }))
    }
}

/// Merges neighbours as far as a window that begins in them can bear it, given
/// the length of the document so far. What is merged early is merged less than
/// it could be later, as both bounds grow with the document.
fn merge(segments: &mut Vec<Segment>, document: u64) {
    let part = (document / PARTS).max(NEAR);
    // From the end, so that the distance to it is known; kept in place.
    let mut free = segments.len();
    let mut behind = 0;
    for index in (0..segments.len()).rev() {
        let segment = segments[index];
        let before = segments.get(free).copied();
        let limit = (behind / SLACK).clamp(NEAR, part);
        match before {
            Some(next) if segment.bytes + next.bytes <= limit => {
                segments[free] = joined(segment, next);
            }
            _ => {
                behind += before.map_or(0, |next| next.bytes);
                free -= 1;
                segments[free] = segment;
            }
        }
    }
    segments.drain(..free);
}

fn joined(first: Segment, second: Segment) -> Segment {
    let mut hasher = crc32fast::Hasher::new_with_initial_len(first.checksum, first.bytes);
    hasher.combine(&crc32fast::Hasher::new_with_initial_len(
        second.checksum,
        second.bytes,
    ));
    Segment {
        bytes: first.bytes + second.bytes,
        count: first.count + second.count,
        checksum: hasher.finalize(),
    }
}

/// Finds the segments that hold the elements `wanted`, which are fewer than the
/// array has.
pub(super) fn covering(array: &MarkedArray, wanted: &Range<u64>) -> Covering {
    let mut covering = Covering {
        segments: 0..0,
        bytes: array.start..array.start,
        first: 0,
    };
    let (mut at, mut number) = (array.start, 0);
    for (index, segment) in array.segments.iter().enumerate() {
        let (bytes, count) = (at + segment.bytes, number + segment.count);
        if number < wanted.end && wanted.start < count && wanted.start < wanted.end {
            if covering.segments.is_empty() {
                covering.segments.start = index;
                covering.bytes.start = at;
                covering.first = number;
            }
            covering.segments.end = index + 1;
            covering.bytes.end = bytes;
        }
        (at, number) = (bytes, count);
    }
    covering
}

/// Segments that hold some elements.
#[derive(Debug)]
pub(super) struct Covering {
    pub(super) segments: Range<usize>,
    pub(super) bytes: Range<u64>,
    /// Number of the first element in them.
    pub(super) first: u64,
}
