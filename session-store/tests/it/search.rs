//! A search finds what decoding every document and looking at each of its texts would, newest session first.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use session_model::testing::{Generator, Layout, Shape};
use session_store::{Case, Fields, Hit, Query, SearchQuery, SessionStore};

use crate::support::{Scratch, id, moment, transcripts};
use oracle::{Said, naive, respell, said};

mod journaled;
mod oracle;
mod promises;

const SHAPES: [Shape; 5] = [
    Shape::Realistic,
    Shape::TinyMessages,
    Shape::EscapeDense,
    Shape::Base64Images,
    Shape::Cjk,
];

/// How much of a match a snippet shows at least, less a character's bytes.
const LONGEST: usize = 256 - 3;

fn occurrences(text: &str, needle: &str, case: Case) -> Vec<(usize, usize)> {
    let fold = |text: &str| match case {
        Case::AsciiInsensitive => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    };
    if needle.is_empty() {
        return Vec::new();
    }
    let (text, needle) = (fold(text), fold(needle));
    let found = text.match_indices(&needle);
    found.map(|(at, _)| (at, at + needle.len())).collect()
}

/// Checks all hits of a query against the oracle, and their order against the listing's.
fn check(
    store: &SessionStore,
    documents: &HashMap<String, Value>,
    query: &SearchQuery,
    fields: Fields,
    find: &dyn Fn(&str) -> Vec<(usize, usize)>,
) {
    let mut hits = store.search(query).unwrap();
    let found: Vec<Hit> = hits.by_ref().collect();
    let skipped = hits.take_skipped();
    assert!(skipped.is_empty(), "{skipped:?}");
    let order: Vec<String> = store
        .list(&Query::new())
        .unwrap()
        .rows
        .into_iter()
        .map(|row| row.id.to_string())
        .collect();
    let mut rest = found.as_slice();
    for name in &order {
        let many = rest
            .iter()
            .take_while(|hit| hit.id().as_str() == name)
            .count();
        let (mine, others) = rest.split_at(many);
        rest = others;
        let document = &documents[name];
        let mut expected = naive(document, fields, find);
        let mut got: Vec<Said> = Vec::new();
        for hit in mine {
            let mut one = said(hit, document);
            // The snippet shows the first matches; how many there are is told by the count.
            let whole = expected.iter().find(|said| {
                said.path == one.path && (&said.member, said.element) == (&one.member, one.element)
            });
            let whole = whole.expect("the oracle has it");
            assert_eq!(hit.matches, whole.matches.len() as u64);
            // A first match that is very long is clipped.
            let (shown, first) = (one.matches.first_mut(), whole.matches.first());
            if let (Some(shown), Some(first)) = (shown, first)
                && (shown.0, true) == (first.0, shown.1 - shown.0 >= LONGEST)
            {
                *shown = *first;
            }
            assert!(
                !one.matches.is_empty() && whole.matches.starts_with(&one.matches),
                "{one:?} {whole:?}"
            );
            one.matches.clone_from(&whole.matches);
            got.push(one);
        }
        assert!(
            mine.is_sorted_by_key(|hit| (hit.member == "tool_uses", hit.element))
                || mine.iter().any(|hit| hit.element.is_none())
        );
        got.sort();
        expected.sort();
        assert_eq!(got, expected, "{name}");
    }
    assert!(
        rest.is_empty(),
        "hits of sessions that come later, or twice"
    );
}

/// A store of generated sessions of all shapes and both layouts, some of them spelled in odd ways.
fn collection(scratch: &Scratch, seed: u64) -> HashMap<String, Value> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut documents = HashMap::new();
    for n in 0..6_u64 {
        let shape = SHAPES[random.usize(..SHAPES.len())];
        let layout = [Layout::Compact, Layout::OlderPretty][random.usize(..2)];
        let name = id(&format!("s{n}"));
        let generator = Generator::new(random.u64(..))
            .id(name)
            .shape(shape)
            .layout(layout);
        let mut json = Vec::new();
        let size = random.u64(1_500..9_000);
        generator
            .bytes(size)
            .tool_uses(random.u64(..4))
            .write_to(&mut json)
            .unwrap();
        let mut value: Value = serde_json::from_slice(&json).unwrap();
        if random.bool() {
            let extra = json!([
                {"role": "critic", "content": [{"type": "verdict", "words": ["so/so \u{1f680}", {"url": "http://a/b\"c\\d"}]}, 3, "bare text"]},
                {"role": "user", "content": "a\u{1b}[1mb\tc\u{0}", "id": "m1", "note": "text in an unknown member"},
                {"content": [{"type": "tool_result", "tool_call_id": "c1", "content": [{"type": "text", "text": "nested"}]}]},
                "an element that is a text", 17, null,
            ]);
            let more = extra.as_array().unwrap().clone();
            value["messages"].as_array_mut().unwrap().extend(more);
            let mut text = String::new();
            respell(&value, &mut text, &mut || random.u8(..));
            json = text.into_bytes();
            assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), value);
        }
        let file = format!("s{n}.json");
        scratch.write(&file, &json);
        scratch.touch(&file, moment(random.u64(..50)));
        documents.insert(format!("s{n}"), value);
    }
    documents
}

