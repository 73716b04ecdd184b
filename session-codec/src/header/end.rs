//! The look at a document's end. Owns how far back it goes and when its finds
//! are trusted; the tokenising is `backward`'s.

use std::io;

use super::{
    backward::{Halt, members_from_end},
    found::{Found, Member, Wanted, object},
    head::STEPS,
};
use crate::{
    Codec, Error, Parser, ReadAt,
    footer::{find_if_there, looks_ended},
    lexer::Key,
    walk::walk_slice,
};

/// Where the document lies.
#[derive(Debug)]
pub(super) struct End {
    pub(super) root: Option<u64>,
    pub(super) size: u64,
}

/// What the look saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Wanted members, in the order of the document; `None` if the end does not
    /// look like the end of a document.
    pub(super) members: Option<Vec<Member>>,
    /// Whether every member of the document was passed.
    pub(super) complete: bool,
    pub(super) bytes_read: u64,
}

impl End {
    pub(super) fn look<P: Parser, R: ReadAt + ?Sized>(
        &self,
        codec: &Codec<P>,
        source: &R,
        wanted: &Wanted<'_>,
        head: &Found,
    ) -> Result<Seen, Error> {
        let mut seen = Seen::default();
        let mut bytes = Vec::new();
        let mut size = self.size;
        let mut closing: &[u8] = b"";
        for step in STEPS {
            let taken = size - bytes.len() as u64;
            let from = size.saturating_sub(step).min(taken);
            let mut more = vec![0; usize::try_from(taken - from).unwrap_or(0)];
            match source.read_exact_at(&mut more, from) {
                Ok(()) => {}
                // It was shortened since its size was asked for.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    seen.members = None;
                    return Ok(seen);
                }
                Err(error) => return Err(Error::Io(error)),
            }
            seen.bytes_read += more.len() as u64;
            more.append(&mut bytes);
            bytes = more;
            let mut from = from;
            if closing.is_empty()
                && looks_ended(&bytes)
                && let Some(found) = find_if_there(source)?
            {
                // A footer is passed in one go; the document reads on before it.
                seen.bytes_read += found.end.len() as u64;
                (size, closing) = (found.footer.body, b"}");
                let before = usize::try_from(size.saturating_sub(found.base)).unwrap_or(0);
                bytes = found.end;
                bytes.truncate(before);
                from = size - before as u64;
                if from > size.saturating_sub(STEPS[0]) {
                    // Too little came along: the next step reads more.
                    continue;
                }
            }
            bytes.extend_from_slice(closing);
            let (members, halt) = members_from_end(&bytes, from == 0);
            let members = select(&bytes, from, &members, wanted, head);
            bytes.truncate(bytes.len() - closing.len());
            if walk_slice(codec.lexer([]), &mut (), &object(&members)).is_err() {
                seen.members = None;
                return Ok(seen);
            }
            let has_all = |names: &[String]| {
                let mut both = head.clone();
                both.add(members.clone());
                both.has_all(names)
            };
            let (all, needed) = (has_all(wanted.members()), has_all(wanted.needed()));
            seen.members = Some(members);
            match halt {
                Halt::Start(at) if Some(from + at as u64) == self.root => {
                    seen.complete = true;
                    return Ok(seen);
                }
                Halt::Start(_) | Halt::Broken => {
                    seen.members = None;
                    return Ok(seen);
                }
                // More of an array is more history, which pays only if the
                // alternative is to read all of it.
                Halt::Cut { in_array } if from == 0 || all || (in_array && needed) => break,
                Halt::Cut { .. } => {}
            }
        }
        Ok(seen)
    }
}

/// Takes from the members found those that are wanted and new.
fn select(
    bytes: &[u8],
    from: u64,
    members: &[super::backward::Ranges],
    wanted: &Wanted<'_>,
    head: &Found,
) -> Vec<Member> {
    let mut selected = Vec::new();
    for member in members.iter().rev() {
        let start = from + member.key.start as u64;
        let raw = &bytes[member.key.start + 1..member.key.end - 1];
        if let Some(name) = wanted.find(Key::new(raw))
            && !head.starts_at(start)
        {
            let text = bytes[member.key.start..member.value.end].to_vec();
            selected.push(Member {
                name: name.to_owned(),
                start,
                text,
            });
        }
    }
    selected
}
