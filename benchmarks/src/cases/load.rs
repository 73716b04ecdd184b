//! A whole session, decoded.

use std::rc::Rc;

use anyhow::Result;
use session_codec::{Codec, SimdJson};
use session_model::Session;
use session_store::SessionStore;

use super::sizes;
use super::tail::{approximate, engines, facts, part_facts};
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup, Trait};
use crate::data::document::{ID, Size, Spec};
use crate::method::{Contender, Role};
use crate::rivals::{lazy, sqlite};
use crate::{floors, reference};

/// Whole sessions of 1 GB fit into few memories several times over.
const LARGEST: u64 = 100_000_000;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let case = |bytes: u64| {
        let spec = Spec::realistic(bytes);
        let needs = if bytes == 1_000_000 {
            Trait::Kernel
        } else {
            Trait::Ordinary
        };
        let case = Case::built(format!("load/{}", Size(bytes)), "realistic", move |bench| {
            setup(bench, &spec)
        });
        case.grows("load", approximate(bytes)).needs(needs)
    };
    sizes(scale)
        .iter()
        .copied()
        .filter(|bytes| *bytes <= LARGEST)
        .map(case)
        .collect()
}

fn reference_facts(session: &reference::types::Session) -> Result<Answer> {
    let answer = Answer::new().fact("id", &session.id).fact("dropped", 0);
    Ok(answer
        .digest("messages", &session.messages)?
        .digest("tool_uses", &session.tool_uses)?)
}

fn setup(bench: &Bench, spec: &Spec) -> Result<Setup> {
    let document = Rc::new(bench.data.document(spec)?);
    let ours = |name, threads| {
        let (directory, id) = (document.directory.clone(), document.id());
        let work = move || {
            let store = SessionStore::builder(&directory).threads(threads).open()?;
            Ok(store.load(&id)?)
        };
        Contender::new(name, Role::Ours, work, |session| facts(session, 0))
    };
    let path = document.path.clone();
    let codec = Codec::with_parser(SimdJson);
    let simd = move || Ok(codec.decode::<Session>(std::fs::read(&path)?)?);
    let mut contenders = vec![
        ours("ours", 1),
        Contender::new("ours-simd-json", Role::Ours, simd, |session| {
            facts(session, 0)
        }),
    ];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    contenders.push(ours("ours-2-threads", 2));
    let path = document.path.clone();
    let reference = move || reference::load::load(&path);
    let path = document.path.clone();
    let sonic = move || lazy::sonic_load(&path);
    let path = document.path.clone();
    let simd = move || lazy::simd_load(&path);
    let database = engines(bench, &document, spec)?.join("sessions.sqlite");
    let sqlite = move || sqlite::tail(&sqlite::open_for_reading(&database)?, ID, usize::MAX);
    let (path, bytes) = (document.path.clone(), document.bytes);
    let mut buffer = floors::Buffer::default();
    let read = move || floors::read_through(&path, &mut buffer);
    let seen = move |read: &u64| {
        anyhow::ensure!(*read == bytes, "read {read} of {bytes} bytes");
        Ok(Answer::new().fact("dropped", 0))
    };
    let source = std::fs::read(&document.path)?;
    let mut target = vec![0; source.len()];
    let copy = move || {
        floors::copy_memory(&source, &mut target);
        Ok(bytes)
    };
    contenders.extend([
        Contender::new("reference", Role::Reference, reference, reference_facts),
        Contender::new("sonic-rs", Role::Rival, sonic, reference_facts),
        Contender::new("simd-json", Role::Rival, simd, reference_facts),
        Contender::new("sqlite-open", Role::Rival, sqlite, part_facts),
        Contender::new("read", Role::Floor, read, seen),
        Contender::new("memcpy", Role::Floor, copy, seen),
    ]);
    Ok(Setup::of(contenders))
}
