//! Content parts: every type, wherever `type` stands, whatever the members are.

use session_model::{ContentPart, Message, RawJson, Role, ToolLink};

use crate::exact::{lossless, through};

fn part(json: &str) -> ContentPart {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

const KNOWN: [&str; 8] = [
    r#"{"type":"text","text":"a\n\u0001"}"#,
    r#"{"type":"image","url":"data:,x","mime_type":"image/png"}"#,
    r#"{"type":"image","url":"u"}"#,
    r#"{"type":"file","path":"/a","mime_type":null}"#,
    r#"{"type":"tool_call","id":"1","name":"bash","arguments":"{}","thought_signature":"s"}"#,
    r#"{"type":"tool_call","id":"1","name":"bash","arguments":"{\"a\":\"\\\"\"}"}"#,
    r#"{"type":"tool_result","tool_call_id":"1","content":"ok"}"#,
    r#"{"type":"thinking","text":"hm","signature":"x"}"#,
];

#[test]
fn known_types_are_read_and_written() {
    for json in KNOWN {
        assert!(!matches!(part(json), ContentPart::Other(_)), "{json}");
        assert_eq!(through::<ContentPart>(json), json);
    }
    assert_eq!(part(KNOWN[0]), ContentPart::text("a\n\u{1}"));
    assert_eq!(
        part(KNOWN[5]),
        ContentPart::tool_call("1", "bash", r#"{"a":"\""}"#)
    );
    assert_eq!(part(KNOWN[6]), ContentPart::tool_result("1", "ok"));
    assert_eq!(part(KNOWN[2]), ContentPart::image("u"));
    assert_eq!(part(KNOWN[3]), ContentPart::file("/a"));
}

#[test]
fn the_place_of_type_does_not_matter() {
    for json in KNOWN {
        let members: Vec<String> = serde_json::from_str::<serde_json::Map<_, _>>(json)
            .expect(json)
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        for turn in 0..members.len() {
            let mut turned = members.clone();
            turned.rotate_left(turn);
            turned.insert(turn, "\"x\":[ 1 ]".to_owned());
            let turned = format!("{{{}}}", turned.join(","));
            let mut read = part(&turned);
            lossless::<ContentPart>(&turned);
            match &mut read {
                ContentPart::Text { extra, .. }
                | ContentPart::Image { extra, .. }
                | ContentPart::File { extra, .. }
                | ContentPart::ToolCall { extra, .. }
                | ContentPart::ToolResult { extra, .. }
                | ContentPart::Thinking { extra, .. } => {
                    assert_eq!(extra.remove("x").as_ref().map(RawJson::get), Some("[1]"));
                }
                _ => panic!("{turned}"),
            }
            assert_eq!(read, part(json), "{turned}");
        }
    }
}

#[test]
fn other_values_are_kept_whole() {
    for json in [
        r#"{"type":"verdict","score":340282366920938463463374607431768211456}"#,
        r#"{"score":1.50,"type":"verdict"}"#,
        r#"{"type":"tool_result","tool_call_id":"1","content":[{"type":"text","text":"a"}],"x":1}"#,
        r#"{"content":{"n":1e400},"tool_call_id":null,"type":"tool_result"}"#,
        r#"{"text":"\ud800","type":"text"}"#,
        r#"{"text":1.50,"x":1,"type":"text"}"#,
        r#"{"type":"text","text":7}"#,
        r#"{"type":"text","text":false,"more":"x"}"#,
        r#"{"type":"tool_call","id":"1","name":null,"arguments":{"a":{}}}"#,
        r#"{"type":7,"text":"a"}"#,
        r#"{"type":null}"#,
        r#"{"text":"no type"}"#,
        "{}",
        "[]",
        r#"[1,{"a":[]}]"#,
        "null",
        "true",
        "-3",
        "18446744073709551615",
        r#""plain""#,
    ] {
        assert!(matches!(part(json), ContentPart::Other(_)), "{json}");
        lossless::<ContentPart>(json);
        let written = through::<ContentPart>(json);
        assert_eq!(part(&written), part(json));
    }
}

#[test]
fn missing_and_null_members_are_remembered() {
    for json in [
        r#"{"type":"text"}"#,
        r#"{"type":"text","text":null}"#,
        r#"{"type":"tool_call","id":null,"arguments":""}"#,
        r#"{"type":"tool_call","thought_signature":null}"#,
        r#"{"mime_type":null,"type":"image"}"#,
        r#"{"type":"thinking","signature":null}"#,
    ] {
        assert!(!matches!(part(json), ContentPart::Other(_)), "{json}");
        lossless::<ContentPart>(json);
    }
    assert_eq!(part(r#"{"type":"text"}"#), ContentPart::text(""));
}

#[test]
fn a_changed_member_is_written_whatever_is_remembered() {
    let mut read = part(r#"{"type":"image","url":null,"mime_type":null}"#);
    if let ContentPart::Image { url, mime_type, .. } = &mut read {
        *url = "u".to_owned();
        *mime_type = Some("m".to_owned());
    }
    let written = serde_json::to_string(&read).expect("JSON");
    assert_eq!(written, r#"{"type":"image","url":"u","mime_type":"m"}"#);
}

#[test]
fn what_could_not_be_kept_exactly_is_refused() {
    for json in [
        r#"{"type":"text","text":1.5}"#,
        r#"{"type":"text","text":18446744073709551616}"#,
        "1.5",
        r#"{"type":"text","text":"\ud800"}"#,
        r#"{"type":"text","type":"text"}"#,
        r#"{"text":"a","type":"text","text":"b"}"#,
        r#"{"type":"x","type":"x"}"#,
    ] {
        assert!(serde_json::from_str::<ContentPart>(json).is_err(), "{json}");
    }
}

#[test]
fn a_part_that_could_not_be_read_again_is_not_written() {
    for json in [
        "1.5",
        r#"{"type":"text","text":1.5}"#,
        r#"{"type":"x","type":"y"}"#,
    ] {
        let raw = RawJson::from_text(json.to_owned()).expect(json);
        assert!(
            serde_json::to_string(&ContentPart::Other(raw)).is_err(),
            "{json}"
        );
    }
}

#[test]
fn text_of_a_part() {
    assert_eq!(ContentPart::text("a").as_text(), Some("a"));
    assert_eq!(ContentPart::thinking("a").as_text(), Some("a"));
    assert_eq!(ContentPart::tool_result("1", "a").as_text(), Some("a"));
    assert_eq!(ContentPart::file("a").as_text(), None);
}

/// Every part of a message tells its own link, whatever the others are and whatever its own other members are.
#[test]
fn an_odd_member_or_an_odd_part_hides_no_link() {
    let cases = [
        (
            r#"{"type":"tool_call","id":"1","name":"n","arguments":"{}"}"#,
            "call 1",
        ),
        (
            r#"{"type":"tool_call","id":"1","name":"n","arguments":{"a":1.5}}"#,
            "call 1",
        ),
        (r#"{"id":"1","name":7,"type":"tool_call"}"#, "call 1"),
        (
            r#"{"type":"tool_call","\u0069d":"\u0031","name":[]}"#,
            "call 1",
        ),
        (
            r#"{"type":"tool_result","tool_call_id":"1","content":[{"type":"text"}]}"#,
            "answer 1",
        ),
        (
            r#"{"type":"tool_result","tool_call_id":"1","content":"x","id":5,"id":6}"#,
            "answer 1",
        ),
        (
            r#"{"type":"tool_result","tool_call_id":5,"content":"x"}"#,
            "",
        ),
        (r#"{"type":"tool_result","id":"1","content":[]}"#, ""),
        (r#"{"type":"tool_call","name":"n","arguments":"{}"}"#, ""),
        (r#"{"type":"tool_call","id":null,"arguments":5}"#, ""),
        (r#"{"type":"tool_use","id":"1"}"#, ""),
        (r#"{"type":"text","text":"tool_call","id":"1"}"#, ""),
        (r#""tool_call""#, ""),
        ("null", ""),
        ("[]", ""),
    ];
    let links = |message: &Message| {
        let mut links = Vec::new();
        message.tool_links(&mut |link| {
            links.push(match link {
                ToolLink::Call(id) => format!("call {id}"),
                ToolLink::Answer(id) => format!("answer {id}"),
            });
        });
        links
    };
    let mut expected = Vec::new();
    for (json, link) in cases {
        let found = links(&Message::new(Role::Assistant, vec![part(json)]));
        assert_eq!(found.join(","), link, "{json}");
        expected.extend(found);
    }
    let all = cases.iter().map(|(json, _)| part(json)).collect();
    assert_eq!(links(&Message::new(Role::Assistant, all)), expected);
    // One that was made by hand is whatever it says it is.
    let json = r#"{"\u0074ype":"\u0074ool_call","id":"1"}"#;
    let by_hand = ContentPart::Other(RawJson::from_text(json.to_owned()).expect(json));
    assert_eq!(
        links(&Message::new(Role::Assistant, vec![by_hand])),
        ["call 1"]
    );
}
