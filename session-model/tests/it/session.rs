//! The session as a whole: order, defaults, construction, losslessness of hand-picked documents.

use chrono::{DateTime, Utc};
use session_model::{
    ContentPart, Message, RawJson, Role, Session, SessionId, SessionMetadata, ToolUse, Usage,
};

use crate::exact::{Exact, lossless, through};

fn id(text: &str) -> SessionId {
    SessionId::new(text).expect(text)
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect(text)
}

fn session(json: &str) -> Session {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Every member there is, with unknown ones at every level.
const FULL: &str = concat!(
    r#"{"id":"s-1","title":"T","created_at":"2026-03-10T19:42:54.066971411Z","updated_at":"2026-03-10T19:50:00Z","#,
    r#""metadata":{"directory":"/w","model":"m","knowledge_snapshot":"k","provenance":{"by":[1.0]},"#,
    r#""auto_apply_edits":true,"allow_network":true,"slash_autocomplete":false,"use_worktree":false,"#,
    r#""shared":true,"share_url":"u","rlm":{"depth":2},"theme":{"dark":true}},"agent":"build","#,
    r#""messages":[{"role":"user","content":[{"type":"text","text":"hi","lang":"en"}],"pinned":true}],"#,
    r#""tool_uses":[{"id":"1","name":"bash","input":"ls","output":"a","success":true,"took":0.10}],"#,
    r#""usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cache_read_tokens":4,"#,
    r#""cache_write_tokens":5,"reasoning":99999999999999999999},"pages":[1],"summary_index":{"a":[]}}"#,
);

#[test]
fn a_document_in_wire_order_comes_back_byte_for_byte() {
    assert_eq!(through::<Session>(FULL), FULL);
    let read = session(FULL);
    assert_eq!(
        read.metadata.provenance.as_ref().map(RawJson::get),
        Some(r#"{"by":[1.0]}"#)
    );
    assert_eq!(read.usage.cache_write_tokens, Some(5));
    assert_eq!(
        read.messages[0].extra.get("pinned").map(RawJson::get),
        Some("true")
    );
    assert_eq!(
        read.tool_uses[0].extra.get("took").map(RawJson::get),
        Some("0.10")
    );
    assert_eq!(read.created_at, Some(at("2026-03-10T19:42:54.066971411Z")));
}

#[test]
fn every_deserialiser_of_serde_json_gives_the_same_session() {
    let expected = session(FULL);
    assert_eq!(
        serde_json::from_reader::<_, Session>(FULL.as_bytes()).expect("a session"),
        expected
    );
    let exact = FULL
        .replace("99999999999999999999", "7")
        .replace("1.0", "1.5")
        .replace("0.10", "0.5");
    let value: serde_json::Value = serde_json::from_str(&exact).expect("JSON");
    let read: Session = serde_json::from_value(value.clone()).expect("a session");
    assert_eq!(serde_json::to_value(&read).expect("JSON"), value);
}

#[test]
fn a_constructed_session_has_every_member_that_other_readers_need() {
    let session = Session::without_directory(id("s1"));
    let expected = concat!(
        r#"{"id":"s1","title":null,"metadata":{"directory":null,"model":null,"auto_apply_edits":false,"#,
        r#""allow_network":false,"slash_autocomplete":true,"use_worktree":true,"shared":false,"#,
        r#""share_url":null},"agent":"","messages":[],"tool_uses":[],"usage":{"prompt_tokens":0,"#,
        r#""completion_tokens":0,"total_tokens":0,"cache_read_tokens":null,"cache_write_tokens":null}}"#,
    );
    let written = serde_json::to_string(&session).expect("JSON");
    assert_eq!(written, expected);
    assert_eq!(self::session(&written), session);

    let mut timed = session;
    timed.touch(at("2026-01-01T00:00:00Z"));
    timed.touch(at("2026-01-02T00:00:00Z"));
    let written = serde_json::to_string(&timed).expect("JSON");
    assert!(written.contains(
        r#""title":null,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z","#
    ));
}

#[test]
fn construction_reads_well() {
    let mut session = Session::new(id("s1"), "/work/app")
        .with_title("T")
        .with_agent("build")
        .with_model("m");
    session.push(Message::system("be brief"));
    session.push(Message::developer("use tabs"));
    session.push(Message::user("look").with(ContentPart::image("data:,")));
    session.push(Message::new(
        Role::Assistant,
        vec![ContentPart::tool_call("1", "ls", "{}")],
    ));
    session.push(Message::tool("1", "a.rs"));
    session.push(Message::assistant("done"));
    session.push_tool_use(ToolUse::failed("1", "ls", "{}", "no"));
    session.usage += &Usage {
        cache_read_tokens: Some(3),
        ..Usage::new(10, 2)
    };
    session.usage.add(&Usage::new(u64::MAX, 1));
    assert_eq!(session.directory(), Some(std::path::Path::new("/work/app")));
    assert_eq!(
        (session.usage.prompt_tokens, session.usage.completion_tokens),
        (u64::MAX, 3)
    );
    assert_eq!(
        (
            session.usage.cache_read_tokens,
            session.usage.cache_write_tokens
        ),
        (Some(3), None)
    );
    let roles: Vec<&str> = session
        .messages
        .iter()
        .map(|message| message.role.as_str())
        .collect();
    assert_eq!(
        roles,
        [
            "system",
            "developer",
            "user",
            "assistant",
            "tool",
            "assistant"
        ]
    );
    let written = serde_json::to_string(&session).expect("JSON");
    assert_eq!(self::session(&written), session);
}

#[test]
fn only_the_id_is_needed() {
    let read = session(r#"{"id":"s1"}"#);
    assert_eq!(read, Session::without_directory(id("s1")));
    assert!(read.metadata.slash_autocomplete && read.metadata.use_worktree);
    for json in [
        r#"{"id":"s1"}"#,
        r#"{"id":"s1","metadata":{}}"#,
        r#"{"id":"s1","metadata":null,"usage":null,"messages":null,"agent":null,"tool_uses":null}"#,
        r#"{"id":"s1","title":null,"created_at":null,"updated_at":null}"#,
        r#"{"id":"s1","metadata":{"shared":null,"use_worktree":null,"rlm":null,"directory":null}}"#,
        r#"{"id":"s1","metadata":{"shared":false,"use_worktree":true}}"#,
        r#"{"id":"s1","usage":{"total_tokens":0}}"#,
        r#"{"id":"s1","messages":[{},{"role":"","content":null},{"role":"x"}],"tool_uses":[{}]}"#,
    ] {
        lossless::<Session>(json);
    }
}

#[test]
fn losslessness_would_notice_what_is_forgotten() {
    // The mutant loses the memory of missing members, and another the unknown members.
    let json = r#"{"id":"s1","metadata":{},"x":1}"#;
    let mut forgetful = session(json);
    forgetful.metadata = SessionMetadata::default();
    assert_ne!(
        Exact::of(&serde_json::to_string(&forgetful).expect("JSON")),
        Exact::of(json)
    );
    let mut lossy = session(json);
    lossy.extra.remove("x");
    assert_ne!(
        Exact::of(&serde_json::to_string(&lossy).expect("JSON")),
        Exact::of(json)
    );
}

#[test]
fn losslessness_would_notice_a_flattened_struct() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Flattened {
        id: String,
        #[serde(flatten)]
        extra: serde_json::Map<String, serde_json::Value>,
    }
    let json = r#"{"id":"s1","big":18446744073709551617}"#;
    assert_ne!(Exact::of(&through::<Flattened>(json)), Exact::of(json));
    lossless::<Session>(json);
}

#[test]
fn a_changed_member_is_written_whatever_is_remembered() {
    let mut read = session(r#"{"id":"s1","title":null,"created_at":"2026-01-01T00:00:00+00:00"}"#);
    read.title = Some("T".to_owned());
    read.agent = "a".to_owned();
    read.created_at = Some(at("2026-01-02T00:00:00Z"));
    read.metadata.shared = true;
    let written = serde_json::to_string(&read).expect("JSON");
    assert_eq!(
        Exact::of(&written),
        Exact::of(concat!(
            r#"{"id":"s1","title":"T","agent":"a","created_at":"2026-01-02T00:00:00Z","metadata":{"#,
            r#""auto_apply_edits":false,"allow_network":false,"slash_autocomplete":true,"use_worktree":true,"#,
            r#""directory":null,"model":null,"shared":true,"share_url":null}}"#,
        ))
    );
    assert_eq!(session(&written), read);
}

#[test]
fn other_spellings_of_a_time_stay() {
    for time in [
        "2026-03-10T19:42:54Z",
        "2026-03-10T19:42:54.1Z",
        "2026-03-10T19:42:54.100Z",
        "2026-03-10T19:42:54.066971411Z",
        "2026-03-10T19:42:54.0669714119999Z",
        "2026-03-10T20:42:54+01:00",
        "2026-03-10t19:42:54z",
        "2026-06-30T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
    ] {
        lossless::<Session>(&format!(
            r#"{{"id":"s1","created_at":"{time}","updated_at":"{time}"}}"#
        ));
    }
    let same = session(r#"{"id":"s1","updated_at":"2026-03-10T20:42:54+01:00"}"#);
    assert_eq!(same.updated_at, Some(at("2026-03-10T19:42:54Z")));
}

#[test]
fn a_time_that_cannot_be_read_or_written_is_an_error() {
    for time in [
        "\"\"",
        "\"yesterday\"",
        "\"2026-03-10\"",
        "\"2026-13-01T00:00:00Z\"",
        "5",
        "[]",
    ] {
        let json = format!(r#"{{"id":"s1","updated_at":{time}}}"#);
        assert!(serde_json::from_str::<Session>(&json).is_err(), "{json}");
    }
    for at in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
        let mut session = Session::without_directory(id("s1"));
        session.updated_at = Some(at);
        let error = serde_json::to_string(&session).expect_err("not RFC 3339");
        assert!(error.to_string().contains("updated_at"), "{error}");
    }
}

#[test]
fn a_role_is_its_name() {
    assert_eq!(Role::Other("user".to_owned()), Role::User);
    assert_eq!(Role::from("critic"), Role::Other("critic".to_owned()));
    for name in ["system", "user", "assistant", "tool", "developer"] {
        assert!(!matches!(Role::from(name), Role::Other(_)));
        assert!(!matches!(Role::from(name.to_owned()), Role::Other(_)));
        assert_eq!(Role::from(name).to_string(), name);
    }
}

#[test]
fn types_can_be_shared_between_threads() {
    fn check<T: Send + Sync + std::fmt::Debug>() {}
    check::<Session>();
    check::<ContentPart>();
    check::<session_model::SessionHeader>();
    check::<session_model::SessionSummary>();
    check::<session_model::InvalidId>();
    check::<RawJson>();
}
