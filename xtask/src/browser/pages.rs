//! The pages that are shown: a session full of attacks, exported, and the controls.
//!
//! Owns where attacks are put; must not know what they do.

use std::io;

use anyhow::{Context, Result};
use session_model::{ContentPart, Message, RawJson, Role, Session, SessionId};
use session_store::transcripts::{Exporter, HtmlPage};

use super::attacks::{self, ATTACKS};

/// How many places of a session hold each attack.
pub(super) const PLACES: usize = 14;

/// The places of the session's head, which hold all attacks in a row.
const HEAD: usize = 4;

/// The attribute that our own script leaves on the root.
pub(super) const CLICKED: &str = "data-clicked=";

/// Does to every element what a reader might, once the page is there.
const CLICKER: &str = "<script>addEventListener('load', () => setTimeout(() => {
for (const e of document.querySelectorAll('*')) {
  e.dispatchEvent(new MouseEvent('mouseover'));
  if (e.focus) e.focus();
  if (e.click) e.click();
}
document.documentElement.dataset.clicked = 1;
}, 200));</script>\n";

/// Each place with each attack.
pub(super) fn marks() -> impl Iterator<Item = (usize, usize)> {
    (0..PLACES).flat_map(|place| (0..ATTACKS.len()).map(move |attack| (place, attack)))
}

/// A session with every attack at every place that holds text of others.
pub(super) fn session() -> Result<Session> {
    let all = |place| {
        let markups = (0..ATTACKS.len()).map(|attack| attacks::markup(place, attack));
        markups.collect::<Vec<_>>().join("\n")
    };
    let id = SessionId::new("attacks").context("name the session")?;
    let mut session = Session::new(id, format!("/{}", all(1))).with_title(all(0));
    session.agent = all(2);
    session.metadata.model = Some(all(3));
    for attack in 0..ATTACKS.len() {
        let at = |place: usize| attacks::markup(HEAD + place, attack);
        let mut content = vec![
            ContentPart::text(at(1)),
            ContentPart::thinking(at(2)),
            ContentPart::tool_call("c", at(3), at(4)),
            ContentPart::tool_result("c", at(5)),
            ContentPart::image(at(6)),
            ContentPart::file(at(7)),
        ];
        let other = serde_json::json!({"type": at(8), "x": at(9)});
        let other = RawJson::from_value(&other).context("write a part of no known kind")?;
        content.push(ContentPart::Other(other));
        session.push(Message::new(Role::from(at(0).as_str()), content));
    }
    Ok(session)
}

/// The session as a page.
pub(super) fn export(session: &Session) -> Result<String> {
    let mut page = Vec::new();
    HtmlPage::new()
        .write(session, &mut page)
        .and_then(|()| String::from_utf8(page).map_err(io::Error::other))
        .context("export the session")
}

/// A page whose policy is gone, so that escaping alone holds, with a script that clicks.
pub(super) fn without_policy(page: &str) -> Result<String> {
    Ok(page.replacen(policy(page)?, CLICKER, 1))
}

/// The line of a page that forbids to load and run. It holds for what stands behind it.
pub(super) fn policy(page: &str) -> Result<&str> {
    let mut lines = page
        .lines()
        .take_while(|line| !line.starts_with("<style") && !line.starts_with("<title"));
    let policy =
        lines.find(|line| line.starts_with("<meta http-equiv=\"Content-Security-Policy\""));
    policy.context("find the page's policy: there is none before what it is for")
}

/// A page with one frame for each attack, and those frames, each with this in its head and nothing else to hold it back.
pub(super) fn frames(head: &str) -> Vec<(String, String)> {
    let all = 0..ATTACKS.len();
    let frames: String = all
        .clone()
        .map(|attack| format!("<iframe src=/f{attack}></iframe>"))
        .collect();
    let top = format!("<!doctype html><title>t</title>{frames}");
    let frames = all.map(|attack| (format!("/f{attack}"), frame(head, attack)));
    std::iter::once(("/".to_owned(), top))
        .chain(frames)
        .collect()
}

fn frame(head: &str, attack: usize) -> String {
    let (before, after) = ATTACKS[attack].within;
    let markup = attacks::markup(0, attack);
    format!(
        "<!doctype html><meta charset=utf-8>{head}<title>t</title>{CLICKER}<p>{before}{markup}{after}"
    )
}
