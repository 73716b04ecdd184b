//! Random documents out of known and unknown members: nothing is lost, and what is written is read.

use proptest::prelude::*;
use proptest::sample::select;
use session_model::{Session, SessionHeader, SessionRecord};

use crate::exact::Exact;

type Text = BoxedStrategy<String>;

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

fn string() -> Text {
    prop_oneof![
        "[a-z /]{0,8}".prop_map(|text| quoted(&text)),
        any::<String>().prop_map(|text| quoted(&text)),
        Just(r#""\u00e9\/\ud83d\ude80\u0000""#.to_owned()),
        Just(r#""{\"a\":\"\\\"\"}""#.to_owned()),
    ]
    .boxed()
}

fn number() -> Text {
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        select(vec![
            "1.50",
            "-0",
            "0.0",
            "1e5",
            "1E-7",
            "123456789012345678901234567890",
            "1e400"
        ])
        .prop_map(str::to_owned),
    ]
    .boxed()
}

/// Any JSON value, with white space here and there.
fn value() -> Text {
    let leaf = prop_oneof![
        string(),
        number(),
        select(vec!["null", "true", "false", "[ ]", "{ }"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[ {}\n]", all.join(" , "))),
            proptest::collection::btree_map("[a-c]{1,2}", inner, 0..4).prop_map(|all| {
                let members: Vec<String> = all
                    .iter()
                    .map(|(key, value)| format!("\"{key}\" :\t{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
    .boxed()
}

fn boolean() -> Text {
    any::<bool>().prop_map(|value| value.to_string()).boxed()
}

fn token_count() -> Text {
    prop_oneof![Just(0_u64), any::<u64>()]
        .prop_map(|count| count.to_string())
        .boxed()
}

fn time() -> Text {
    select(vec![
        "2026-03-10T19:42:54.066971411Z",
        "2026-03-10T19:42:54+00:00",
        "2026-03-10T19:42:54.50-07:00",
    ])
    .prop_map(quoted)
    .boxed()
}

fn array(of: &Text) -> Text {
    proptest::collection::vec(of.clone(), 0..4)
        .prop_map(|all| format!("[{}]", all.join(", ")))
        .boxed()
}

/// An object of some of the given members, unknown ones among them, in any order.
fn object(known: Vec<(&'static str, Text)>) -> Text {
    let known: Vec<_> = known
        .into_iter()
        .map(|(name, value)| {
            let member = value.prop_map(move |value| Some(format!("\"{name}\": {value}")));
            prop_oneof![6 => member, 1 => Just(None), 1 => Just(Some(format!("\"{name}\":null")))]
        })
        .collect();
    let unknown = proptest::collection::btree_map("x[a-z]{1,3}", value(), 0..3);
    (known, unknown)
        .prop_map(|(known, unknown)| {
            let unknown = unknown
                .iter()
                .map(|(name, value)| format!("{}:{value}", quoted(name)));
            known
                .into_iter()
                .flatten()
                .chain(unknown)
                .collect::<Vec<_>>()
        })
        .prop_shuffle()
        .prop_map(|members| format!("{{ {} }}", members.join(",\n")))
        .boxed()
}

fn known_part(tag: &'static str, members: &[&'static str]) -> Text {
    let members = members.iter().map(|name| (*name, string()));
    object(members.collect())
        .prop_map(move |text| {
            let rest = text[1..].trim_start();
            let comma = if rest.starts_with('}') { "" } else { "," };
            // The type stands first or, behind an unknown member, later.
            format!("{{\"type\":\"{tag}\"{comma}{rest}")
        })
        .boxed()
}

fn part() -> Text {
    let tagged = |tag: &'static str| Just(quoted(tag)).boxed();
    prop_oneof![
        known_part("text", &["text"]),
        known_part("image", &["url", "mime_type"]),
        known_part("file", &["path", "mime_type"]),
        known_part(
            "tool_call",
            &["id", "name", "arguments", "thought_signature"]
        ),
        known_part("tool_result", &["tool_call_id", "content"]),
        known_part("thinking", &["text", "signature"]),
        // Anywhere in the object, or missing; members of any type.
        object(vec![
            ("type", tagged("text")),
            (
                "text",
                prop_oneof![string(), Just("[1e9]".to_owned())].boxed()
            )
        ]),
        object(vec![
            ("score", value()),
            ("type", tagged("verdict")),
            ("text", value())
        ]),
        Just("{}".to_owned()),
        Just("[ null ]".to_owned()),
    ]
    .boxed()
}

fn session() -> Text {
    let metadata = object(vec![
        ("directory", string()),
        ("model", string()),
        ("knowledge_snapshot", string()),
        ("provenance", value()),
        ("auto_apply_edits", boolean()),
        ("allow_network", boolean()),
        ("slash_autocomplete", boolean()),
        ("use_worktree", boolean()),
        ("shared", boolean()),
        ("share_url", string()),
        ("rlm", value()),
        ("directory_bytes", string()),
    ]);
    let role = prop_oneof![
        select(vec!["user", "tool", "critic", ""]).prop_map(quoted),
        string()
    ]
    .boxed();
    let message = object(vec![("role", role), ("content", array(&part()))]);
    let tool_use = object(vec![
        ("id", string()),
        ("name", string()),
        ("input", string()),
        ("output", string()),
        ("success", boolean()),
    ]);
    let usage = object(vec![
        ("prompt_tokens", token_count()),
        ("completion_tokens", token_count()),
        ("total_tokens", token_count()),
        ("cache_read_tokens", token_count()),
        ("cache_write_tokens", token_count()),
    ]);
    let rest = object(vec![
        ("title", string()),
        ("created_at", time()),
        ("updated_at", time()),
        ("metadata", metadata),
        ("agent", string()),
        ("messages", array(&message)),
        ("tool_uses", array(&tool_use)),
        ("usage", usage),
        ("pages", array(&value())),
    ]);
    rest.prop_map(|text| {
        let rest = text[1..].trim_start();
        let comma = if rest.starts_with('}') { "" } else { "," };
        format!("{{\"id\":\"s-1\"{comma}{rest}")
    })
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(json in session()) {
        let read: Session = match serde_json::from_str(&json) {
            Ok(read) => read,
            Err(error) => return Err(TestCaseError::fail(format!("{error}"))),
        };
        let written = serde_json::to_string(&read).expect("JSON");
        prop_assert_eq!(Exact::of(&written), Exact::of(&json));
        let again: Session = serde_json::from_str(&written).expect("a session");
        prop_assert_eq!(&again, &read);
        prop_assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
    }

    #[test]
    fn a_header_agrees_with_the_session(json in session()) {
        let session: Session = serde_json::from_str(&json).expect("a session");
        let header = SessionHeader::parse(json.as_bytes(), Session::DIRECTORY).expect("a header");
        prop_assert_eq!(header.id.as_deref(), Some(session.id()));
        prop_assert_eq!(&header.title, &session.title);
        prop_assert_eq!(header.updated_at, session.updated_at);
        prop_assert_eq!(header.directory.as_deref(), session.directory());
        prop_assert_eq!(&header.model, &session.metadata.model);
        prop_assert_eq!(header.agent.unwrap_or_default(), session.agent);
    }
}
