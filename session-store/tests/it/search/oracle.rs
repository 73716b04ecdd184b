//! The oracle of a search: decodes everything, and looks at every text.

use std::fmt::Write as _;

use serde_json::Value;
use session_store::{Fields, Hit};

/// One text that matches, as the store says it and as the oracle does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    pub(super) member: String,
    pub(super) element: Option<u64>,
    pub(super) path: String,
    pub(super) role: Option<String>,
    pub(super) matches: Vec<(usize, usize)>,
}

/// Every text of a document that matches.
pub(super) fn naive(
    document: &Value,
    fields: Fields,
    find: &dyn Fn(&str) -> Vec<(usize, usize)>,
) -> Vec<Said> {
    let mut said = Vec::new();
    for member in ["title", "messages", "tool_uses"] {
        let elements: Vec<(Option<u64>, &Value)> = match &document[member] {
            Value::Array(elements) => (0..).map(Some).zip(elements).collect(),
            value => vec![(None, value)],
        };
        for (element, value) in elements {
            texts(value, "", &mut |path, text| {
                let matches = find(text);
                let wanted = fields == Fields::All || is_text(member, path);
                if wanted && !matches.is_empty() {
                    said.push(Said {
                        member: member.to_owned(),
                        element,
                        path: path.to_owned(),
                        role: element.and(value["role"].as_str()).map(str::to_owned),
                        matches,
                    });
                }
            });
        }
    }
    said
}

/// What is not text, spelled out once more.
fn is_text(member: &str, path: &str) -> bool {
    let mut shape = String::new();
    let mut inside = false;
    for character in path.chars() {
        match character {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside => {}
            _ => shape.push(character),
        }
    }
    let no_text: &[&str] = match member {
        "messages" => &[
            "role",
            "id",
            "content.type",
            "content.id",
            "content.tool_call_id",
            "content.url",
            "content.mime_type",
            "content.signature",
            "content.thought_signature",
        ],
        "tool_uses" => &["id"],
        _ => &[],
    };
    !no_text.contains(&shape.as_str())
}

fn texts(value: &Value, path: &str, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(path, text),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                texts(value, &format!("{path}[{index}]"), visit);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                texts(value, &format!("{path}{dot}{name}"), visit);
            }
        }
        _ => {}
    }
}

/// What a hit says, with the first match only, after a check of the snippet against the text.
pub(super) fn said(hit: &Hit, document: &Value) -> Said {
    let value = match hit.element {
        Some(index) => &document[&hit.member][usize::try_from(index).expect("small")],
        None => &document[&hit.member],
    };
    let mut whole = None;
    texts(value, "", &mut |path, text| {
        if path == hit.path {
            whole = Some(text.to_owned());
        }
    });
    let whole = whole.expect("the text is there");
    let snippet = &hit.snippet;
    let before = usize::try_from(snippet.before).expect("small");
    assert_eq!(&whole[before..before + snippet.text.len()], snippet.text);
    assert_eq!(
        snippet.before + snippet.text.len() as u64 + snippet.after,
        whole.len() as u64
    );
    let matches: Vec<_> = snippet
        .matches
        .iter()
        .map(|found| (before + found.start, before + found.end))
        .collect();
    assert_eq!(hit.first().start, matches[0].0 as u64);
    Said {
        member: hit.member.clone(),
        element: hit.element,
        path: hit.path.clone(),
        role: hit.role.as_ref().map(|role| role.as_str().to_owned()),
        matches,
    }
}

/// Writes a value as some other program might: with white space, and strings escaped as `choose` says.
pub(super) fn respell(value: &Value, out: &mut String, choose: &mut dyn FnMut() -> u8) {
    if choose().is_multiple_of(8) {
        out.push_str([" ", "\n", "\t\r\n  "][usize::from(choose()) % 3]);
    }
    match value {
        Value::String(text) => respell_text(text, out, choose),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                respell(value, out, choose);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                respell_text(name, out, choose);
                out.push(':');
                respell(value, out, choose);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn respell_text(text: &str, out: &mut String, choose: &mut dyn FnMut() -> u8) {
    out.push('"');
    for character in text.chars() {
        let usual = serde_json::to_string(&character.to_string()).expect("a string");
        match choose() % 16 {
            0 => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("a string");
                }
            }
            1 => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04X}").expect("a string");
                }
            }
            2 if character == '/' => out.push_str("\\/"),
            _ => out.push_str(&usual[1..usual.len() - 1]),
        }
    }
    out.push('"');
}
