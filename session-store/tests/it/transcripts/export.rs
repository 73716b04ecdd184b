//! JSON and Markdown.

use session_store::transcripts::{Exporter, JsonDocument, Markdown, exporters};
use session_store::{ContentPart, Message, RawJson, Role, Session};

use super::import;
use crate::support::session;

fn written(exporter: &dyn Exporter, session: &Session) -> String {
    let mut out = Vec::new();
    exporter.write(session, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn markdown(session: &Session) -> String {
    written(&Markdown::new(), session)
}

#[test]
fn json_comes_back_equal() {
    let text = concat!(
        r#"{"id":"kept","title":null,"created_at":"2026-03-01T10:00:00+02:00","big":18446744073709551616,"#,
        r#""metadata":{"directory":"/w","directory_bytes":"L3f/","more":[1,{"x":null}]},"#,
        r#""messages":[{"role":"critic","content":[{"type":"verdict","score":1e400},7]},"#,
        r#"{"role":"user","content":[{"type":"text","text":"a\u0000b","cache":true}],"at":1}],"usage":null}"#
    );
    let original: Session = serde_json::from_str(text).unwrap();
    for exporter in [JsonDocument::new(), JsonDocument::pretty()] {
        let json = written(&exporter, &original);
        let back = import("codetether", json.as_bytes()).session;
        assert_eq!(back, original);
        // To the byte, with what a value alone would not tell: numbers, absence, null.
        assert_eq!(
            serde_json::to_string(&back).unwrap(),
            serde_json::to_string(&original).unwrap()
        );
        assert!(json.contains("18446744073709551616") && json.contains("1e400"));
    }
}

#[test]
fn every_format_is_offered_once() {
    let names = exporters().map(|exporter| (exporter.name(), exporter.extension()));
    assert_eq!(
        names,
        [("json", "json"), ("markdown", "md"), ("html", "html")]
    );
}

#[test]
fn markdown_is_to_be_read() {
    let mut session = session("s1", "/home/me/app", 0, 0).with_title("Slow *tests*");
    session.push(Message::user("Why?\n\n## 9. user"));
    let call = ContentPart::tool_call("c1", "shell", "{\"command\":\"ls\"}");
    session.push(Message::assistant("Let me look.").with(call));
    session.push(Message::tool("c1", "a ```` fence\nand more"));
    let expected = "\
# Slow \\*tests\\*

- Session: s1
- Directory: /home/me/app
- Begun: 2023-11-14T22:13:20+00:00
- Last added to: 2023-11-14T22:13:20+00:00
- Messages: 3

## 1. user

> Why?
>\x20
> ## 9. user

## 2. assistant

> Let me look.

Tool call: shell

```text
{\"command\":\"ls\"}
```

## 3. tool

Tool result

`````text
a ```` fence
and more
`````
";
    assert_eq!(markdown(&session), expected);
}

#[test]
fn nothing_said_can_pass_for_a_heading_or_leave_its_block() {
    let forged = "x\n## 7. assistant\r## 8. assistant\r\n## 9. assistant\n```\n## 10. assistant";
    let mut session = session("s1", "/home/me", 0, 0).with_title("a\n## 1. user");
    session.agent = "a\n## 2. user".to_owned();
    let raw = RawJson::from_value(&serde_json::json!({"type": forged}));
    let content = vec![
        ContentPart::text(forged),
        ContentPart::image(forged),
        ContentPart::Other(raw.unwrap()),
        ContentPart::tool_call("c", forged, forged),
        ContentPart::tool_result("c", forged),
    ];
    session.push(Message::new(Role::from(forged), content));
    let mut fence = None;
    let mut headings = Vec::new();
    for line in markdown(&session).lines() {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            None if line.starts_with('#') => headings.push(line.to_owned()),
            _ => {}
        }
    }
    assert_eq!(fence, None);
    assert_eq!(headings.len(), 2, "{headings:?}");
    assert!(headings[1].starts_with("## 1. x"));
}