/// Cuts a needle out of some text of the documents.
fn cut(documents: &HashMap<String, Value>, random: &mut fastrand::Rng) -> String {
    let every = |_: &str| vec![(0, 0)];
    let document = &documents[&format!("s{}", random.usize(..documents.len()))];
    let said = naive(document, Fields::All, &every);
    let one = &said[random.usize(..said.len())];
    let mut value = match one.element {
        Some(index) => &document[&one.member][usize::try_from(index).unwrap()],
        None => &document[&one.member],
    };
    let steps = one.path.replace('[', ".[");
    for step in steps.split('.').filter(|step| !step.is_empty()) {
        value = match step.strip_prefix('[') {
            Some(index) => &value[index.trim_end_matches(']').parse::<usize>().unwrap()],
            None => &value[step],
        };
    }
    let text: Vec<char> = value.as_str().unwrap().chars().collect();
    let from = random.usize(..=text.len());
    text[from..].iter().take(random.usize(1..12)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_decoding_everything_would(seed in any::<u64>()) {
        let scratch = Scratch::new();
        let documents = collection(&scratch, seed);
        let mut random = fastrand::Rng::with_seed(!seed);
        for threads in [1, 3] {
            let store = SessionStore::builder(scratch.sessions()).threads(threads).open().unwrap();
            for _ in 0..12 {
                let mut needle = cut(&documents, &mut random);
                let case = [Case::Sensitive, Case::AsciiInsensitive][random.usize(..2)];
                if case == Case::AsciiInsensitive {
                    needle = needle.to_ascii_uppercase();
                }
                let fields = [Fields::Text, Fields::All][random.usize(..2)];
                let query = SearchQuery::text(&needle).case(case).fields(fields).context(random.usize(..40));
                check(&store, &documents, &query, fields, &|text| occurrences(text, &needle, case));
            }
        }
    }

    #[cfg(feature = "regex")]
    #[test]
    fn a_search_for_an_expression_finds_what_decoding_everything_would(seed in any::<u64>()) {
        let scratch = Scratch::new();
        let documents = collection(&scratch, seed);
        let mut random = fastrand::Rng::with_seed(!seed);
        let store = scratch.store();
        let cut = regex::escape(&cut(&documents, &mut random));
        for pattern in [&cut, &format!("(?i){cut}"), &format!("\\w*{cut}"), r"\d+", "a*", "(?i)the|Error", r"^\S+$", "日|é|\\x1b", ""] {
            let regex = regex::Regex::new(pattern).unwrap();
            let query = SearchQuery::regex(pattern).unwrap();
            check(&store, &documents, &query, Fields::Text, &|text| {
                regex.find_iter(text).filter(|found| !found.is_empty()).map(|found| (found.start(), found.end())).collect()
            });
        }
    }
}

#[test]
fn real_transcripts_are_searched_exactly() {
    let scratch = Scratch::new();
    let mut documents = HashMap::new();
    for (_, bytes) in transcripts() {
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        // Some lie there as copies under other names.
        let name = value["id"].as_str().unwrap().to_owned();
        scratch.write(&format!("{name}.json"), &bytes);
        documents.insert(name, value);
    }
    let store = scratch.store();
    for needle in [
        "error",
        "\n",
        "\"",
        "src/",
        "the",
        "é",
        "\\",
        "nothing has this text",
    ] {
        for case in [Case::Sensitive, Case::AsciiInsensitive] {
            let query = SearchQuery::text(needle).case(case);
            let find = |text: &str| occurrences(text, needle, case);
            check(&store, &documents, &query, Fields::Text, &find);
        }
    }
}

#[test]
fn a_document_too_long_to_be_held_is_searched_by_its_elements() {
    let scratch = Scratch::new();
    let mut text = String::new();
    let generator = Generator::new(5).id(id("long")).shape(Shape::TinyMessages);
    let mut json = Vec::new();
    generator
        .bytes(5 << 20)
        .tool_uses(3)
        .write_to(&mut json)
        .unwrap();
    let mut value: Value = serde_json::from_slice(&json).unwrap();
    let messages = value["messages"].as_array_mut().unwrap();
    for place in [messages.len() / 3, messages.len() - 1, messages.len()] {
        messages.insert(
            place,
            json!({"role": "user", "content": [{"type": "text", "text": "naïve/needle"}]}),
        );
    }
    // One element is longer than what is read at once.
    let long = format!("{}naïve/needle", "x ".repeat(1 << 20));
    messages.push(json!({"role": "tool", "content": [{"type": "tool_result", "content": long}]}));
    value["title"] = json!("naïve/needle");
    let mut random = fastrand::Rng::with_seed(9);
    respell(&value, &mut text, &mut || random.u8(..));
    scratch.write("long.json", &text);
    let documents = HashMap::from([("long".to_owned(), value)]);
    let store = scratch.store();
    for needle in ["naïve/needle", "needle", "no such needle"] {
        let find = |text: &str| occurrences(text, needle, Case::Sensitive);
        check(
            &store,
            &documents,
            &SearchQuery::text(needle),
            Fields::Text,
            &find,
        );
    }
    let limited: Vec<Hit> = store
        .search(&SearchQuery::text("needle").limit(2))
        .unwrap()
        .collect();
    assert_eq!(limited.len(), 2);
}
