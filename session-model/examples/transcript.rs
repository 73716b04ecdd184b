//! Reads a session that another program wrote, adds a turn, and shows that nothing was lost.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use session_model::{ContentPart, Message, Role, Session, SessionHeader, SessionRecord, Usage};

/// As a newer version of some agent may write it: parts, roles and members of its own.
const DOCUMENT: &str = r#"{
  "id": "2f4ac178-db26",
  "title": "Fix the parser",
  "created_at": "2026-03-10T19:42:54+00:00",
  "messages": [
    {"role": "user", "content": [{"type": "text", "text": "fix the parser"}], "pinned": true},
    {"role": "critic", "content": [{"type": "verdict", "score": 36893488147419103232}]}
  ],
  "metadata": {"directory": "/work/app", "shared": false, "theme": {"dark": true}},
  "summary_index": [0, 1]
}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let header = SessionHeader::parse(DOCUMENT.as_bytes(), Session::DIRECTORY)?;
    println!("title:     {}", header.title.as_deref().unwrap_or("none"));

    let mut session: Session = serde_json::from_str(DOCUMENT)?;
    println!(
        "directory: {}",
        session
            .directory()
            .map_or_else(String::new, |path| path.display().to_string())
    );

    let call = ContentPart::tool_call("call_1", "bash", r#"{"command":"cargo test"}"#);
    session.push(Message::new(
        Role::Assistant,
        vec![ContentPart::thinking("run the tests"), call],
    ));
    session.push(Message::tool("call_1", "test result: ok"));
    session.usage += &Usage::new(1_200, 80);
    session.touch("2026-03-10T19:50:00Z".parse()?);

    for message in &session.messages {
        let text = message
            .content
            .iter()
            .find_map(ContentPart::as_text)
            .unwrap_or("(no text)");
        println!("{:>9}: {text}", message.role);
    }

    let written = serde_json::to_string(&session)?;
    for kept in [
        "36893488147419103232",
        r#""theme":{"dark":true}"#,
        r#""pinned":true"#,
        "54+00:00",
    ] {
        assert!(written.contains(kept), "lost {kept}");
    }
    assert_eq!(serde_json::from_str::<Session>(&written)?, session);
    println!("{} bytes written, nothing lost", written.len());
    Ok(())
}
