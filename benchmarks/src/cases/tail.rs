//! Resume: the last messages of one document.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use session_codec::{Codec, SimdJson, TailCap};
use session_model::testing::{Layout, Shape};
use session_model::{LazySession, Session};
use session_store::{SessionStore, Window};

use super::sizes;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup, Trait};
use crate::data::document::{Document, ID, Size, Spec};
use crate::method::{Contender, Role};
use crate::rivals::{Part, jsonl, lazy, redb, sqlite};
use crate::{floors, reference};

/// Beyond this size, libraries that need the whole file in memory are left out, and databases are too slow to fill.
const WHOLE_FILE: u64 = 100_000_000;

/// What a window of the cases `tail/equal/…` holds, to within a message: whether the size of the rest matters can only be seen
/// where as much is decoded.
const EQUAL: u64 = 250_000;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    for &bytes in sizes(scale) {
        let size = Size(bytes);
        for window in [20, 200] {
            let spec = Spec::realistic(bytes);
            let family = format!("tail/plain/{window}");
            let build = move |bench: &Bench| setup(bench, &spec, window);
            let needs = if bytes == 1_000_000 {
                Trait::Kernel
            } else {
                Trait::Ordinary
            };
            cases.push(
                Case::built(format!("{family}/{size}"), "realistic", build)
                    .grows(family, approximate(bytes))
                    .needs(needs),
            );
            let family = format!("tail/footer/{window}");
            let build = move |bench: &Bench| marked(bench, &spec, window);
            cases.push(
                Case::built(format!("{family}/{size}"), "realistic", build)
                    .grows(family, approximate(bytes)),
            );
        }
        if bytes > 1_000_000 {
            let spec = Spec::realistic(bytes);
            cases.push(
                Case::built(format!("tail/equal/{size}"), "realistic", move |bench| {
                    equal(bench, &spec)
                })
                .grows("tail/equal", approximate(bytes)),
            );
        }
    }
    let bytes = if scale == Scale::Quick {
        10_000_000
    } else {
        25_000_000
    };
    for shape in [
        Shape::TinyMessages,
        Shape::EscapeDense,
        Shape::Base64Images,
        Shape::Cjk,
    ] {
        let spec = Spec {
            shape,
            layout: Layout::Compact,
            bytes,
        };
        let name = format!("tail/shape/{}/{}", spec.shape_name(), Size(bytes));
        cases.push(Case::built(name, spec.shape_name(), move |bench| {
            setup(bench, &spec, 200)
        }));
    }
    cases
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
pub(super) fn approximate(bytes: u64) -> f64 {
    bytes as f64
}

/// The same document in the files of the rival engines.
pub(super) fn engines(bench: &Bench, document: &Document, spec: &Spec) -> Result<PathBuf> {
    bench.data.directory(&format!("engines/{spec}"), |made| {
        jsonl::import(&document.path, &made.join("session.jsonl"))?;
        let mut connection = sqlite::create(&made.join("sessions.sqlite"))?;
        sqlite::import(&mut connection, &document.path, sqlite::Rows::All)?;
        redb::import(&redb::open(&made.join("sessions.redb"))?, &document.path)
    })
}

pub(super) fn facts(session: &Session, dropped: u64) -> Result<Answer> {
    let answer = Answer::new()
        .fact("id", &session.id)
        .fact("dropped", dropped);
    Ok(answer
        .digest("messages", &session.messages)?
        .digest("tool_uses", &session.tool_uses)?)
}

pub(super) fn part_facts(part: &Part) -> Result<Answer> {
    facts(&part.session, part.dropped)
}

/// The document with a footer; rivals and floors have the same content without one.
fn marked(bench: &Bench, spec: &Spec, window: usize) -> Result<Setup> {
    let plain = Rc::new(bench.data.document(spec)?);
    let document = Rc::new(bench.data.marked(spec)?);
    let mut contenders = vec![tail("ours", &document, window, 1)];
    if bench.field == Field::All {
        contenders.push(lazy_tail(&document, window));
        contenders.extend(others(&document, window));
        contenders.extend(databases(&engines(bench, &plain, spec)?, window)?);
        let [read, needed] = floors(&plain, window);
        contenders.extend([needed, read]);
    }
    let (from, to) = document.window(window);
    Ok(Setup::of(contenders).note(format!(
        "{} messages, {} bytes, of which {} footer; the window has {} bytes",
        document.messages(),
        document.bytes,
        document.bytes - plain.bytes,
        to - from
    )))
}

/// The last messages that have as many bytes in a document of any size.
fn equal(bench: &Bench, spec: &Spec) -> Result<Setup> {
    let plain = Rc::new(bench.data.document(spec)?);
    let document = bench.data.marked(spec)?;
    let window = document.window_of(EQUAL);
    let [_, needed] = floors(&plain, window);
    let (from, to) = document.window(window);
    Ok(
        Setup::of(vec![tail("ours", &document, window, 1), needed]).note(format!(
            "{} messages, {} bytes; the window has {window} messages of {} bytes",
            document.messages(),
            document.bytes,
            to - from
        )),
    )
}

fn setup(bench: &Bench, spec: &Spec, window: usize) -> Result<Setup> {
    let document = Rc::new(bench.data.document(spec)?);
    let mut contenders = ours(&document, window, bench.field);
    if bench.field == Field::All {
        contenders.extend(others(&document, window));
        if document.bytes <= WHOLE_FILE * 11 / 10 {
            contenders.extend(libraries(&document, window));
        }
        contenders.extend(databases(&engines(bench, &document, spec)?, window)?);
        contenders.extend(floors(&document, window));
    }
    let (from, to) = document.window(window);
    Ok(Setup::of(contenders).note(format!(
        "{} messages, {} bytes; the window has {} bytes",
        document.messages(),
        document.bytes,
        to - from
    )))
}

