//! Documents that are damaged or made to harm: an error each, never a panic or an overflow.

use session_model::Session;

fn refused(json: &[u8]) -> serde_json::Error {
    let error = serde_json::from_slice::<Session>(json).expect_err("a refusal");
    assert!(serde_json::from_reader::<_, Session>(json).is_err());
    error
}

const SMALL: &str = concat!(
    r#"{"id":"s1","title":"\u00e9","created_at":"2026-03-10T19:42:54Z","metadata":{"directory":"/w","x":[1]},"#,
    r#""messages":[{"role":"user","content":[{"text":"a","type":"text"},{"type":"y","z":{}}]}],"usage":{"total_tokens":1}}"#,
);

#[test]
fn truncated_at_every_byte() {
    assert!(serde_json::from_str::<Session>(SMALL).is_ok());
    for length in 0..SMALL.len() {
        assert!(refused(&SMALL.as_bytes()[..length]).is_eof(), "{length}");
    }
}

#[test]
fn damaged_at_every_byte_is_never_a_panic() {
    for at in 0..SMALL.len() {
        for byte in [0, b'"', b'{', b'[', b'0', b' ', 0x80, 0xff] {
            let mut json = SMALL.as_bytes().to_vec();
            json[at] = byte;
            if let Ok(session) = serde_json::from_slice::<Session>(&json) {
                let written = serde_json::to_vec(&session).expect("JSON");
                assert_eq!(
                    serde_json::from_slice::<Session>(&written).expect("a session"),
                    session
                );
            }
        }
    }
}

#[test]
fn not_one_document() {
    for json in [
        b"".to_vec(),
        vec![0; 64],
        [SMALL.as_bytes(), &[0; 16]].concat(),
        [SMALL.as_bytes(), b"garbage"].concat(),
        [SMALL.as_bytes(), SMALL.as_bytes()].concat(),
        [b"\xef\xbb\xbf", SMALL.as_bytes()].concat(),
        SMALL.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\"s1\"".to_vec(),
        b"{}".to_vec(),
    ] {
        refused(&json);
    }
}

#[test]
fn bad_text() {
    for json in [
        &b"{\"id\":\"s1\",\"title\":\"\xff\"}"[..],
        b"{\"id\":\"s1\",\"x\":\"\xff\"}",
        b"{\"id\":\"s1\",\"\xff\":1}",
        b"{\"id\":\"s1\",\"title\":\"\\ud800\"}",
        b"{\"id\":\"s1\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\\udc00x\"}]}]}",
    ] {
        refused(json);
    }
    crate::exact::lossless::<Session>(r#"{"id":"s1","x":"\ud800"}"#);
}

#[test]
fn deep_nesting() {
    for deep in [128, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = open.repeat(deep) + "1" + &close.repeat(deep);
            for json in [
                format!(r#"{{"id":"s1","x":{deep}}}"#),
                format!(r#"{{"id":"s1","title":{deep}}}"#),
                format!(r#"{{"id":"s1","metadata":{{"rlm":{deep}}}}}"#),
                format!(r#"{{"id":"s1","metadata":{{"x":{deep}}}}}"#),
                format!(r#"{{"id":"s1","messages":{deep}}}"#),
                format!(r#"{{"id":"s1","messages":[{{"content":[{deep}]}}]}}"#),
                format!(r#"{{"id":"s1","messages":[{{"content":[{{"type":{deep}}}]}}]}}"#),
                format!(
                    r#"{{"id":"s1","messages":[{{"content":[{{"type":"text","text":{deep}}}]}}]}}"#
                ),
                format!(
                    r#"{{"id":"s1","messages":[{{"content":[{{"text":{deep},"type":"text"}}]}}]}}"#
                ),
                deep.clone(),
            ] {
                refused(json.as_bytes());
            }
        }
    }
}

#[test]
fn duplicate_keys() {
    for json in [
        r#"{"id":"a","id":"a"}"#,
        r#"{"id":"a","messages":[],"messages":[]}"#,
        r#"{"id":"a","mess\u0061ges":[],"messages":[]}"#,
        r#"{"id":"a","title":null,"title":"x"}"#,
        r#"{"id":"a","metadata":{"shared":true,"shared":true}}"#,
        r#"{"id":"a","messages":[{"role":"user","role":"user"}]}"#,
        r#"{"id":"a","usage":{"total_tokens":1,"total_tokens":1}}"#,
        r#"{"id":"a","tool_uses":[{"id":"1","id":"2"}]}"#,
    ] {
        assert!(
            refused(json.as_bytes())
                .to_string()
                .contains("duplicate field"),
            "{json}"
        );
    }
}

#[test]
fn a_wrong_type_of_any_member() {
    let members = |names: &'static [&'static str], wrong: &'static [&'static str]| {
        names
            .iter()
            .flat_map(move |name| wrong.iter().map(move |value| format!("\"{name}\":{value}")))
    };
    let texts = &["7", "true", "[]", "{}", "1.5"];
    let bools = &["7", "\"true\"", "[]", "{}"];
    let numbers = &["-1", "1.5", "\"1\"", "true", "[]", "18446744073709551616"];
    let arrays = &["7", "\"a\"", "{}", "true", "[7]", "[[]]", "[null]"];
    let objects = &["7", "\"a\"", "[]", "true"];
    let mut documents: Vec<String> = Vec::new();
    documents.extend(
        members(&["title", "agent", "created_at", "updated_at"], texts)
            .map(|m| format!("{{\"id\":\"a\",{m}}}")),
    );
    documents.extend(
        members(&["messages", "tool_uses"], arrays).map(|m| format!("{{\"id\":\"a\",{m}}}")),
    );
    documents
        .extend(members(&["metadata", "usage"], objects).map(|m| format!("{{\"id\":\"a\",{m}}}")));
    let inside = |outer: &str, m: &str| format!("{{\"id\":\"a\",{}}}", outer.replace('@', m));
    for m in members(
        &["directory", "model", "knowledge_snapshot", "share_url"],
        texts,
    )
    .chain(members(
        &[
            "auto_apply_edits",
            "allow_network",
            "slash_autocomplete",
            "use_worktree",
            "shared",
        ],
        bools,
    )) {
        documents.push(inside("\"metadata\":{@}", &m));
    }
    for m in members(
        &[
            "prompt_tokens",
            "completion_tokens",
            "total_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
        ],
        numbers,
    ) {
        documents.push(inside("\"usage\":{@}", &m));
    }
    for m in members(&["role"], texts).chain(members(&["content"], &["7", "\"a\"", "{}", "true"])) {
        documents.push(inside("\"messages\":[{@}]", &m));
    }
    for m in members(&["id", "name", "input", "output"], texts).chain(members(&["success"], bools))
    {
        documents.push(inside("\"tool_uses\":[{@}]", &m));
    }
    documents.extend(
        ["null", "7", "\"\"", "\"..\"", "\"a/b\"", "[]"].map(|id| format!("{{\"id\":{id}}}")),
    );
    assert!(documents.len() > 100);
    for json in documents {
        refused(json.as_bytes());
    }
}

#[test]
fn many_unknown_members_cost_linear_time() {
    use std::fmt::Write as _;
    let mut json = String::from("{\"id\":\"s1\"");
    for at in 0..200_000 {
        write!(json, ",\"k{at}\":1").expect("a string takes it");
    }
    json.push('}');
    let session: Session = serde_json::from_str(&json).expect("a session");
    assert_eq!(session.extra.len(), 200_000);
    assert_eq!(serde_json::to_string(&session).expect("JSON"), json);
}
