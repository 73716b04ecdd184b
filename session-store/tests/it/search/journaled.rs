//! Sessions whose appends are not folded are searched as the one document that they make, in its order.

use session_store::{Append, Fields, Hit, Message, SearchQuery, SessionStore, ToolUse};

use crate::support::{Scratch, id};

/// Everything that a hit says, without what a fold changes of the row: its size and its time.
fn hits(store: &SessionStore, query: &SearchQuery) -> Vec<String> {
    let mut found = store.search(query).unwrap();
    let hits: Vec<Hit> = found.by_ref().collect();
    let skipped = found.take_skipped();
    assert!(skipped.is_empty(), "{skipped:?}");
    hits.iter().map(say).collect()
}

fn say(hit: &Hit) -> String {
    let (member, element, path) = (&hit.member, hit.element, &hit.path);
    let (role, matches, snippet) = (&hit.role, hit.matches, &hit.snippet);
    format!("{member} {element:?} {path} {role:?} {matches} {snippet:?}")
}

fn message(text: &str) -> String {
    format!(r#"{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}"#)
}

/// Documents in which members stand in every order, or not at all, as others write them.
fn documents() -> Vec<String> {
    let messages = [
        message("needle of old"),
        message("hay"),
        message("need\\u006ce"),
    ]
    .join(" , ");
    let tools = r#"{"id":"t","name":"run","input":"a needle","output":"hay","success":true}"#;
    // Long enough not to be held, with needles at both ends.
    let long = (0..3_000).map(|n| message(&format!("hay {n} {}", "straw ".repeat(300))));
    let long: Vec<String> = long.collect();
    let long = format!(
        "{},{},{}",
        message("needle 0"),
        long.join(","),
        message("needle 1")
    );
    assert!(long.len() > 5 << 20);
    let times = r#""created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z""#;
    [
        format!(r#""title":"needle","messages":[{messages}],"tool_uses":[{tools}]"#),
        format!(r#""tool_uses":[{tools}],"messages":[{messages}],"title":"needle""#),
        format!(r#""tool_uses":[],"title":null,"messages":[{messages}]"#),
        format!(r#""messages": [ ] ,"agent":"needle","tool_uses":[{tools}]"#),
        r#""tool_uses":null,"messages":null,"title":"hay""#.to_owned(),
        format!(r#""messages":[{messages}]"#),
        String::new(),
        format!(r#""title":"needle","messages":[{long}],"tool_uses":[{tools}]"#),
        format!(r#""tool_uses":[{tools}],"messages":[{long}],"title":"hay""#),
    ]
    .into_iter()
    .map(|members| {
        let comma = if members.is_empty() { "" } else { "," };
        format!(r#"{{"id":"s",{times}{comma}{members}}}"#)
    })
    .collect()
}

/// What is appended, by the step.
fn appends() -> Vec<Append> {
    let say = |text: &str| Append::new().message(&Message::assistant(text)).unwrap();
    let tool = ToolUse::succeeded("u", "run", "needle in", "needle out");
    vec![
        say("late needle"),
        Append::new().tool_use(&tool).unwrap(),
        say("straw"),
        Append::new()
            .member("title", "a needle of a title")
            .unwrap(),
        say("needle/last").member("agent", "needle").unwrap(),
        Append::new().tool_use(&tool).unwrap(),
    ]
}

fn queries() -> Vec<SearchQuery> {
    let mut queries = Vec::new();
    for needle in ["needle", "late", "needle/last", "old", "nowhere", "title"] {
        queries.push(SearchQuery::text(needle));
        queries.push(SearchQuery::text(needle).fields(Fields::All));
    }
    queries.extend((1..9).map(|most| SearchQuery::text("needle").limit(most)));
    #[cfg(feature = "regex")]
    queries.extend([r"\bneedle\b", r"\d+"].map(|one| SearchQuery::regex(one).unwrap()));
    queries
}

/// The oracle is the fold: whatever a search finds beside a journal, in whatever order, it finds in the folded document.
#[test]
fn a_journal_is_searched_as_if_it_were_folded() {
    let appends = appends();
    for document in documents() {
        for many in 1..=appends.len() {
            // Of those that are not held, two will do.
            if document.len() > 1 << 20 && many % 3 > 0 {
                continue;
            }
            let scratch = Scratch::new();
            scratch.write("s.json", &document);
            let store = scratch.store();
            for append in &appends[..many] {
                store.append(&id("s"), append).unwrap();
            }
            assert!(scratch.file(".store/journal/s.journal").exists());
            // A document that is another file, as after a restore, is counted anew.
            if many % 2 == 0 {
                std::fs::remove_file(scratch.file("s.json")).unwrap();
                scratch.write("s.json", &document);
            }
            let beside: Vec<_> = queries().iter().map(|query| hits(&store, query)).collect();
            assert!(store.checkpoint(&id("s")).unwrap());
            let folded: Vec<_> = queries().iter().map(|query| hits(&store, query)).collect();
            assert_eq!(beside, folded, "{many} appends to {document:.200}");
            assert!(!folded[0].is_empty());
        }
    }
}

#[test]
fn what_is_appended_stands_behind_what_its_array_has_and_before_the_next_member() {
    let scratch = Scratch::new();
    scratch.write("s.json", &documents()[0]);
    let store = scratch.store();
    for append in appends() {
        store.append(&id("s"), &append).unwrap();
    }
    let found: Vec<_> = store
        .search(&SearchQuery::text("needle"))
        .unwrap()
        .map(|hit| (hit.member, hit.element, hit.snippet.text))
        .collect();
    let expected = [
        ("title", None, "a needle of a title"),
        ("messages", Some(0), "needle of old"),
        ("messages", Some(2), "needle"),
        ("messages", Some(3), "late needle"),
        ("messages", Some(5), "needle/last"),
        ("tool_uses", Some(0), "a needle"),
        ("tool_uses", Some(1), "needle in"),
        ("tool_uses", Some(1), "needle out"),
        ("tool_uses", Some(2), "needle in"),
        ("tool_uses", Some(2), "needle out"),
    ];
    let expected = expected.map(|(member, at, text)| (member.to_owned(), at, text.to_owned()));
    assert_eq!(found, expected);
}