/// Resumes through the store, opened for it, on so many threads.
fn tail(name: &'static str, document: &Document, window: usize, threads: usize) -> Contender {
    let directory = document.directory.clone();
    let id = document.id();
    let work = move || {
        let store = SessionStore::builder(&directory).threads(threads).open()?;
        Ok(store.load_tail(&id, Window::last(window))?)
    };
    Contender::new(name, Role::Ours, work, |tail| {
        facts(tail, tail.dropped().total())
    })
}

/// Resumes without decoding a message, as a host does that shows the last few first.
fn lazy_tail(document: &Document, window: usize) -> Contender {
    let directory = document.directory.clone();
    let id = document.id();
    let work = move || {
        let store = SessionStore::<LazySession>::builder_as(&directory)
            .threads(1)
            .open()?;
        Ok(store.load_tail(&id, Window::last(window))?)
    };
    Contender::new("ours-lazy", Role::Ours, work, |tail| {
        let answer = Answer::new()
            .fact("id", &tail.id)
            .fact("dropped", tail.dropped().total());
        Ok(answer
            .digest("messages", &tail.messages)?
            .digest("tool_uses", &tail.tool_uses)?)
    })
}

fn ours(document: &Rc<Document>, window: usize, field: Field) -> Vec<Contender> {
    let mut ours = vec![tail("ours", document, window, 1)];
    if field == Field::All {
        let path = document.path.clone();
        let cap = TailCap::all(&["messages", "tool_uses"], window);
        let codec = Codec::with_parser(SimdJson);
        let simd = move || Ok(codec.tail::<Session, _>(&std::fs::File::open(&path)?, &cap)?);
        let simd = Contender::new("ours-simd-json", Role::Ours, simd, |tail| {
            facts(
                &tail.value,
                tail.dropped.iter().map(|(_, count)| count).sum(),
            )
        });
        ours.extend([tail("ours-2-threads", document, window, 2), simd]);
    }
    ours
}

fn others(document: &Rc<Document>, window: usize) -> Vec<Contender> {
    let path = document.path.clone();
    let work = move || reference::load::tail(&path, window);
    vec![Contender::new("reference", Role::Reference, work, |tail| {
        let answer = Answer::new()
            .fact("id", &tail.session.id)
            .fact("dropped", tail.dropped);
        Ok(answer
            .digest("messages", &tail.session.messages)?
            .digest("tool_uses", &tail.session.tool_uses)?)
    })]
}

/// Libraries that read the whole file.
fn libraries(document: &Rc<Document>, window: usize) -> Vec<Contender> {
    let lazy_facts = |part: &lazy::Window| {
        Ok(Answer::new()
            .fact("dropped", part.dropped)
            .digest("messages", &part.messages)?)
    };
    let path = document.path.clone();
    let from_slice = move || {
        let mut session: Session = serde_json::from_slice(&std::fs::read(&path)?)?;
        let dropped = session.messages.len().saturating_sub(window);
        session.messages.drain(..dropped);
        Ok((session, dropped as u64))
    };
    let path = document.path.clone();
    let sonic = move || lazy::sonic_tail(&path, window);
    let path = document.path.clone();
    let simd = move || lazy::simd_tail(&path, window);
    vec![
        Contender::new(
            "from_slice",
            Role::Rival,
            from_slice,
            |(session, dropped)| facts(session, *dropped),
        ),
        Contender::new("sonic-rs", Role::Rival, sonic, lazy_facts),
        Contender::new("simd-json", Role::Rival, simd, lazy_facts),
    ]
}

fn databases(engines: &Path, window: usize) -> Result<Vec<Contender>> {
    let sqlite_file = engines.join("sessions.sqlite");
    let kept = sqlite::open_for_reading(&sqlite_file)?;
    let sqlite_open = move || sqlite::tail(&sqlite::open_for_reading(&sqlite_file)?, ID, window);
    let sqlite_kept = move || sqlite::tail(&kept, ID, window);

    let redb_file = engines.join("sessions.redb");
    let kept = redb::open_for_reading(&redb_file)?;
    let redb_open = move || redb::tail(&redb::open_for_reading(&redb_file)?, ID, window);
    let redb_kept = move || redb::tail(&kept, ID, window);

    let lines = engines.join("session.jsonl");
    let jsonl = move || jsonl::tail(&lines, window);
    Ok(vec![
        Contender::new("jsonl", Role::Rival, jsonl, part_facts),
        Contender::new("sqlite-open", Role::Rival, sqlite_open, part_facts),
        Contender::new("sqlite-kept", Role::Rival, sqlite_kept, part_facts),
        Contender::new("redb-open", Role::Rival, redb_open, part_facts),
        Contender::new("redb-kept", Role::Rival, redb_kept, part_facts),
    ])
}

/// The first is what a tail without footer must do: read the file. The second is what a tail with one must do.
fn floors(document: &Rc<Document>, window: usize) -> [Contender; 2] {
    let (path, bytes) = (document.path.clone(), document.bytes);
    let mut buffer = floors::Buffer::default();
    let read = move || floors::read_through(&path, &mut buffer);
    let dropped = document.messages().saturating_sub(window) as u64;
    let read = Contender::new("read", Role::Floor, read, move |read: &u64| {
        // That it saw the whole file is all that a read can say of its answer.
        anyhow::ensure!(*read == bytes, "read {read} of {bytes} bytes");
        Ok(Answer::new().fact("dropped", dropped))
    });
    let shared = Rc::clone(document);
    let needed = move || floors::needed_bytes(&shared, window);
    let needed = Contender::new("needed-bytes", Role::Floor, needed, move |session| {
        facts(session, dropped)
    });
    [read, needed]
}
