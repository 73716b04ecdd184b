//! The pages that are shown: a session full of attacks, exported, and the controls.
//!
//! Owns where attacks are put; must not know what they do.

use std::io;

use anyhow::{Context, Result};
use session_model::{ContentPart, Message, RawJson, Role, Session, SessionId};
use session_store::transcripts::{Exporter, HtmlPage};

use super::attacks::{self, ATTACKS};

/// How many places of a session hold its attack.
pub(super) const PLACES: usize = 14;

/// The attribute in which our own script leaves the number of messages in all frames.
pub(super) const MESSAGES: &str = "data-messages=";

/// The attribute in which it leaves elements and attributes that no exported page has.
pub(super) const STRANGE: &str = "data-strange=";

/// Looks at the frames once they are there, then does to every element what a reader might. It stands outside the frames, so
/// that their policy keeps it from nothing.
const READER: &str = "<script>addEventListener('load', () => setTimeout(() => {
const known = 'html head meta title style body h1 h2 dl dt dd main article p pre div details summary'.split(' ');
const attributes = 'lang charset http-equiv content name class id'.split(' ');
const root = document.documentElement, strange = new Set();
let messages = 0;
for (const f of document.querySelectorAll('iframe')) {
  const d = f.contentDocument;
  if (!d) continue;
  messages += d.querySelectorAll('article').length;
  const elements = [...d.querySelectorAll('*')];
  for (const e of elements) {
    if (!known.includes(e.localName)) strange.add(e.localName);
    for (const a of e.attributes) if (!attributes.includes(a.name)) strange.add(a.name);
  }
  for (const e of elements) {
    e.dispatchEvent(new MouseEvent('mouseover'));
    if (e.focus) e.focus();
    if (e.click) e.click();
  }
}
root.dataset.messages = messages;
root.dataset.strange = encodeURIComponent([...strange].join(' '));
}, 200));</script>";

/// A session of one message with an attack at every place that holds text of others.
pub(super) fn session(attack: usize) -> Result<Session> {
    let at = |place: usize| attacks::markup(place, attack);
    let id = SessionId::new("attacks").context("name the session")?;
    let mut session = Session::new(id, format!("/{}", at(1))).with_title(at(0));
    session.agent = at(2);
    session.metadata.model = Some(at(3));
    let other = serde_json::json!({"type": at(12), "x": at(13)});
    let other = RawJson::from_value(&other).context("write a part of no known kind")?;
    let content = vec![
        ContentPart::text(at(5)),
        ContentPart::thinking(at(6)),
        ContentPart::tool_call("c", at(7), at(8)),
        ContentPart::tool_result("c", at(9)),
        ContentPart::image(at(10)),
        ContentPart::file(at(11)),
        ContentPart::Other(other),
    ];
    session.push(Message::new(Role::from(at(4).as_str()), content));
    Ok(session)
}

/// All of these sessions' messages as one session, under the first one's head.
pub(super) fn together(sessions: &[Session]) -> Session {
    let mut all = sessions[0].clone();
    let others = sessions[1..].iter();
    all.messages
        .extend(others.flat_map(|session| session.messages.iter().cloned()));
    all
}

/// The session as a page.
pub(super) fn export(session: &Session) -> Result<String> {
    let mut page = Vec::new();
    HtmlPage::new()
        .write(session, &mut page)
        .and_then(|()| String::from_utf8(page).map_err(io::Error::other))
        .context("export the session")
}

/// A page without its policy, so that escaping alone holds.
pub(super) fn without_policy(page: &str) -> Result<String> {
    Ok(page.replacen(policy(page)?, "", 1))
}

/// The line of a page that forbids to load and run. It holds for what stands behind it.
pub(super) fn policy(page: &str) -> Result<&str> {
    let mut lines = page
        .lines()
        .take_while(|line| !line.starts_with("<style") && !line.starts_with("<title"));
    let start = "<meta http-equiv=\"Content-Security-Policy\"";
    let policy = lines.find(|line| line.starts_with(start));
    policy.context("find the page's policy: there is none before what it is for")
}

/// A page with a reader and with these pages in frames, and these.
pub(super) fn frames(pages: Vec<String>) -> Vec<(String, String)> {
    let frames = (0..pages.len()).map(|n| format!("<iframe src={}></iframe>", path(n)));
    let frames = frames.collect::<Vec<_>>().concat();
    let top = format!("<!doctype html><title>t</title>{READER}{frames}");
    let frames = pages.into_iter().enumerate();
    std::iter::once(("/".to_owned(), top))
        .chain(frames.map(|(n, page)| (path(n), page)))
        .collect()
}

/// The path of a frame.
pub(super) fn path(frame: usize) -> String {
    format!("/f{frame}")
}

/// The attacks that nothing but this in the page's head holds back.
pub(super) fn controls(head: &str) -> Vec<String> {
    let control = |attack: usize| {
        let (before, after) = ATTACKS[attack].within;
        let markup = attacks::markup(0, attack);
        format!(
            "<!doctype html><meta charset=utf-8>{head}<title>t</title><p>{before}{markup}{after}"
        )
    };
    (0..ATTACKS.len()).map(control).collect()
}
