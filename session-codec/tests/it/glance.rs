//! A quick look says what a full decode says, or nothing.

use serde_json::Value;
use session_codec::testing::{documents, sessions};
use session_codec::{Codec, Glance, HeaderSpec, Inner, plain_text};

const NAMES: [&str; 4] = ["id", "metadata", "agent", "updated_at"];
const ARRAYS: [&str; 2] = ["messages", "tool_uses"];
/// The directory in the metadata.
const WITHIN: (usize, &str) = (1, "directory");

/// Checks a look at the first `upto` bytes against the whole; true if it said something.
fn check_head(document: &[u8], upto: usize) -> bool {
    let head = &document[..upto];
    let is_all = upto == document.len();
    let Some(glance) = Glance::head(head, is_all, NAMES, &ARRAYS) else {
        return false;
    };
    check_values(document, &glance, !glance.may_have_more());
    check_inner(document, head, is_all, &glance);
    true
}

/// Looking into a member on the way finds what looking into its text finds, or nothing at all; and changes nothing else.
fn check_inner(document: &[u8], head: &[u8], is_all: bool, plain: &Glance<'_, 4>) {
    let member = plain.value(WITHIN.0);
    let apart = member
        .filter(|text| text.starts_with('{'))
        .map(|text| Glance::object(text, [WITHIN.1]));
    let Some(glance) = Glance::head_within(head, is_all, NAMES, WITHIN, &ARRAYS) else {
        assert_eq!(apart, Some(None), "{}", document.escape_ascii());
        return;
    };
    assert_eq!(glance.values(), plain.values());
    let expected = match (member, apart.flatten().map(|apart| apart.value(0))) {
        (None, _) => Inner::NoMember,
        (Some(_), None) => Inner::NoObject,
        (_, Some(None)) => Inner::Missing,
        (_, Some(Some(text))) => Inner::Value(text),
    };
    assert_eq!(glance.inner(), expected, "{}", document.escape_ascii());
}

fn check_values(document: &[u8], glance: &Glance<'_, 4>, complete: bool) {
    let whole: Value = serde_json::from_slice(document).unwrap();
    for (name, text) in NAMES.iter().zip(glance.values()) {
        let found = text.map(|text| serde_json::from_str::<Value>(text).unwrap());
        if found.is_some() || complete {
            assert_eq!(
                found.as_ref(),
                whole.get(name),
                "{name}: {}",
                document.escape_ascii()
            );
        }
    }
}

#[test]
fn a_look_at_the_head_is_right_wherever_the_bytes_end() {
    let (mut said, mut all) = (0, 0);
    for document in sessions(1, 400) {
        for upto in (0..document.len()).step_by(7).chain([document.len()]) {
            said += u32::from(check_head(&document, upto));
            all += 1;
        }
    }
    assert!(said * 10 > all, "{said} of {all} looks said something");
}

#[test]
fn a_look_at_head_and_end_is_right() {
    let mut said = 0;
    for document in sessions(2, 2_000) {
        let Some(head) = Glance::head(&document, false, NAMES, &ARRAYS) else {
            continue;
        };
        let within = Glance::head_within(&document, false, NAMES, WITHIN, &ARRAYS);
        for from in (0..document.len()).step_by(5) {
            let needed = |name: &str| name == "id" || name == "metadata";
            let look = |head: Glance<'_, 4>| {
                let looked = head.with_end(&document[from..], from as u64, needed)?;
                Some((
                    looked.value(WITHIN.0).map(str::to_owned),
                    format!("{:?}", looked.inner()),
                ))
            };
            if let (Some(plain), Some((member, inner))) = (look(head), within.and_then(look)) {
                assert_eq!(plain.0, member);
                let value: Value = serde_json::from_str(&member.expect("needed")).unwrap();
                assert_eq!(
                    inner.contains("Value"),
                    value.get(WITHIN.1).is_some(),
                    "{value}"
                );
            }
            if let Some(glance) = head.with_end(&document[from..], from as u64, needed) {
                // What is asked for is there and right; of the rest only what was met is.
                let whole: Value = serde_json::from_slice(&document).unwrap();
                for (name, text) in NAMES.iter().zip(glance.values()).filter(|(n, _)| needed(n)) {
                    let text = text.expect("what is needed is found, or nothing is said");
                    let found: Value = serde_json::from_str(text).unwrap();
                    assert_eq!(Some(&found), whole.get(name), "{}", document.escape_ascii());
                }
                said += 1;
            }
        }
    }
    assert!(said > 1_000, "{said} looks said something");
}

#[test]
fn what_a_whole_look_takes_the_header_takes() {
    let spec = HeaderSpec::new(&NAMES, &NAMES, &[]);
    let mut said = 0;
    for document in documents(3, 20_000) {
        let Some(glance) = Glance::head(&document, true, NAMES, &[]) else {
            continue;
        };
        if !glance.may_have_more() {
            said += 1;
            let header = Codec::new().header(&document[..], &spec);
            assert!(header.is_ok(), "{}", document.escape_ascii());
        }
    }
    assert!(said > 500, "{said} looks said something");
}

#[test]
fn whatever_is_not_plain_is_left_to_the_header() {
    for head in [
        r#"{"id":"a","id":"b","messages":[]}"#,
        r#"{"\u0069d":"a","messages":[]}"#,
        r#"{"id":"a" "agent":"b"}"#,
        r#"{"id":01,"messages":[]}"#,
        "{\"id\":\"a\nb\",\"messages\":[]}",
        r#"{"id":"a\x","messages":[]}"#,
        r#"{"id":"a"} {}"#,
        r#"{"id":"a"}x"#,
        r#"["id"]"#,
        r#"{"id":"a","#,
        r#"{"id":[1,]}"#,
        r#"{"id":{"a":1]}"#,
        "",
    ] {
        assert_eq!(
            Glance::head(head.as_bytes(), true, NAMES, &ARRAYS),
            None,
            "{head}"
        );
    }
    for head in [
        r#"{"metadata":{"directory":"/a","directory":"/b"}}"#,
        r#"{"metadata":{"dir\u0065ctory":"/a"}}"#,
        r#"{"metadata":{"directory":"/a",}}"#,
        r#"{"metadata":{"directory" "/a"}}"#,
        r#"{"metadata":{"directory":"/a"]}"#,
        r#"{"metadata":{"directory":"/a""#,
        "{\"metadata\":{\"directory\":\"\n\"}}",
    ] {
        let glance = Glance::head_within(head.as_bytes(), true, NAMES, WITHIN, &ARRAYS);
        assert_eq!(glance, None, "{head}");
    }
    let not_text = b"{\"metadata\":{\"directory\":\"\xff\"}}";
    assert_eq!(Glance::head(not_text, true, NAMES, &ARRAYS), None);
    for (at, deep) in [(62, true), (63, true), (64, false), (65, false)] {
        let open = "[".repeat(at) + &"]".repeat(at);
        let head = format!(r#"{{"id":"a","metadata":{{"x":{open},"directory":"/"}}}}"#);
        let found = Glance::head(head.as_bytes(), true, NAMES, &ARRAYS).is_some();
        assert_eq!(found, deep, "{at} levels");
    }
    assert_eq!(plain_text(r#""a""#), Some("a"));
    assert_eq!(plain_text(r#""a\/""#), None);
    assert_eq!(plain_text("null"), None);
}
