//! Texts that are changed before any byte of a session is written.
//!
//! Owns the walk over the strings of a JSON text. Must not know what a secret looks like, or where the text goes.

use std::borrow::Cow;
use std::fmt::Debug;

use session_model::SessionRecord;

/// Replaces what must not reach a medium, such as keys and passwords that a tool printed.
///
/// A store that was [built](crate::Builder::redactor) with one shows it every string of what is saved and appended: values at
/// any depth, in members that the record type knows and in those that it does not, with escapes resolved. What it answers
/// is what is written: to the document, the journal, and everything that is made of those. Names of members, ids,
/// the directory and `updated_at` are not shown, as sessions are found by them.
///
/// It has to be idempotent: what it answered, it must answer again when it is shown that. It is called by several threads.
/// What other programs wrote, and what was written before there was a redactor, stays as it is until it is saved again:
/// loading and saving a session is how it is redacted afterwards. What moves bytes that are on disk already copies them:
/// [folding](crate::SessionStore::checkpoint) a journal into its document, [rebind](crate::SessionStore::rebind),
/// [trash](crate::SessionStore::trash) and [restore](crate::SessionStore::restore), the first record of a journal, which has the
/// document's members without the capped arrays, and the catalogue of a listing, which has titles and agents.
/// [Salvage](crate::SessionStore::salvage) makes a new session and shows it, but the damaged files lie in quarantine as they were.
///
/// A session in memory keeps its texts. After a save, the one on disk differs from it in what was replaced.
pub trait Redactor: Debug + Send + Sync + 'static {
    /// Gives the text that is written in the place of this one.
    ///
    /// `path` has the names of the members that lead to it from the top of the document, without the numbers of elements
    /// between them: `["messages", "content", "text"]`.
    fn redact<'t>(&self, path: &[&str], text: &'t str) -> Cow<'t, str>;
}

const _: fn(&dyn Redactor) = |_| {};

/// Shows the strings of a JSON text to a redactor; `None` if it changed nothing.
///
/// `below` are the members that lead to the text. Answers for texts that are no JSON are not defined, but harmless.
pub(crate) fn redacted<S: SessionRecord>(
    redactor: &dyn Redactor,
    below: &[&str],
    json: &str,
) -> Option<String> {
    let mut walk = Walk {
        redactor,
        path: below.iter().map(|name| (*name).to_owned()).collect(),
        levels: Vec::new(),
        out: String::new(),
        copied: 0,
    };
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => walk.levels.push(Level {
                is_object: *byte == b'{',
                names: *byte == b'{',
                named: false,
            }),
            b'}' | b']' => walk.leave(),
            b',' => walk.next(),
            b':' => walk.name_is_over(),
            b'"' => {
                let end = end_of_string(bytes, at);
                walk.string::<S>(json, at, end);
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    if walk.copied == 0 {
        return None;
    }
    walk.out.push_str(&json[walk.copied..]);
    Some(walk.out)
}

/// An object or array that the walk is in.
struct Level {
    is_object: bool,
    /// The next string is a member's name.
    names: bool,
    /// The last of the path is the name of this object's member.
    named: bool,
}

struct Walk<'r> {
    redactor: &'r dyn Redactor,
    path: Vec<String>,
    levels: Vec<Level>,
    out: String,
    /// What of the text is in `out`, changed or not; 0 while nothing was changed.
    copied: usize,
}

impl Walk<'_> {
    fn unname(&mut self) {
        if let Some(level) = self.levels.last_mut()
            && std::mem::take(&mut level.named)
        {
            self.path.pop();
        }
    }

    fn leave(&mut self) {
        self.unname();
        self.levels.pop();
    }

    fn next(&mut self) {
        self.unname();
        if let Some(level) = self.levels.last_mut() {
            level.names = level.is_object;
        }
    }

    fn name_is_over(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.names = false;
        }
    }

    /// Takes a string, quotes included: a name, or a text to show.
    fn string<S: SessionRecord>(&mut self, json: &str, start: usize, end: usize) {
        let token = &json[start..end];
        let inner = token.get(1..token.len() - 1).unwrap_or_default();
        // Half a pair of surrogates has no text; what is around it is shown with the escapes that it has.
        let text = || {
            let has_escapes = inner.contains('\\');
            let resolved = has_escapes.then(|| serde_json::from_str::<String>(token));
            resolved
                .and_then(Result::ok)
                .map_or(Cow::Borrowed(inner), Cow::Owned)
        };
        if let Some(level) = self.levels.last_mut()
            && level.names
        {
            level.named = true;
            self.path.push(text().into_owned());
            return;
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        if matches!(path[..], ["id" | "updated_at"]) || path == S::DIRECTORY {
            return;
        }
        let text = text();
        let answer = self.redactor.redact(&path, &text);
        if *answer != *text
            && let Ok(written) = serde_json::to_string(&*answer)
        {
            self.out.push_str(&json[self.copied..start]);
            self.out.push_str(&written);
            self.copied = end;
        }
    }
}

/// Where the string ends that begins at `start`, behind its closing quote.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
