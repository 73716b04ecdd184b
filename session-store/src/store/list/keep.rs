//! When a catalogue may be believed, and what is written into the next one.
//!
//! Owns the rules of trust: the directory's stamp, the files' stamps, the age of both. Must not know how a catalogue is
//! laid out.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::time::{Duration, SystemTime};

use session_index::Stamp;
use session_model::{SessionId, SessionRecord};

use super::Seen;
use super::pick::Counted;
use crate::backend::{BackendRejected, Blob, BlobStat, Lock, LockName, RejectReason, publish_now};
use crate::builder::Access;
use crate::catalogue::{Catalogue, Header, Joined, NAME, Notes, Row, Rows, Unlisted, Writer};
use crate::corpus::Files;
use crate::store::SessionStore;
use crate::{Durability, Error};

/// How old a file's last change has to be where the clock may be coarse, in nanoseconds: the coarsest clock in use, FAT's,
/// ticks every two seconds.
const TICK: i128 = 2_000_000_000;
/// The same where another machine's clock may have stamped the file: more than such clocks usually differ.
const FOREIGN_TICK: i128 = 60_000_000_000;
/// What was changed this long before a catalogue was made may not have reached the disk when the system went down, in
/// nanoseconds. Linux writes within 35 seconds.
const UNWRITTEN: i128 = 120_000_000_000;

/// About how many bytes a row takes in a catalogue, and how many are written in any case.
const ROW: u64 = 256;
const WRITTEN: u64 = 16 << 10;
/// The most bytes of rows of sessions with a journal that a catalogue keeps: each listing reads them.
const MOST_JOINED: usize = 4 << 20;

/// What is known before anything is listed.
#[derive(Debug)]
pub(super) struct Known {
    /// The directory's stamp, taken before anything else; `None` where it would prove nothing.
    stamp: Option<Stamp>,
    /// When the call began, in nanoseconds since the Unix epoch.
    since: i128,
    pub(super) catalogue: Option<Catalogue>,
}

impl Known {
    /// Whether the catalogue was made of the directory as it is.
    pub(super) fn is_proven(&self) -> bool {
        let header = self.catalogue.as_ref().map(|catalogue| catalogue.header);
        self.stamp.is_some() && header.is_some_and(|header| header.stamp == self.stamp)
    }

    /// Whether the directory has now the stamp that it had before anything was listed.
    pub(super) fn has_stamp(&self, now: Option<Stamp>) -> bool {
        now.is_some() && now == self.stamp
    }

    /// Whether a row of the catalogue stands for the file that has its stamp.
    pub(super) fn trusts(&self, row: &Row<'_>) -> bool {
        self.stands_for(&row.stat)
    }

    /// The sessions with a journal whose rows stand for the two files that have their stamps.
    pub(super) fn joined(&self) -> HashMap<&str, (&Joined, Row<'_>)> {
        let notes = self.catalogue.iter().map(|catalogue| &catalogue.notes);
        let joined = notes.flat_map(|notes| &notes.joined);
        let trusted = joined.filter(|joined| {
            self.stands_for(&joined.files.document) && self.stands_for(&joined.files.journal)
        });
        let rows = trusted.filter_map(|joined| Some((joined, joined.row()?)));
        rows.map(|(joined, row)| (row.id, (joined, row))).collect()
    }

    fn stands_for(&self, stat: &BlobStat) -> bool {
        let Some(header) = self.catalogue.as_ref().map(|catalogue| catalogue.header) else {
            return false;
        };
        // After a crash a file may have its stamp without its content.
        let same_run =
            header.boot != 0 && self.stamp.is_some_and(|stamp| stamp.boot == header.boot);
        same_run || stat.changed < header.since.saturating_sub(UNWRITTEN)
    }

    /// Whether a file may yet change without its stamp changing, if the clock is coarse.
    fn is_young(&self, stat: &BlobStat) -> bool {
        let tick = if self.stamp.is_some() {
            TICK
        } else {
            FOREIGN_TICK
        };
        stat.changed > self.since - tick
    }

