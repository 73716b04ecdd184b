//! Seeded JSON documents, valid and broken. Owns the generator; must not know
//! what verdict they get.

use fastrand::Rng;

/// Generates `count` documents from `seed`: valid values of every kind, and
/// broken ones made from them (truncated, mutated, glued, with bad escapes,
/// surrogates, UTF-8 and numbers, deeply nested, with byte order marks).
///
/// The same arguments give the same documents.
///
/// ```
/// let twice = [1, 1].map(|seed| session_codec::testing::documents(seed, 50).collect::<Vec<_>>());
/// assert_eq!(twice[0], twice[1]);
/// ```
pub fn documents(seed: u64, count: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = Rng::with_seed(seed);
    (0..count).map(move |_| document(&mut rng))
}

/// Generates `count` valid objects shaped like sessions: members of many kinds
/// around arrays `messages` and `tool_uses`, in changing order, spelling and
/// white space.
pub fn sessions(seed: u64, count: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = Rng::with_seed(seed);
    (0..count).map(move |_| {
        let mut out = Vec::new();
        session(&mut rng, &mut out);
        out
    })
}

fn document(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    match rng.u8(..10) {
        0..=2 => session(rng, &mut out),
        3 => nest(rng, &mut out),
        _ => value(rng, &mut out, 0),
    }
    if rng.bool() {
        damage(rng, &mut out);
    }
    out
}

fn damage(rng: &mut Rng, out: &mut Vec<u8>) {
    const ODD: &[u8] = b"{}[],:\"\\0-e. tfn\x00\x1f\x80\xff";
    let at = rng.usize(..=out.len());
    match rng.u8(..10) {
        0 | 1 => out.truncate(at),
        2 => {
            let other = out.clone();
            out.extend_from_slice(&other);
        }
        3 => out.splice(at..at, [rng.u8(..)]).for_each(drop),
        4 if at < out.len() => out[at] = rng.u8(..),
        5 if at < out.len() => out[at] = ODD[rng.usize(..ODD.len())],
        6 if at < out.len() => drop(out.remove(at)),
        7 => out.extend_from_slice([&b"\0\0"[..], b"x", b",", b"]", b"}"][rng.usize(..5)]),
        8 => out.splice(..0, *b"\xef\xbb\xbf").for_each(drop),
        _ => *out = out.iter().flat_map(|byte| [*byte, 0]).collect(),
    }
}

fn nest(rng: &mut Rng, out: &mut Vec<u8>) {
    let depth = [1, 5, 63, 64, 65, 126, 127, 128, 129, 300][rng.usize(..10)];
    let objects = rng.bool();
    for _ in 0..depth {
        out.extend_from_slice(if objects { b"{\"a\":" } else { b"[" });
    }
    out.extend_from_slice(if objects { b"1" } else { b"" });
    for _ in 0..depth {
        out.push(if objects { b'}' } else { b']' });
    }
}

fn space(rng: &mut Rng, out: &mut Vec<u8>) {
    if rng.u8(..8) == 0 {
        out.extend_from_slice([&b" "[..], b"\n", b"\t", b"\r\n    "][rng.usize(..4)]);
    }
}

fn value(rng: &mut Rng, out: &mut Vec<u8>, depth: usize) {
    space(rng, out);
    match rng.u8(..if depth > 5 { 8 } else { 12 }) {
        0 => out.extend_from_slice([&b"null"[..], b"true", b"false"][rng.usize(..3)]),
        1 | 2 => number(rng, out),
        3..=7 => string(rng, out),
        8 | 9 => {
            let elements = rng.usize(..6);
            list(rng, out, *b"[]", elements, |rng, out| {
                value(rng, out, depth + 1);
            });
        }
        _ => {
            let members = rng.usize(..6);
            list(rng, out, *b"{}", members, |rng, out| {
                string(rng, out);
                colon(rng, out);
                value(rng, out, depth + 1);
            });
        }
    }
    space(rng, out);
}

fn colon(rng: &mut Rng, out: &mut Vec<u8>) {
    space(rng, out);
    out.push(b':');
    space(rng, out);
}

