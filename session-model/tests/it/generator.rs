//! The generator of sessions: sizes, layouts, shapes, memory.

use std::io::{self, Write};

use session_model::testing::{Generator, Layout, Shape};
use session_model::{RawJson, Session};

use crate::exact::Exact;

const SHAPES: [Shape; 5] = [
    Shape::Realistic,
    Shape::TinyMessages,
    Shape::EscapeDense,
    Shape::Base64Images,
    Shape::Cjk,
];
const LAYOUTS: [Layout; 2] = [Layout::Compact, Layout::OlderPretty];

fn document(generator: &Generator) -> String {
    let mut out = Vec::new();
    let written = generator.write_to(&mut out).expect("a vector takes it");
    assert_eq!(written, out.len() as u64);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn document_and_value_agree_and_meet_the_size() {
    for shape in SHAPES {
        for layout in LAYOUTS {
            for (bytes, slack) in [(1_024, 400), (2_048, 150), (30_000, 150), (900_000, 150)] {
                for tool_uses in [0, 3] {
                    let tool_uses = if bytes > 20_000 { tool_uses } else { 0 };
                    let generator = Generator::new(bytes)
                        .shape(shape)
                        .layout(layout)
                        .bytes(bytes)
                        .tool_uses(tool_uses);
                    let text = document(&generator);
                    let session = generator.session();
                    let read: Session = serde_json::from_str(&text).expect("a session");
                    assert_eq!(read, session, "{shape:?} {layout:?} {bytes}");
                    assert_eq!(session.tool_uses.len() as u64, tool_uses);
                    let difference = (text.len() as u64).abs_diff(bytes);
                    assert!(
                        difference <= slack,
                        "{shape:?} {layout:?} {bytes}: {}",
                        text.len()
                    );
                    let compact = serde_json::to_string(&session).expect("JSON");
                    assert_eq!(Exact::of(&compact), Exact::of(&text));
                    if layout == Layout::Compact {
                        assert_eq!(compact, text);
                    }
                }
            }
        }
    }
}

/// Indents compact JSON by two spaces, in the plainest way.
fn pretty(json: &str) -> String {
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0_usize, false, false);
    let mut characters = json.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    while let Some(character) = characters.next() {
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                out.push(character);
                if matches!(characters.peek(), Some('}' | ']')) {
                    out.extend(characters.next());
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(character);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = character == '"';
                out.push(character);
            }
        }
    }
    out
}

#[test]
fn the_older_layout_is_indented_and_ordered_as_it_was() {
    let text = document(
        &Generator::new(3)
            .bytes(50_000)
            .layout(Layout::OlderPretty)
            .tool_uses(2),
    );
    let compact = RawJson::from_text(text.clone()).expect("JSON");
    assert_eq!(pretty(compact.get()), text);
    let order = [
        "\n  \"id\"",
        "\n  \"title\"",
        "\n  \"created_at\"",
        "\n  \"updated_at\"",
        "\n  \"messages\"",
        "\n  \"tool_uses\"",
        "\n  \"usage\"",
        "\n  \"agent\"",
        "\n  \"metadata\"",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|name| text.find(name).expect(name))
        .collect();
    assert!(places.is_sorted());
    assert!(text.contains("\"metadata\": {\n    \"directory\": \"/home/user/work/app\","));
}

#[test]
fn a_seed_decides_everything() {
    let text = document(&Generator::new(5));
    assert_eq!(document(&Generator::new(5)), text);
    assert_ne!(document(&Generator::new(6)), text);
    assert_ne!(
        Generator::new(5).session().id,
        Generator::new(6).session().id
    );
}

#[test]
fn settings_are_used() {
    let at = "2026-03-10T19:42:54.5Z".parse().expect("a time");
    let id = session_model::SessionId::new("mine").expect("an id");
    let session = Generator::new(1)
        .id(id.clone())
        .directory("/x \"messages\":[")
        .updated_at(at)
        .session();
    assert_eq!((session.id, session.updated_at), (id, Some(at)));
    assert_eq!(session.metadata.directory, Some("/x \"messages\":[".into()));
    let odd = Generator::new(1).directory("\"messages\":[],\"tool_uses\":[");
    for layout in LAYOUTS {
        let odd = odd.clone().layout(layout);
        assert_eq!(
            serde_json::from_str::<Session>(&document(&odd)).expect("a session"),
            odd.session()
        );
    }
    assert_eq!(
        Generator::new(1).without_directory().session().directory(),
        None
    );
}

/// Counts bytes and the greatest single piece.
#[derive(Default)]
struct Pieces {
    total: u64,
    greatest: usize,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.total += bytes.len() as u64;
        self.greatest = self.greatest.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_large_document_is_written_a_message_at_a_time() {
    let mut pieces = Pieces::default();
    let bytes = 48_000_000;
    let written = Generator::new(1)
        .bytes(bytes)
        .write_to(&mut pieces)
        .expect("a counter takes it");
    assert_eq!(written, pieces.total);
    assert!(written.abs_diff(bytes) < 200);
    assert!(pieces.greatest < 500_000, "{}", pieces.greatest);
}

#[test]
fn a_write_that_fails_is_told() {
    let error = Generator::new(1)
        .write_to(&mut &mut [0_u8; 10][..])
        .expect_err("no room");
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
}

#[test]
fn shapes_are_what_they_say() {
    let share = |text: &str, which: fn(&char) -> bool| {
        text.chars()
            .filter(which)
            .map(char::len_utf8)
            .sum::<usize>()
            * 100
            / text.len()
    };
    let text = |shape| document(&Generator::new(11).bytes(4_000_000).shape(shape));

    let realistic = text(Shape::Realistic);
    let session: Session = serde_json::from_str(&realistic).expect("a session");
    let mut sizes: Vec<usize> = session
        .messages
        .iter()
        .map(|message| serde_json::to_vec(message).expect("JSON").len())
        .collect();
    sizes.sort_unstable();
    let top: usize = sizes[sizes.len() - sizes.len() / 10..].iter().sum();
    assert!(
        top * 100 / realistic.len() > 50,
        "a tenth of the messages hold most bytes"
    );
    let median = sizes[sizes.len() / 2];
    assert!((150..3_000).contains(&median), "{median}");
    assert!(
        realistic.contains("\\u001b[") && realistic.contains("\\\\\\\"") && !realistic.is_ascii()
    );
    assert!(
        (2..15).contains(&share(&realistic, |c| *c == '\\')),
        "escapes"
    );

    assert!(share(&text(Shape::EscapeDense), |c| *c == '\\') > 30);
    assert!(share(&text(Shape::Cjk), |c| c.len_utf8() == 3) > 60);
    let images = text(Shape::Base64Images);
    assert!(images.contains("data:image/png;base64,"));
    let tiny: Session = serde_json::from_str(&text(Shape::TinyMessages)).expect("a session");
    assert!(tiny.messages.len() > 40_000);
}

#[test]
fn every_tool_call_has_its_result() {
    use session_model::ContentPart;
    let session = Generator::new(2).bytes(1_000_000).session();
    let mut open: Option<String> = None;
    for part in session.messages.iter().flat_map(|message| &message.content) {
        match part {
            ContentPart::ToolCall { id, arguments, .. } => {
                assert!(open.replace(id.clone()).is_none());
                serde_json::from_str::<serde_json::Value>(arguments).expect("arguments are JSON");
            }
            ContentPart::ToolResult { tool_call_id, .. } => {
                assert_eq!(open.take().as_ref(), Some(tool_call_id));
            }
            _ => {}
        }
    }
    assert_eq!(open, None);
}
