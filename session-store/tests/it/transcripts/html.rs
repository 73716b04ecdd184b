//! The page of a session, as a browser's parser sees it.

use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;
use session_store::transcripts::{Exporter, HtmlPage};
use session_store::{ContentPart, Message, RawJson, Role, Session};

use crate::support::session;

/// All that our own pages consist of. None of these loads, runs or leads anywhere.
const ELEMENTS: &[&str] = &[
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "dl", "dt", "dd", "main",
    "article", "p", "pre", "div", "details", "summary",
];
const ATTRIBUTES: &[&str] = &[
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "id",
];

#[derive(Default)]
struct Seen {
    elements: Vec<String>,
    faults: Vec<String>,
    metas: Vec<String>,
    /// What each paragraph and block says.
    texts: Vec<String>,
}

fn text_of(node: &Handle) -> String {
    let children = node.children.borrow();
    let text = children.iter().map(|child| match &child.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => text_of(child),
    });
    text.collect()
}

fn walk(node: &Handle, seen: &mut Seen) {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let name = name.local.to_string();
            for attribute in attrs.borrow().iter() {
                let attribute_name = attribute.name.local.to_string();
                if !ATTRIBUTES.contains(&attribute_name.as_str()) {
                    seen.faults.push(format!("{name} has {attribute_name}"));
                }
                let value = attribute.value.to_string();
                if attribute_name == "http-equiv" && value != "Content-Security-Policy" {
                    seen.faults.push(value);
                }
                if name == "meta" && attribute_name == "content" {
                    seen.metas.push(attribute.value.to_string());
                }
            }
            if !ELEMENTS.contains(&name.as_str()) {
                seen.faults.push(name.clone());
            }
            if name == "p" || name == "pre" {
                seen.texts.push(text_of(node));
            }
            seen.elements.push(name);
        }
        NodeData::Comment { .. } | NodeData::ProcessingInstruction { .. } => {
            seen.faults.push("a comment".to_owned());
        }
        _ => {}
    }
    for child in node.children.borrow().iter() {
        walk(child, seen);
    }
}

fn parse(page: &str) -> Seen {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(page);
    let mut seen = Seen::default();
    walk(&dom.document, &mut seen);
    let errors = dom
        .errors
        .borrow()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    seen.faults.extend(errors);
    seen
}

fn page(session: &Session) -> String {
    let mut page = Vec::new();
    HtmlPage::new().write(session, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// Fails unless a page consists of our elements alone and shows every part.
pub(crate) fn assert_inert(page: &str, session: &Session) {
    let seen = parse(page);
    assert_eq!(seen.faults, Vec::<String>::new());
    let count = |name: &str| seen.elements.iter().filter(|one| *one == name).count();
    assert_eq!(count("article"), session.messages.len());
    assert_eq!((count("style"), count("title"), count("h1")), (1, 1, 1));
    assert!(seen.metas[0].starts_with("default-src 'none';"));

    let parts: Vec<&ContentPart> = session.messages.iter().flat_map(|m| &m.content).collect();
    assert_eq!(seen.texts.len(), parts.len());
    for (part, shown) in parts.iter().zip(&seen.texts) {
        let text = match part {
            ContentPart::ToolCall { arguments, .. } => arguments,
            part => match part.as_text() {
                Some(text) => text,
                None => continue,
            },
        };
        if text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)) {
            assert_eq!(shown, text);
        }
    }
}

const ATTACKS: &[&str] = &[
    "<script>alert(1)</script>",
    "</p></pre></title></style><script src=//evil.example/x.js></script>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"https://evil.example/pixel.png\">",
    "<a href=\"javascript:alert(1)\">here</a>",
    "[here](javascript:alert(1)) ![](https://evil.example/p.png)",
    "\"><svg/onload=alert(1)>",
    "' onmouseover='alert(1)",
    "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "<base href=https://evil.example><form action=/x><input name=q></form>",
    "<!-- --><![CDATA[ ]]><?php ?>",
    "&lt;script&gt;&#60;script&#62;&amp;",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "</article></main></body></html><script>1</script>",
    "\n\n leading lines",
    "<plaintext><xmp><noscript><textarea><template>",
];

#[test]
fn no_content_acts() {
    for attack in ATTACKS {
        let mut session = session("page", format!("/home/{attack}"), 0, 1).with_title(*attack);
        session.agent = (*attack).to_owned();
        session.metadata.model = Some((*attack).to_owned());
        let raw = RawJson::from_value(&serde_json::json!({"type": *attack, "x": *attack}));
        let content = vec![
            ContentPart::text(*attack),
            ContentPart::thinking(*attack),
            ContentPart::tool_call(*attack, *attack, *attack),
            ContentPart::tool_result(*attack, *attack),
            ContentPart::image(*attack),
            ContentPart::file(*attack),
            ContentPart::Other(raw.unwrap()),
        ];
        session.push(Message::new(Role::from(*attack), content));
        let page = page(&session);
        assert_inert(&page, &session);
        let seen = parse(&page);
        if attack.is_ascii() {
            assert_eq!(seen.texts[0], *attack);
        }
    }
}

#[test]
fn the_parser_of_this_test_sees_what_acts() {
    // The mutant: a page whose texts are not escaped.
    for attack in ATTACKS.iter().filter(|attack| attack.starts_with('<')) {
        let page = format!("<!doctype html><title>t</title><p>{attack}</p>");
        assert!(!parse(&page).faults.is_empty(), "{attack}");
    }
}

#[test]
fn what_would_not_show_is_written_out() {
    let mut session = session("page", "/home/me", 0, 1);
    session.push(Message::user(
        "safe\u{202e}exe.\u{0}\u{1b}[2J\u{e0041}\u{200b}\u{2066}é\tñ",
    ));
    let page = page(&session);
    let expected = "safe[U+202E]exe.[U+0000][U+001B][2J[U+E0041][U+200B][U+2066]é\tñ";
    assert_eq!(parse(&page).texts, [expected]);
}

#[test]
fn the_bytes_of_a_picture_are_left_out_and_its_address_is_text() {
    let mut session = session("page", "/home/me", 0, 1);
    let data = format!("data:image/png;base64,{}", "A".repeat(10_000));
    let content = vec![
        ContentPart::image(data),
        ContentPart::image("https://evil.example/p.png"),
    ];
    session.push(Message::new(Role::User, content));
    let page = page(&session);
    assert!(page.len() < 5_000);
    let expected = [
        "Image, 10022 characters of data",
        "Image: https://evil.example/p.png",
    ];
    assert_eq!(parse(&page).texts, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_whatever_acts(text in "[<>&\"'/a-z=!\\-\\[\\]\n ]{0,60}", role in "\\PC{0,12}") {
        let mut session = session("page", "/home/me", 0, 1).with_title(text.clone());
        let content = vec![ContentPart::text(text.clone()), ContentPart::tool_result("c", text)];
        session.push(Message::new(Role::from(role.as_str()), content));
        assert_inert(&page(&session), &session);
    }
}
