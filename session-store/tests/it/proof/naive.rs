//! What a lookup and a listing must answer: everything is parsed.

use std::cmp::Reverse;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use session_store::{Finding, Listing, Session, SessionStore};

use super::step::Places;
use crate::support::id;

/// A file of the sessions directory as the session that it is: name, modification time, content.
pub(super) type File = (String, i128, Vec<u8>);

/// What a listing tells of a session.
pub(super) type Told = (String, Option<DateTime<Utc>>, Option<PathBuf>, u64);

/// A document with what its journal adds to it, as a store without any index reads it from the first byte to the last.
pub(super) fn with_journal(
    plain: &SessionStore,
    (name, modified, bytes): File,
    journal: Option<i128>,
) -> Option<File> {
    let Some(journal) = journal else {
        return Some((name, modified, bytes));
    };
    let id = id(name.strip_suffix(".json")?);
    let session = plain.load(&id).ok()?;
    let is_its_own = plain
        .check(&id)
        .ok()?
        .findings
        .iter()
        .all(|finding| !matches!(finding, Finding::DisplacedJournal | Finding::EmptyJournal));
    if !is_its_own {
        return Some((name, modified, bytes));
    }
    let whole = serde_json::to_vec(&session).ok()?;
    Some((name, modified.max(journal), whole))
}

/// The sessions of a place, newest first, each with its place in the order.
fn ranked(files: &[File], places: &Places, asked: usize) -> Vec<((i128, i128, String), Session)> {
    let rank = |(name, modified, bytes): &File| {
        let stem = name.strip_suffix(".json")?;
        let parsed: Session = serde_json::from_slice(bytes).ok()?;
        let directory = parsed.metadata.directory.as_deref();
        if parsed.id != *stem || !places.same(directory, asked) {
            return None;
        }
        let updated = parsed.updated_at.map_or(*modified, |time| {
            i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos())
        });
        Some((
            (updated.min(*modified), updated, id(stem).to_string()),
            parsed,
        ))
    };
    let mut ranked: Vec<_> = files.iter().filter_map(rank).collect();
    ranked.sort_by_key(|(rank, _)| Reverse(rank.clone()));
    ranked
}

/// Parses everything and takes the greatest.
pub(super) fn oracle(files: &[File], places: &Places, asked: usize) -> Option<String> {
    let newest = ranked(files, places, asked).into_iter().next();
    newest.map(|((_, _, id), _)| id)
}

/// Parses everything and puts it in order.
pub(super) fn all(files: &[File], places: &Places, asked: usize) -> Vec<Told> {
    let told = |((_, _, id), session): (_, Session)| {
        let messages = session.messages.len() as u64;
        (id, session.updated_at, session.metadata.directory, messages)
    };
    ranked(files, places, asked).into_iter().map(told).collect()
}

/// What a listing told, less a session.
pub(super) fn told(listing: Listing, but: Option<&str>) -> Vec<Told> {
    let told = |row: session_store::SessionSummary| {
        let messages = row.messages.unwrap_or(u64::MAX);
        (row.id.to_string(), row.updated_at, row.directory, messages)
    };
    let rows = listing.rows.into_iter().map(told);
    rows.filter(|(id, ..)| Some(id.as_str()) != but).collect()
}
