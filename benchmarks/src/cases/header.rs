//! What a picker shows of one document, without its body.

use std::fs::File;
use std::path::Path;

use anyhow::Result;
use rustix::fs::{Mode, OFlags};
use session_codec::{Codec, HeaderSpec};
use session_model::SessionHeader;
use session_model::testing::Layout;
use session_model::testing::Shape;

use super::tail::engines;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup, Trait};
use crate::data::document::{ID, Size, Spec};
use crate::method::{Contender, Role};
use crate::reference;
use crate::rivals::sqlite;

const WANTED: [&str; 6] = [
    "id",
    "title",
    "created_at",
    "updated_at",
    "metadata",
    "agent",
];

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let sizes: &[u64] = match scale {
        Scale::Quick => &[1_000_000, 10_000_000],
        Scale::Full => &[1_000_000, 10_000_000, 100_000_000],
    };
    let layouts = [
        ("own", "realistic", Layout::Compact),
        ("older", "realistic, older layout", Layout::OlderPretty),
    ];
    let mut cases = Vec::new();
    for (name, shape, layout) in layouts {
        for &bytes in sizes {
            let spec = Spec {
                shape: Shape::Realistic,
                layout,
                bytes,
            };
            let needs = if bytes == 1_000_000 {
                Trait::Kernel
            } else {
                Trait::Ordinary
            };
            let build = move |bench: &Bench| setup(bench, &spec);
            cases.push(
                Case::built(format!("header/{name}/{}", Size(bytes)), shape, build).needs(needs),
            );
        }
    }
    cases
}

fn directory_fact(id: &str, directory: Option<&Path>) -> Answer {
    Answer::new()
        .fact("id", id)
        .fact("directory", directory.unwrap_or(Path::new("")).display())
}

fn setup(bench: &Bench, spec: &Spec) -> Result<Setup> {
    let document = bench.data.document(spec)?;
    let path = document.path.clone();
    let codec = Codec::new();
    let wanted = HeaderSpec::new(
        &WANTED,
        &["id", "updated_at", "metadata"],
        &["messages", "tool_uses"],
    );
    let ours = move || {
        let header = codec.header(&File::open(&path)?, &wanted)?;
        Ok(SessionHeader::parse(
            &header.json,
            &["metadata", "directory"],
        )?)
    };
    let mut contenders = vec![Contender::new("ours", Role::Ours, ours, |header| {
        Ok(directory_fact(
            header.id.as_deref().unwrap_or_default(),
            header.directory.as_deref(),
        ))
    })];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    let path = document.path.clone();
    let reference = move || reference::load::header(&path);
    contenders.push(Contender::new(
        "reference",
        Role::Reference,
        reference,
        |header| {
            Ok(directory_fact(
                &header.id,
                header.metadata.directory.as_deref(),
            ))
        },
    ));
    if spec.layout == Layout::Compact {
        let database = engines(bench, &document, spec)?.join("sessions.sqlite");
        let sqlite = move || sqlite::head(&sqlite::open_for_reading(&database)?, ID);
        contenders.push(Contender::new("sqlite-open", Role::Rival, sqlite, |head| {
            let header = SessionHeader::parse(head.as_bytes(), &["metadata", "directory"])?;
            Ok(directory_fact(
                header.id.as_deref().unwrap_or_default(),
                header.directory.as_deref(),
            ))
        }));
    }
    let reads = if spec.layout == Layout::Compact { 1 } else { 2 };
    let (path, bytes) = (document.path.clone(), document.bytes);
    let mut buffer = vec![0; 4096];
    let floor = move || {
        let file = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::io::pread(&file, &mut *buffer, 0)?;
        if reads == 2 {
            rustix::io::pread(&file, &mut *buffer, bytes - 4096)?;
        }
        Ok(())
    };
    contenders.push(Contender::new(
        "open+pread 4 KB",
        Role::Floor,
        floor,
        |()| Ok(Answer::new().fact("id", ID)),
    ));
    Ok(Setup::of(contenders))
}
