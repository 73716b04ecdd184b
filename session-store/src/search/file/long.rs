//! The search of a document that is too long to be held. Owns reading its elements again, many at once.

use std::ops::ControlFlow;

use session_codec::{Place, ReadAt as _};
use session_model::SessionRecord;

use super::{Found, local};
use crate::Error;
use crate::corpus::Document;

/// Bytes of neighbouring elements that are read at once.
const SPAN: u64 = 1 << 20;

impl<S: SessionRecord> Found<'_, S> {
    /// Searches a document that is too long for that, which has no candidate before `first`: its elements are read
    /// again, many at once.
    pub(super) fn long(
        &mut self,
        document: &Document<'_>,
        first: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let plan = self.plan;
        let limit = plan.shared.limits.element_bytes();
        let mut span: Vec<Place<'static>> = Vec::new();
        let walked = plan.shared.codec.elements(document, S::SEARCHED, |place| {
            plan.run.queue.go_on()?;
            if place.range.end <= first {
                return ControlFlow::Continue(());
            }
            if place.range.end - place.range.start > limit {
                self.fail(Error::TooLarge {
                    path: plan.shared.path(&self.candidate.recency.id),
                    what: "element bytes",
                    limit,
                });
                return ControlFlow::Continue(());
            }
            let start = span
                .first()
                .map_or(place.range.start, |first| first.range.start);
            if place.range.end - start > SPAN {
                self.span(document, &span, buffer)?;
                span.clear();
            }
            span.push(place);
            ControlFlow::Continue(())
        });
        // Of a document that breaks off, too, what is whole is searched.
        if self.left > 0 {
            let _ = self.span(document, &span, buffer);
        }
        walked.map_err(|error| self.broken(error))
    }

    /// Reads neighbouring elements and searches those that have candidates.
    fn span(
        &mut self,
        document: &Document<'_>,
        places: &[Place<'_>],
        buffer: &mut Vec<u8>,
    ) -> ControlFlow<()> {
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return ControlFlow::Continue(());
        };
        let base = first.range.start;
        let bytes = usize::try_from(last.range.end - base).unwrap_or(usize::MAX);
        if buffer.len() < bytes {
            buffer.resize(bytes, 0);
        }
        let Some(json) = buffer.get_mut(..bytes) else {
            return ControlFlow::Break(());
        };
        if let Err(source) = document.read_exact_at(json, base) {
            let path = self.plan.shared.path(&self.candidate.recency.id);
            self.fail(Error::io("read", &path, source));
            return ControlFlow::Break(());
        }
        let json = &*json;
        let mut cursor = self.plan.matcher.cursor(json, 0);
        for place in places {
            let range = local(&place.range, base);
            match cursor.next_from(range.start) {
                Some(at) if at < range.end => {}
                Some(_) => continue,
                None => break,
            }
            self.own(place, range, &mut cursor)?;
        }
        // A long document gives what it has as it goes.
        self.flush()
    }
}
