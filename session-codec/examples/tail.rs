//! Resumes a transcript from its last messages, and adds a turn to it, with
//! nothing but this crate and a file.
//!
//! `cargo run --example tail -p session-codec [file.json [array]]`

use std::{env, error::Error, fs::File, io::Write};

use serde_json::{Value, json};
use session_codec::{Amendment, Codec, HeaderSpec, TailCap};

fn main() -> Result<(), Box<dyn Error>> {
    let array = env::args().nth(2).unwrap_or_else(|| "messages".to_owned());
    let file = match env::args().nth(1) {
        Some(path) => File::open(path)?,
        None => sample()?,
    };
    let codec = Codec::new();

    let spec = HeaderSpec::new(&["id", "agent"], &[], &[&array]);
    let header = codec.header(&file, &spec)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "header: {} bytes read ({:?})",
        header.bytes_read, header.look
    )?;

    let cap = TailCap::new().cap(&array, 20);
    let tail = codec.tail::<Value, _>(&file, &cap)?;
    let kept = tail.value[&array].as_array().map_or(0, Vec::len);
    let (total, dropped) = (tail.counts[0].1, tail.dropped[0].1);
    writeln!(
        out,
        "tail: {kept} of {total} elements of {array}, {dropped} dropped"
    )?;
    writeln!(
        out,
        "document: {} bytes, revision {}",
        tail.bytes, tail.revision
    )?;
    assert_eq!(kept as u64 + dropped, total);

    let turn = codec.encode_part(&json!({"role": "user", "content": []}))?;
    let mut amended = Vec::new();
    codec.amend(&file, &Amendment::new().element(&array, turn), &mut amended)?;
    let counts = codec.count(&amended, &[&array])?;
    writeln!(
        out,
        "amended: {} bytes, {} elements",
        amended.len(),
        counts[0].1.unwrap_or(0)
    )?;
    assert_eq!(counts[0].1, Some(total + 1));
    Ok(())
}

/// Writes a transcript of 10,000 messages to a temporary file.
fn sample() -> Result<File, Box<dyn Error>> {
    let messages: Vec<Value> = (0..10_000)
        .map(
            |n| json!({"role": "user", "content": [{"type": "text", "text": format!("turn {n}")}]}),
        )
        .collect();
    let mut file = tempfile::tempfile()?;
    let session = json!({"agent": "build", "id": "sample", "messages": messages, "tool_uses": []});
    Codec::new().encode(&session, &mut file)?;
    Ok(file)
}
