//! Owns the words that generated sessions are made of. Must not know where they go.
//!
//! Each function appends whole pieces until about `bytes` bytes are there.

use fastrand::Rng;

const WORDS: [&str; 48] = [
    "the", "a", "of", "to", "in", "is", "that", "it", "for", "test", "file", "error", "function",
    "module", "returns", "because", "value", "should", "now", "we", "check", "run", "build",
    "type", "index", "when", "path", "line", "which", "after", "before", "session", "read",
    "write", "lock", "with", "but", "not", "this", "change", "call", "result", "parser", "buffer",
    "then", "only", "first", "last",
];
const FOREIGN: [&str; 10] = [
    "na\u{ef}ve",
    "\u{2192}",
    "\u{2713}",
    "\u{2026}",
    "gr\u{f6}\u{df}er",
    "\u{201c}quoted\u{201d}",
    "\u{65e5}\u{672c}\u{8a9e}",
    "\u{1f680}",
    "\u{2014}",
    "\u{e9}t\u{e9}",
];
const NAMES: [&str; 12] = [
    "count", "buffer", "entry", "offset", "name", "total", "item", "state", "inner", "len", "path",
    "line",
];
const CODE: [&str; 10] = [
    "    let @ = self.@.get(#)?;\n",
    "    if @ == \"@\" { return Err(Error::new(\"bad @\\n\")); }\n",
    "fn @(@: &str) -> Result<(), Error> {\n",
    "}\n\n",
    "        // The @ is only known after the @ was read.\n",
    "\tfor @ in @.iter() {\n\t\t@ += #;\n\t}\n",
    "    println!(\"{}: {:?}\", @, @);\n",
    "    assert_eq!(@, #, \"@ of \\\"@\\\"\");\n",
    "const @: usize = #;\n",
    "    let pattern = r\"^\\s*(@|@)\\\\$\";\n",
];
const TERMINAL: [&str; 8] = [
    "\u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m @-@ v#.#.#\n",
    "\u{1b}[33mwarning\u{1b}[0m: unused variable: `@`\n",
    "  \u{1b}[1m\u{1b}[34m-->\u{1b}[0m src/@.rs:#:#\n",
    "test @::@::@ ... \u{1b}[32mok\u{1b}[0m\n",
    "test @::@ ... \u{1b}[31mFAILED\u{1b}[0m\n",
    "-rw-r--r-- 1 user user # @.rs\n",
    "error: process \"@\" ended with code #\r\n",
    "@/@/@.rs:#:    let @ = \"@\";\n",
];

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

/// Appends a line in which `@` becomes a name and `#` a number.
fn line(rng: &mut Rng, out: &mut String, pattern: &str) {
    for piece in pattern.split_inclusive(['@', '#']) {
        match piece.as_bytes() {
            [rest @ .., b'@'] => {
                out.push_str(&piece[..rest.len()]);
                out.push_str(pick(rng, &NAMES));
            }
            [rest @ .., b'#'] => {
                out.push_str(&piece[..rest.len()]);
                out.push_str(&rng.u16(..).to_string());
            }
            _ => out.push_str(piece),
        }
    }
}

/// Appends sentences, about one word in a hundred not ASCII.
pub(super) fn prose(rng: &mut Rng, out: &mut String, bytes: usize) {
    words(rng, out, bytes, 100);
}

/// Appends sentences of ASCII only and without anything that JSON escapes.
pub(super) fn plain(rng: &mut Rng, out: &mut String, bytes: usize) {
    let end = out.len() + bytes;
    while out.len() < end {
        out.push_str(pick(rng, &WORDS));
        out.push(' ');
    }
    out.truncate(end);
}

fn words(rng: &mut Rng, out: &mut String, bytes: usize, foreign: u32) {
    let end = out.len() + bytes;
    while out.len() < end {
        let word = if rng.u32(..foreign) == 0 {
            pick(rng, &FOREIGN)
        } else {
            pick(rng, &WORDS)
        };
        out.push_str(word);
        out.push_str(match rng.u8(..24) {
            0 => ".\n",
            1 => ". ",
            2 => ", ",
            3 if rng.u8(..4) == 0 => " \"so\" ",
            _ => " ",
        });
    }
}