fn list(
    rng: &mut Rng,
    out: &mut Vec<u8>,
    brackets: [u8; 2],
    count: usize,
    mut item: impl FnMut(&mut Rng, &mut Vec<u8>),
) {
    out.push(brackets[0]);
    for index in 0..count {
        if index > 0 {
            out.push(b',');
        }
        space(rng, out);
        item(rng, out);
        space(rng, out);
    }
    space(rng, out);
    out.push(brackets[1]);
}

fn number(rng: &mut Rng, out: &mut Vec<u8>) {
    const ODD: [&[u8]; 16] = [
        b"0",
        b"-0",
        b"1e999",
        b"-1E-999",
        b"18446744073709551616",
        b"0.1",
        b"1.5e+3",
        b"1e5",
        b"-9223372036854775809",
        b"123456789012345678901234567890",
        b"01",
        b"1.",
        b".5",
        b"-",
        b"1e",
        b"+1",
    ];
    // The last six are broken, and rare.
    match rng.u8(..20) {
        0 => out.extend_from_slice(ODD[rng.usize(..ODD.len())]),
        1..=5 => out.extend_from_slice(ODD[rng.usize(..10)]),
        _ => out.extend_from_slice(rng.i32(..).to_string().as_bytes()),
    }
}

fn string(rng: &mut Rng, out: &mut Vec<u8>) {
    const PIECES: [&[u8]; 22] = [
        b"a",
        b"text",
        b"some longer words in a row ",
        b"\\\"",
        b"\\\\",
        b"\\n",
        b"\\u001b[0m",
        b"\\u00e9",
        "é".as_bytes(),
        "漢字".as_bytes(),
        "😀".as_bytes(),
        b"\\ud83d\\ude00",
        b"/",
        b"\\/",
        b"{\\\"k\\\":[1,2]}",
        b"]}",
        b",:",
        b"\\b\\f\\r\\t",
        b"\x7f",
        // A lone surrogate, bad UTF-8, a bad escape: rare.
        b"\\ud800",
        b"\xff\xc0",
        b"\\x",
    ];
    out.push(b'"');
    for _ in 0..rng.usize(..5) {
        let odd = rng.u8(..60) == 0;
        let index = if odd {
            rng.usize(19..22)
        } else {
            rng.usize(..19)
        };
        let times = if rng.u8(..12) == 0 {
            rng.usize(1..40)
        } else {
            1
        };
        for _ in 0..times {
            out.extend_from_slice(PIECES[index]);
        }
    }
    out.push(b'"');
}

/// Writes a value with none of the odd things that a type refuses.
fn clean(rng: &mut Rng, out: &mut Vec<u8>) {
    loop {
        let start = out.len();
        value(rng, out, 2);
        if serde_json::from_slice::<serde_json::Value>(&out[start..]).is_ok() {
            return;
        }
        out.truncate(start);
    }
}

fn session(rng: &mut Rng, out: &mut Vec<u8>) {
    const NAMES: [&[u8]; 9] = [
        b"id",
        b"title",
        b"created_at",
        b"updated_at",
        b"metadata",
        b"agent",
        b"usage",
        b"pages",
        b"x\\u002dy",
    ];
    let mut members: Vec<(&[u8], bool)> = NAMES.iter().map(|name| (*name, false)).collect();
    let messages = [&b"messages"[..], b"mess\\u0061ges", b"\\u006Dessages"];
    members.push((messages[rng.usize(..messages.len())], rng.u8(..8) != 0));
    members.push((b"tool_uses", rng.u8(..8) != 0));
    rng.shuffle(&mut members);
    members.truncate(rng.usize(3..=11));
    if rng.u8(..4) == 0 {
        members.insert(rng.usize(..=members.len()), (b"session_footer", false));
    }
    space(rng, out);
    let mut members = members.into_iter();
    list(rng, out, *b"{}", members.len(), |rng, out| {
        let Some((name, array)) = members.next() else {
            return;
        };
        out.push(b'"');
        out.extend_from_slice(name);
        out.push(b'"');
        colon(rng, out);
        if array {
            let elements = rng.usize(..12);
            list(rng, out, *b"[]", elements, clean);
        } else {
            clean(rng, out);
        }
    });
    space(rng, out);
}
