//! `sessions show` and `sessions last`.
//!
//! Owns how messages look; must not know where they come from.

use std::ops::Range;

use serde_json::{Value, json};
use session_store::{ContentPart, Message, Session, Window};

use crate::args::{Last, Place, Show};
use crate::failure::Failure;
use crate::list::workspace;
use crate::terminal::{FAINT, ID, ROLE, Terminal, clean, clean_line, shorten, size};

/// Shows one session, whole or a part.
pub(crate) fn show(place: &Place, show: &Show, terminal: &mut Terminal) -> Result<(), Failure> {
    let store = place.open()?;
    if let Some(page) = &show.page {
        let page = store.load_page(&show.id, "messages", range(page)?)?;
        let place = (page.range().start, page.count());
        return print(&page, place, show.raw, terminal);
    }
    let window = show.tail.map_or_else(Window::all, Window::last);
    let tail = store.load_tail(&show.id, window)?;
    let dropped = tail.dropped().get("messages");
    print(
        &tail,
        (dropped, dropped + tail.messages.len() as u64),
        show.raw,
        terminal,
    )
}

/// Shows the end of the newest session of a directory.
pub(crate) fn last(place: &Place, last: &Last, terminal: &mut Terminal) -> Result<(), Failure> {
    let store = place.open()?;
    let directory = workspace(last.workspace.as_deref())?;
    let found = store.last_for_directory_tail(Some(&directory), Window::last(last.tail))?;
    let Some(tail) = found else {
        let directory = directory.display();
        return Err(Failure::not_found(format!(
            "no session of {directory}; `sessions list --all` shows all"
        )));
    };
    let dropped = tail.dropped().get("messages");
    print(
        &tail,
        (dropped, dropped + tail.messages.len() as u64),
        false,
        terminal,
    )
}

fn range(text: &str) -> Result<Range<u64>, Failure> {
    let wrong = || Failure::usage("--page: expected A..B, such as 0..20");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let from = from.parse().map_err(|_| wrong())?;
    let to = to.parse().map_err(|_| wrong())?;
    if from > to {
        Err(wrong())
    } else {
        Ok(from..to)
    }
}

fn print(
    session: &Session,
    (first, of): (u64, u64),
    raw: bool,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if raw {
        let mut json = serde_json::to_vec(session)?;
        json.push(b'\n');
        return terminal.bytes(&json);
    }
    if terminal.is_json {
        let session = serde_json::to_value(session)?;
        return terminal.json(&json!({ "first": first, "of": of, "session": session }));
    }
    let title = clean_line(session.title.as_deref().unwrap_or("(no title)"));
    terminal.line(format_args!("{ID}{}{ID:#}  {title}", session.id))?;
    let directory = session
        .directory()
        .map(|d| clean_line(&d.to_string_lossy()));
    let shown = format!(
        "messages {first}..{} of {of}",
        first + session.messages.len() as u64
    );
    terminal.line(format_args!(
        "{FAINT}{}  {shown}{FAINT:#}",
        directory.unwrap_or_default()
    ))?;
    for (message, number) in session.messages.iter().zip(first..) {
        terminal.check()?;
        print_message(message, number, terminal)?;
    }
    Ok(())
}

/// Prints one message, its tool calls folded.
pub(crate) fn print_message(
    message: &Message,
    number: u64,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if terminal.is_json {
        let message: Value = serde_json::to_value(message)?;
        return terminal.json(&json!({ "number": number, "message": message }));
    }
    let role = clean_line(message.role.as_str());
    terminal.line(format_args!(
        "\n{ROLE}{role}{ROLE:#} {FAINT}{number}{FAINT:#}"
    ))?;
    for part in &message.content {
        let (sign, folded) = match part {
            ContentPart::Text { text, .. } => {
                terminal.line(clean(text))?;
                continue;
            }
            ContentPart::ToolCall {
                name, arguments, ..
            } => ("→", format!("{name} {arguments}")),
            ContentPart::ToolResult { content, .. } => {
                ("←", format!("{}: {content}", size(content.len() as u64)))
            }
            ContentPart::Thinking { text, .. } => ("~", text.clone()),
            ContentPart::Image { url, .. } => ("image", url.clone()),
            ContentPart::File { path, .. } => ("file", path.clone()),
            ContentPart::Other(raw) => ("other", raw.get().to_owned()),
            _ => ("other", String::new()),
        };
        terminal.line(format_args!(
            "{FAINT}{sign} {}{FAINT:#}",
            shorten(&folded, 76)
        ))?;
    }
    Ok(())
}
