//! Owns a session as one page to read. Must not know how parts are told apart; must let nothing of a session act.

use std::io::{self, Write};

use session_model::Session;

use super::Exporter;
use super::plain::{self, Kind};

/// A session as one HTML page that needs nothing else.
///
/// Nothing in it acts: every character of the session is text, there is no script, link, picture or form, and a policy in the
/// page's head forbids the browser to load or run anything. Addresses are shown as text. Characters that would not show are
/// written out.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct HtmlPage {
    _private: (),
}

/// The page up to its title. The policy stands before everything that it could matter for.
const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
h2 { font-size: .85rem; margin: 0 0 .5rem; text-transform: uppercase; letter-spacing: .05em; opacity: .7; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
article { border-left: .25rem solid #8888; margin: 1.5rem 0; padding: 0 1rem; }
article.user { border-color: #2a6fdb; }
article.assistant { border-color: #2e8b57; }
p { white-space: pre-wrap; overflow-wrap: anywhere; }
pre { background: #8882; max-height: 30rem; overflow: auto; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.note, .thought { opacity: .75; font-style: italic; }
</style>
"#;

impl HtmlPage {
    /// Writes all messages.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Exporter for HtmlPage {
    fn name(&self) -> &'static str {
        "html"
    }

    fn extension(&self) -> &'static str {
        "html"
    }

    fn write(&self, session: &Session, out: &mut dyn Write) -> io::Result<()> {
        let title = plain::title(session);
        out.write_all(HEAD.as_bytes())?;
        element(out, "title", title)?;
        out.write_all(b"</head>\n<body>\n")?;
        element(out, "h1", title)?;
        out.write_all(b"<dl>\n")?;
        for (name, value) in plain::head(session) {
            element(out, "dt", name)?;
            element(out, "dd", &value)?;
        }
        out.write_all(b"</dl>\n<main>\n")?;
        for (number, message) in session.messages.iter().enumerate() {
            // Only names of ours become a class; a role can be any text.
            let class = match message.role.as_str() {
                known @ ("user" | "assistant" | "system" | "tool" | "developer") => known,
                _ => "other",
            };
            writeln!(out, "<article class=\"{class}\" id=\"m{}\">", number + 1)?;
            let label = format!("{}. {}", number + 1, message.role);
            element(out, "h2", &label)?;
            for part in &message.content {
                let shown = plain::part(part);
                match shown.kind {
                    Kind::Speech => element(out, "p", &shown.text)?,
                    Kind::Note => {
                        out.write_all(b"<div class=\"note\">")?;
                        element(out, "p", &shown.text)?;
                        out.write_all(b"</div>\n")?;
                    }
                    Kind::Thought | Kind::Machine => {
                        let class = if shown.kind == Kind::Thought {
                            "thought"
                        } else {
                            "machine"
                        };
                        write!(out, "<details class=\"{class}\">")?;
                        element(out, "summary", &shown.label)?;
                        element(out, "pre", &shown.text)?;
                        out.write_all(b"</details>\n")?;
                    }
                }
            }
            out.write_all(b"</article>\n")?;
        }
        out.write_all(b"</main>\n</body>\n</html>\n")
    }
}

/// Writes an element that holds a text and nothing else.
fn element(out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    write!(out, "<{name}>")?;
    // A parser drops a line feed directly behind `<pre>`.
    if name == "pre" && text.starts_with('\n') {
        out.write_all(b"\n")?;
    }
    escape(out, text)?;
    writeln!(out, "</{name}>")
}

fn escape(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => match plain::visible(c) {
                Some(name) => escaped.push_str(&name),
                None => escaped.push(c),
            },
        }
    }
    out.write_all(escaped.as_bytes())
}