/// Appends source code.
pub(super) fn code(rng: &mut Rng, out: &mut String, bytes: usize) {
    lines(rng, out, bytes, &CODE);
}

/// Appends what a terminal shows, with colours.
pub(super) fn terminal(rng: &mut Rng, out: &mut String, bytes: usize) {
    lines(rng, out, bytes, &TERMINAL);
}

fn lines(rng: &mut Rng, out: &mut String, bytes: usize, patterns: &[&str]) {
    let end = out.len() + bytes;
    while out.len() < end {
        let pattern = pick(rng, patterns);
        line(rng, out, pattern);
    }
}

/// Appends the text of a JSON array of objects, whose strings hold code.
pub(super) fn json(rng: &mut Rng, out: &mut String, bytes: usize) {
    let end = out.len() + bytes;
    out.push('[');
    while out.len() < end {
        let mut inner = String::new();
        code(rng, &mut inner, 60);
        object(rng, out, &inner);
        out.push(',');
    }
    out.push_str("null]");
}

/// Appends the text of a JSON object that holds `inner` as a string.
fn object(rng: &mut Rng, out: &mut String, inner: &str) {
    out.push_str("{\"");
    out.push_str(pick(rng, &NAMES));
    out.push_str("\":");
    out.push_str(&rng.u32(..).to_string());
    out.push_str(",\"text\":");
    push_quoted(out, inner);
    out.push('}');
}

/// Appends `text` as a JSON string.
fn push_quoted(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Appends JSON in JSON in JSON, so that nearly every byte is escaped.
pub(super) fn nested(rng: &mut Rng, out: &mut String, bytes: usize) {
    let end = out.len() + bytes;
    while out.len() < end {
        let mut text = String::from("\"\\\n\"");
        for _ in 0..3 {
            let mut outer = String::new();
            object(rng, &mut outer, &text);
            text = outer;
        }
        out.push_str(&text);
        out.push('\n');
    }
}

/// Appends base64.
pub(super) fn base64(rng: &mut Rng, out: &mut String, bytes: usize) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let end = out.len() + bytes.next_multiple_of(4);
    while out.len() < end {
        let mut bits = rng.u64(..);
        for _ in 0..4 {
            out.push(char::from(
                ALPHABET[usize::from(bits.to_le_bytes()[0] & 63)],
            ));
            bits >>= 8;
        }
    }
}

/// Appends text in scripts of three bytes a character.
pub(super) fn cjk(rng: &mut Rng, out: &mut String, bytes: usize) {
    let end = out.len() + bytes;
    while out.len() < end {
        out.push(match rng.u8(..20) {
            0 => '\u{3002}',
            1 => '\n',
            2..8 => char::from_u32(rng.u32(0x3042..0x3094)).unwrap_or('\u{3042}'),
            _ => char::from_u32(rng.u32(0x4e00..0x9fa0)).unwrap_or('\u{4e00}'),
        });
    }
}

/// Makes the arguments of a tool call: JSON text, as large as asked.
pub(super) fn arguments(rng: &mut Rng, bytes: usize) -> (&'static str, String) {
    let mut inner = String::new();
    let mut out = String::new();
    if bytes < 300 {
        plain(rng, &mut inner, bytes.saturating_sub(40).max(4));
        out.push_str("{\"command\":");
        push_quoted(&mut out, &inner);
        out.push_str(",\"timeout\":120}");
        ("bash", out)
    } else {
        code(rng, &mut inner, bytes * 4 / 5);
        out.push_str("{\"path\":\"src/");
        out.push_str(pick(rng, &NAMES));
        out.push_str(".rs\",\"content\":");
        push_quoted(&mut out, &inner);
        out.push('}');
        ("write", out)
    }
}