    /// Whether sessions that had to be looked at again could be kept by now. Those with a journal change with each append: they
    /// are kept anew once there is more to be read again than to be written.
    pub(super) fn would_settle(&self, seen: &Seen, journals: &[String]) -> bool {
        let rows = self.catalogue.as_ref().map_or(0, Catalogue::rows);
        let written = WRITTEN.max(rows.saturating_mul(ROW));
        if seen.bytes.len() < MOST_JOINED && self.read_again(seen) > written {
            return true;
        }
        let has_journal =
            |row: &Row<'_>| journals.binary_search_by(|id| (**id).cmp(row.id)).is_ok();
        seen.rows()
            .any(|row| !self.is_young(&row.stat) && !has_journal(&row) && Writer::takes(&row))
    }

    /// The bytes of journals that were read, and would not be once a catalogue kept their sessions.
    fn read_again(&self, seen: &Seen) -> u64 {
        let settles =
            |files: &Files| !self.is_young(&files.document) && !self.is_young(&files.journal);
        let size = |row: Row<'_>| {
            let pair = seen.joined.get(row.id)?;
            let is_new = !pair.is_kept && pair.unfolded.is_some();
            (is_new && settles(&pair.files) && Writer::takes(&row))
                .then_some(pair.files.journal.size)
        };
        if seen.joined.is_empty() {
            return 0;
        }
        seen.rows().filter_map(size).sum()
    }
}

