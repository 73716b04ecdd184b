//! Listing sessions: headers, filtered, in order, a page at a time; from the catalogue where that is proven.

mod count;
mod keep;
mod look;
mod pick;
mod unchanged;

use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use crate::backend::Area;
use crate::catalogue::{Catalogue, Damaged, Joined, Row};
use crate::corpus::Documents;
use crate::progress::Course;
use crate::skipped::Skipped;
use crate::trace::{event, span};
use crate::workspace::Workspace;
use crate::{Counts, Error, Freshness, Listing, Query};
use keep::Known;
use look::{Look, Seen};
use pick::{Pick, Step, shows};
use unchanged::Unchanged;

/// Sessions with a journal that are each asked for a stat, one after the other. A listing asks for more of them at once.
const FEW: usize = 64;

/// One call of `list`: what everything in it needs.
struct Call<'c> {
    query: &'c Query,
    documents: &'c Documents<'c>,
    workspace: Option<&'c Workspace<'c>>,
    course: &'c Course<'c>,
    /// Sessions with a journal: their documents alone do not say what they are.
    journals: Vec<String>,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Lists sessions, newest first.
    ///
    /// What an earlier listing found is kept in a catalogue, so that an unchanged directory costs one look at it and an
    /// unchanged file, journals included, a `stat` at most ([`Query::freshness`] says which changes that cannot see). Delete or damage the
    /// catalogue, and every answer stays the same.
    ///
    /// `skipped` names all that cannot be listed on every page, and each journal that is of another document than the one that is
    /// there. Bodies are read only for the rows returned, and only
    /// where messages are counted that were not counted before; a fault in a body is reported by the page that finds it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the sessions directory cannot be read, [`Error::Cancelled`] when the query's own function ends
    /// the call. No sessions is an empty listing.
    ///
    /// # Complexity
    ///
    /// With a catalogue and nothing changed, linear in the rows returned and those filtered out before them; with a
    /// workspace, in all rows. Else linear in the files. Memory is that of the rows returned, and of about 200 bytes a
    /// file where the directory has changed.
    pub fn list(&self, query: &Query) -> Result<Listing, Error> {
        self.list_along(query, &Course::new(&query.watch))
    }

    /// Lists as one part of a call, on its way through its files.
    pub(super) fn list_along(&self, query: &Query, course: &Course<'_>) -> Result<Listing, Error> {
        span!("list");
        let documents = self.headers();
        let resolver = self.resolver();
        let asked = query.workspace.as_deref();
        let workspace = asked.and_then(|asked| Workspace::scoped(asked, query.scope, &resolver));
        // Journals first: one that is folded after this is listed, and one that was folded before it has changed the directory.
        let journals = journals(&documents)?;
        // Before any document: whatever is read after it may be newer than it says, never older.
        let known = self.known();
        let call = Call {
            query,
            documents: &documents,
            workspace: workspace.as_ref(),
            course,
            journals,
        };
        let proven = match &known.catalogue {
            Some(catalogue) if known.is_proven() && query.freshness == Freshness::Directory => {
                self.list_catalogue(&call, &known, catalogue)?
            }
            _ => None,
        };
        let listing = match proven {
            Some(listing) => listing,
            None => self.list_files(&call, &known)?,
        };
        event!(
            rows = listing.rows.len(),
            skipped = listing.skipped.len(),
            bytes = documents.bytes_read(),
            "list"
        );
        Ok(listing)
    }

    /// Lists from a catalogue that is the whole truth but for what it says itself; `None` if it turns out not to be.
    fn list_catalogue(
        &self,
        call: &Call<'_>,
        known: &Known,
        catalogue: &Catalogue,
    ) -> Result<Option<Listing>, Error> {
        let look = Look::new(self, call, known);
        let mut again: Vec<&str> = catalogue
            .notes
            .unsettled
            .iter()
            .map(SessionId::as_str)
            .collect();
        let joined = catalogue.notes.joined.iter();
        let joined: Vec<_> = joined.filter_map(Joined::row).collect();
        again.extend(joined.iter().map(|row| row.id));
        again.extend(call.journals.iter().map(String::as_str));
        again.sort_unstable();
        again.dedup();
        let stamp = || self.shared.backend.stamp().ok().flatten();
        let Some(seen) = look.again(&again, || known.has_stamp(stamp()))? else {
            return Ok(None);
        };
        let mut fresh = seen.sorted().peekable();
        let mut pick = Pick::new(self, call, &seen);
        pick.expect((seen.rows().count() as u64).saturating_add(catalogue.rows()));
        if call.course.is_watched() && call.query.counts == Counts::Exact {
            let limit = call.query.limit.unwrap_or(usize::MAX);
            call.course
                .expect(uncounted(call.query, catalogue).min(limit));
        }
        let mut pages = match &call.query.after {
            // Every row is needed to tell all those whose directory does not answer.
            Some(cursor) if call.workspace.is_none() => {
                catalogue.pages_after(cursor.0.at, cursor.0.updated)
            }
            _ => catalogue.pages(),
        };
        let mut last = None;
        'pages: loop {
            let page = match pages.next() {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(Damaged) => return Ok(None),
            };
            for row in page {
                let Ok(row) = row else { return Ok(None) };
                if last.is_some_and(|last| last < (row.at, row.updated)) {
                    return Ok(None);
                }
                last = Some((row.at, row.updated));
                while let Some(newer) = fresh.next_if(|fresh| fresh.key() > row.key()) {
                    if pick.take(&newer)? == Step::Done {
                        break 'pages;
                    }
                }
                if again.binary_search(&row.id).is_err() && pick.take(&row)? == Step::Done {
                    break 'pages;
                }
            }
        }
        for row in fresh {
            if pick.take(&row)? == Step::Done {
                break;
            }
        }
        let (mut listing, counted) = pick.finish();
        if !counted.is_empty() || known.would_settle(&seen, &call.journals) {
            self.keep_more(known, catalogue, &seen, &counted, &call.journals);
        }
        let unlisted = catalogue.notes.unlisted.iter();
        listing.skipped.extend(unlisted.map(Skipped::unlisted));
        listing.skipped.extend(seen.skipped);
        Ok(Some(listing))
    }

    /// Lists by the files' own stamps, looking into those that the catalogue does not know as they are.
    fn list_files(&self, call: &Call<'_>, known: &Known) -> Result<Listing, Error> {
        let look = Look::new(self, call, known);
        // Rows that lie in memory as they lie in the file.
        let bytes = known
            .catalogue
            .as_ref()
            .and_then(|catalogue| catalogue.load().ok());
        let backend = &self.shared.backend;
        let (unchanged, changed, rejected) = if bytes.is_none() && call.journals.len() <= FEW {
            // Each will be looked into, and by name alone it is met once instead of twice.
            let found = backend.names(Area::Sessions)?;
            let unchanged = Unchanged::default();
            (unchanged, look.unasked(found.names), found.rejected)
        } else {
            let found = backend.list(Area::Sessions)?;
            let bytes = bytes.as_deref().unwrap_or_default();
            let (unchanged, changed) = known.sort_out(bytes, &found.entries, &call.journals);
            (unchanged, changed, found.rejected)
        };
        let seen = look.at(changed)?;
        let fresh: Vec<Row<'_>> = seen.rows().collect();
        let rows = unchanged.and(&fresh);
        let mut pick = Pick::new(self, call, &seen);
        pick.expect(rows.len() as u64);
        pick.ahead(self.count_ahead(call, &seen, &rows)?);
        for &row in &rows {
            if pick.take(row)? == Step::Done {
                break;
            }
        }
        let (mut listing, counted) = pick.finish();
        self.keep(known, &rows, &seen, &counted, &rejected, &call.journals);
        let rejected = rejected.into_iter();
        listing
            .skipped
            .extend(rejected.map(|found| Skipped::rejected(found, &self.shared)));
        listing.skipped.extend(seen.skipped);
        Ok(listing)
    }
}

/// How many rows of a catalogue will have to be counted, as far as the rows themselves say which are shown.
fn uncounted(query: &Query, catalogue: &Catalogue) -> usize {
    let (mut pages, mut uncounted) = (catalogue.pages(), 0);
    while let Ok(Some(page)) = pages.next() {
        let rows = page.filter_map(Result::ok);
        uncounted += rows
            .filter(|row| row.messages.is_none() && shows(query, row))
            .count();
    }
    uncounted
}

/// The sessions that have a journal, sorted.
fn journals(documents: &Documents<'_>) -> Result<Vec<String>, Error> {
    let mut journals: Vec<String> = documents.journals()?.keys().cloned().collect();
    journals.sort_unstable();
    Ok(journals)
}
