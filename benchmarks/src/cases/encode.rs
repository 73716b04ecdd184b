//! A session turned into bytes that nobody keeps.

use std::io::{BufWriter, Write};

use anyhow::Result;
use session_codec::Codec;
use session_model::testing::{Layout, Shape};
use session_model::{Session, SessionRecord};

use super::sizes;
use super::tail::approximate;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup, Trait};
use crate::data::document::{Size, Spec};
use crate::method::{Contender, Role};
use crate::reference;

const LARGEST: u64 = 100_000_000;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    for bytes in sizes(scale)
        .iter()
        .copied()
        .filter(|bytes| *bytes <= LARGEST)
    {
        let spec = Spec::realistic(bytes);
        let needs = if bytes == 1_000_000 {
            Trait::Kernel
        } else {
            Trait::Ordinary
        };
        let case = Case::built(
            format!("encode/plain/{}", Size(bytes)),
            "realistic",
            move |bench| setup(bench, &spec, Codec::new()),
        );
        cases.push(case.grows("encode/plain", approximate(bytes)).needs(needs));
        cases.push(Case::built(
            format!("encode/footer/{}", Size(bytes)),
            "realistic, with a footer",
            move |bench| setup(bench, &spec, Codec::new().marks(Session::CAPPED)),
        ));
    }
    // Here members and quotes cost more than text does.
    let spec = Spec {
        shape: Shape::TinyMessages,
        layout: Layout::Compact,
        bytes: 10_000_000,
    };
    cases.push(Case::built(
        format!("encode/shape/tiny-messages/{}", Size(spec.bytes)),
        "tiny-messages",
        move |bench| setup(bench, &spec, Codec::new().marks(Session::CAPPED)),
    ));
    cases
}

/// Counts bytes and forgets them, through a buffer as a file would have.
#[derive(Default)]
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += std::hint::black_box(bytes).len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn writer() -> BufWriter<Count> {
    BufWriter::with_capacity(256 << 10, Count::default())
}

fn setup(bench: &Bench, spec: &Spec, codec: Codec) -> Result<Setup> {
    let document = bench.data.document(spec)?;
    let bytes_fact = |bytes: &u64| Ok(Answer::new().fact("bytes", bytes));
    let session: Session = serde_json::from_slice(&std::fs::read(&document.path)?)?;
    let same = session.clone();
    // The footer is ours alone; what is compared is the rest.
    let footer = codec.encode(&same, std::io::sink())?.bytes
        - Codec::new().encode(&same, std::io::sink())?.bytes;
    let ours = move || {
        let mut out = writer();
        codec.encode(&same, &mut out)?;
        out.flush()?;
        Ok(out.get_ref().0 - footer)
    };
    let mut contenders = vec![Contender::new("ours", Role::Ours, ours, bytes_fact)];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    let to_writer = move || {
        let mut out = writer();
        serde_json::to_writer(&mut out, &session)?;
        out.flush()?;
        Ok(out.get_ref().0)
    };
    let session = reference::load::load(&document.path)?;
    let same = session.clone();
    let reference = move || Ok(serde_json::to_vec(&same.clone())?.len() as u64);
    let sonic = move || Ok(sonic_rs::to_vec(&session)?.len() as u64);
    contenders.extend([
        Contender::new("reference", Role::Reference, reference, bytes_fact),
        Contender::new("to_writer", Role::Rival, to_writer, bytes_fact),
        Contender::new("sonic-rs", Role::Rival, sonic, bytes_fact),
    ]);
    let bytes = document.bytes;
    let source = std::fs::read(&document.path)?;
    let mut target = vec![0; source.len()];
    let copy = move || {
        crate::floors::copy_memory(&source, &mut target);
        Ok(bytes)
    };
    contenders.push(Contender::new("memcpy", Role::Floor, copy, bytes_fact));
    Ok(Setup::of(contenders))
}
