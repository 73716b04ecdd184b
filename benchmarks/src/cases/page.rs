//! Scrolling back: messages from the middle of one document.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use anyhow::{Context, Result};
use session_model::Message;
use session_store::SessionStore;

use super::sizes;
use super::tail::approximate;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::document::{Document, Size, Spec};
use crate::method::{Contender, Role};
use crate::reference;

/// Messages on a page.
const PAGE: usize = 200;

/// The reference decodes all of a document to show a part of it.
const WHOLE_FILE: u64 = 100_000_000;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let enough = sizes(scale)
        .iter()
        .copied()
        .filter(|size| *size >= 1_000_000);
    let case = |bytes: u64| {
        let spec = Spec::realistic(bytes);
        let family = format!("page/{PAGE}");
        let build = move |bench: &Bench| setup(bench, &spec);
        Case::built(format!("{family}/{}", Size(bytes)), "realistic", build)
            .grows(family, approximate(bytes))
    };
    enough.map(case).collect()
}

fn setup(bench: &Bench, spec: &Spec) -> Result<Setup> {
    let document = Rc::new(bench.data.marked(spec)?);
    let from = document.messages().saturating_sub(PAGE) / 2;
    let to = (from + PAGE).min(document.messages());
    let mut contenders = vec![ours(&document, from, to)];
    if bench.field == Field::All {
        if spec.bytes <= WHOLE_FILE {
            let path = document.path.clone();
            let whole = move || reference::load::load(&path);
            let whole = Contender::new("reference", Role::Reference, whole, move |session| {
                Ok(Answer::new().digest("messages", &session.messages[from..to])?)
            });
            contenders.push(whole);
        }
        let shared = Rc::clone(&document);
        let needed = move || needed(&shared, from, to);
        let needed = Contender::new("needed-bytes", Role::Floor, needed, |messages| {
            Ok(Answer::new().digest("messages", messages)?)
        });
        contenders.push(needed);
    }
    Ok(Setup::of(contenders).note(format!(
        "messages {from} to {to} of {}: {} bytes",
        document.messages(),
        document.offsets[to] - document.offsets[from]
    )))
}

fn ours(document: &Document, from: usize, to: usize) -> Contender {
    let (directory, id) = (document.directory.clone(), document.id());
    let work = move || {
        let store = SessionStore::builder(&directory).threads(1).open()?;
        Ok(store.load_page(&id, "messages", from as u64..to as u64)?)
    };
    Contender::new("ours", Role::Ours, work, |page| {
        Ok(Answer::new().digest("messages", &page.messages)?)
    })
}

/// Reads the page's bytes, whose place is known, and decodes them.
fn needed(document: &Document, from: usize, to: usize) -> Result<Vec<Message>> {
    let file =
        File::open(&document.path).with_context(|| format!("open {}", document.path.display()))?;
    let (start, end) = (document.offsets[from], document.offsets[to]);
    let mut json = vec![b'['; usize::try_from(end - start)? + 2];
    let length = json.len();
    file.read_exact_at(&mut json[1..length - 1], start)?;
    // Between two messages stands a comma.
    if json[length - 2] == b',' {
        json[length - 2] = b' ';
    }
    json[length - 1] = b']';
    Ok(serde_json::from_slice(&json)?)
}
