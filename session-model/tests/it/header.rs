//! The lenient reading of a header.

use std::path::PathBuf;
use std::time::SystemTime;

use session_model::{Session, SessionHeader, SessionId, SessionRecord, SessionSummary};

fn header(json: &str) -> SessionHeader {
    SessionHeader::parse(json.as_bytes(), Session::DIRECTORY).expect(json)
}

#[test]
fn a_header_is_what_the_session_says() {
    let json = concat!(
        r#"{"id":"s1","title":"T","created_at":"2026-03-10T19:42:54Z","updated_at":"2026-03-10T20:42:54+01:00","#,
        r#""messages":[{"role":"user","content":[]}],"agent":"build","metadata":{"directory":"/w","model":"m"}}"#,
    );
    let header = header(json);
    let session: Session = serde_json::from_str(json).expect(json);
    assert_eq!(header.id.as_deref(), Some(session.id()));
    assert_eq!(header.title, session.title);
    assert_eq!(header.created_at, session.created_at);
    assert_eq!(header.updated_at, session.updated_at);
    assert_eq!(header.agent.as_deref(), Some(session.agent.as_str()));
    assert_eq!(header.directory, session.metadata.directory);
    assert_eq!(header.model, session.metadata.model);
}

#[test]
fn a_member_that_cannot_be_used_is_none() {
    assert_eq!(header("{}"), SessionHeader::default());
    for value in [
        "null",
        "7",
        "1e999",
        "[]",
        "{}",
        "{\"directory\":7}",
        "\"\\ud800\"",
        "[[[[]]]]",
    ] {
        for member in [
            "id",
            "title",
            "created_at",
            "updated_at",
            "agent",
            "metadata",
        ] {
            let header = header(&format!(r#"{{"{member}":{value}}}"#));
            assert_eq!(header, SessionHeader::default(), "{member} {value}");
        }
    }
    assert_eq!(header(r#"{"updated_at":"soon"}"#).updated_at, None);
    let deep = format!(
        r#"{{"metadata":{}1{},"id":"s1"}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(header(&deep).id.as_deref(), Some("s1"));
}

#[test]
fn the_last_of_two_counts() {
    let header = header(concat!(
        r#"{"id":"a","id":"b","metadata":{"directory":"/x","model":"m"},"#,
        r#""metadata":{"directory":"/y","directory":"/z"}}"#
    ));
    assert_eq!(header.id.as_deref(), Some("b"));
    assert_eq!(header.directory, Some(PathBuf::from("/z")));
    assert_eq!(header.model, None);
}

#[test]
fn the_directory_may_stand_anywhere() {
    let parse =
        |json: &str, path: &[&str]| SessionHeader::parse(json.as_bytes(), path).expect(json);
    let json = r#"{"cwd":"/a","model":"m","a":{"b":{"cwd":"/deep","model":"n"}},"cwd_bytes":"x"}"#;
    let top = parse(json, &["cwd"]);
    assert_eq!(
        (top.directory, top.model.as_deref()),
        (Some("/a".into()), Some("m"))
    );
    let deep = parse(json, &["a", "b", "cwd"]);
    assert_eq!(
        (deep.directory, deep.model.as_deref()),
        (Some("/deep".into()), Some("n"))
    );
    assert_eq!(parse(json, &[]).directory, None);
    assert_eq!(parse(json, &["a", "cwd"]).directory, None);
    assert_eq!(
        parse(r#"{"title":"/t"}"#, &["title"]).directory,
        Some("/t".into())
    );
}

#[cfg(unix)]
#[test]
fn exact_bytes_stand_beside_the_directory_under_its_name() {
    use std::os::unix::ffi::OsStrExt;
    let json = r#"{"cwd":"/a\ufffd","cwd_bytes":"L2H/"}"#;
    let header = SessionHeader::parse(json.as_bytes(), &["cwd"]).expect(json);
    assert_eq!(
        header
            .directory
            .expect("a directory")
            .as_os_str()
            .as_bytes(),
        b"/a\xff"
    );
}

#[test]
fn skipped_members_are_judged_loosely_and_the_text_as_a_whole() {
    let parse = |json: &[u8]| SessionHeader::parse(json, Session::DIRECTORY);
    assert!(parse(b"{\"messages\":[\"\xff\"],\"id\":\"s1\"}").is_ok());
    for json in [
        &b""[..],
        b"[]",
        b"7",
        b"{",
        b"{\"id\":\"s1\"",
        b"{\"id\":\"s1\"} x",
        b"{}{}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":01}",
        b"\0\0",
    ] {
        assert!(parse(json).is_err(), "{json:?}");
    }
}

#[test]
fn a_summary_takes_over_a_header() {
    let header = header(r#"{"id":"other","title":"T","metadata":{"directory":"/w"}}"#);
    let id = SessionId::new("s1").expect("an id");
    let row = SessionSummary::new(id.clone(), header, 10, SystemTime::UNIX_EPOCH).with_messages(3);
    assert_eq!(
        (row.id, row.title.as_deref(), row.bytes),
        (id, Some("T"), 10)
    );
    assert_eq!((row.directory, row.messages), (Some("/w".into()), Some(3)));
}