/// All that a catalogue is made of.
struct Content<'c> {
    known: &'c Known,
    /// Newest first.
    rows: &'c [&'c Row<'c>],
    /// Where the rows of files that were read come from.
    seen: &'c Seen,
    /// The ids of those.
    fresh: &'c HashSet<&'c str>,
    counted: &'c Counted,
    notes: Notes,
    /// The sessions that have a journal, sorted.
    journals: &'c [String],
    /// Whether the directory has nothing else.
    is_whole: bool,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Takes the directory's stamp and opens the catalogue, in this order.
    pub(super) fn known(&self) -> Known {
        // A directory that cannot be looked at is reported by whoever lists it.
        let stamp = self.shared.backend.stamp().ok().flatten();
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let since = since.map_or(0, |since| {
            i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)
        });
        let catalogue = self
            .shared
            .keeps_catalogue
            .then(|| Catalogue::open(&*self.shared.backend, self.catalogue_kind()))
            .flatten();
        Known {
            stamp,
            since,
            catalogue,
        }
    }

    /// Tells catalogues apart whose rows would not be read the same: by the record's type and by the limits.
    fn catalogue_kind(&self) -> u64 {
        let kind = format!(
            "{:?} {:?} {:?}",
            S::DIRECTORY,
            S::CAPPED.first(),
            self.shared.limits
        );
        let (low, high) = (crc32fast::hash(kind.as_bytes()), kind.len() as u64);
        u64::from(low) | high << 32
    }

    /// Keeps what a listing of the files found, unless the catalogue says it already.
    pub(super) fn keep(
        &self,
        known: &Known,
        rows: &[&Row<'_>],
        seen: &Seen,
        counted: &Counted,
        rejected: &[BackendRejected],
        journals: &[String],
    ) {
        if !self.writes_catalogues() {
            return;
        }
        let mut notes = Notes {
            unsettled: seen.unreadable.clone(),
            ..Notes::default()
        };
        let mut is_whole = true;
        for rejected in rejected {
            let kind = match rejected.reason {
                RejectReason::Kind(kind) => Some(kind),
                RejectReason::Name => None,
                RejectReason::Io(_) => {
                    is_whole = false;
                    continue;
                }
            };
            let name = rejected.name.clone();
            notes.unlisted.push(Unlisted { name, kind });
        }
        let fresh = seen.ids();
        let unchanged = |catalogue: &Catalogue| {
            // A file that a directory names twice is one row, and none of those that were kept.
            let kept = (rows.len() - fresh.len()) as u64;
            let proves = known.is_proven() || !is_whole || known.stamp.is_none();
            kept == catalogue.rows()
                && counted.is_empty()
                && proves
                && !known.would_settle(seen, journals)
        };
        if rows.is_empty() || known.catalogue.as_ref().is_some_and(unchanged) {
            return;
        }
        self.write_catalogue(Content {
            known,
            rows,
            seen,
            fresh: &fresh,
            counted,
            notes,
            journals,
            is_whole,
        });
    }

    /// Adds to a catalogue that is the whole truth what had to be counted or looked at again.
    pub(super) fn keep_more(
        &self,
        known: &Known,
        catalogue: &Catalogue,
        seen: &Seen,
        counted: &Counted,
        journals: &[String],
    ) {
        if !self.writes_catalogues() {
            return;
        }
        let Ok(bytes) = catalogue.load() else { return };
        let fresh = seen.ids();
        let old = Rows(&bytes)
            .filter_map(Result::ok)
            .filter(|row| !fresh.contains(row.id));
        let rows: Vec<Row<'_>> = old.chain(seen.rows()).collect();
        let mut rows: Vec<&Row<'_>> = rows.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.key()));
        let notes = Notes {
            unsettled: seen.unreadable.clone(),
            unlisted: catalogue.notes.unlisted.clone(),
            joined: Vec::new(),
        };
        self.write_catalogue(Content {
            known,
            rows: &rows,
            seen,
            fresh: &fresh,
            counted,
            notes,
            journals,
            is_whole: true,
        });
    }

    fn writes_catalogues(&self) -> bool {
        self.shared.access == Access::ReadWrite && self.shared.keeps_catalogue
    }

    /// Writes a catalogue, if nobody holds the index lock; a failure leaves the one that is there.
    fn write_catalogue(&self, content: Content<'_>) {
        let Content {
            known,
            rows,
            seen,
            fresh,
            counted,
            mut notes,
            journals,
            is_whole,
        } = content;
        let backend = &self.shared.backend;
        let Ok(lock) = backend.lock(LockName::Index, Duration::ZERO) else {
            return;
        };
        let (mut fine, mut joined_bytes) = (None, 0);
        let mut writer = Writer::with_room(rows.iter().map(|row| row.room()).sum());
        for row in rows {
            let has_journal = journals.binary_search_by(|id| (**id).cmp(row.id)).is_ok();
            let counted = counted.get(row.id).copied();
            let mut is_racy = |stat: &BlobStat| {
                known.is_young(stat)
                    && !*fine.get_or_insert_with(|| self.tells_apart(&lock, stat.device))
            };
            if has_journal {
                let joined = seen.joined(row, counted).filter(|(joined, is_kept)| {
                    let Files { document, journal } = &joined.files;
                    *is_kept || !(is_racy(document) || is_racy(journal))
                });
                joined_bytes += row.room();
                match joined.filter(|_| joined_bytes < MOST_JOINED && Writer::takes(row)) {
                    Some((joined, _)) => notes.joined.push(joined),
                    None => notes.unsettled.extend(SessionId::new(row.id)),
                }
            } else if (is_racy(&row.stat) && fresh.contains(row.id)) || !Writer::takes(row) {
                // Every row's id was checked when its file was listed.
                notes.unsettled.extend(SessionId::new(row.id));
            } else {
                writer.push(row, counted);
            }
        }
        // What was listed is the whole truth if no name has changed since before, and none can change unseen.
        let now = backend.stamp().ok().flatten();
        let proven =
            now.filter(|now| is_whole && known.stamp == Some(*now) && backend.settles(&lock, now));
        let header = Header {
            kind: self.catalogue_kind(),
            stamp: proven,
            boot: now.map_or(0, |now| now.boot),
            since: known.since,
        };
        if let Some(parts) = writer.finish(&header, &notes) {
            // A catalogue is a hint: without it, or with the old one, the next listing finds all of this again.
            let _unwritten = self.replace_catalogue(&lock, &parts);
        }
    }

    fn replace_catalogue(&self, lock: &Lock, parts: &[Vec<u8>]) -> Result<(), Error> {
        let blob = Blob::index(NAME);
        let path = self.shared.backend.describe(&blob);
        let mut write = |out: &mut dyn Write| {
            let written = parts.iter().try_for_each(|part| out.write_all(part));
            written.map_err(|source| Error::io("write", &path, source))
        };
        let backend = &self.shared.backend;
        backend
            .replace(
                lock,
                &blob,
                Durability::Process,
                &mut write,
                &mut publish_now,
            )
            .map(drop)
    }

    /// Whether a file's stamp changes with every change to it, however soon: asked as for a stamp that never ages.
    fn tells_apart(&self, lock: &Lock, device: u64) -> bool {
        let ageless = Stamp::new(0, device, 0, i128::MAX, i128::MAX);
        self.shared.backend.settles(lock, &ageless)
    }
}
