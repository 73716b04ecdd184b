//! A canary that no event, span, finding or report says, whatever is done to a session that holds it. A binary of its own, because events of
//! every thread go to one subscriber.
#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use session_store::{
    Append, ContentPart, Durability, LastQuery, Message, Query, RawJson, Rebind, SearchQuery,
    Session, SessionId, SessionStore, ToolUse, Window,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const CANARY: &str = "canary-7f3a9";

/// Writes down everything that is said.
#[derive(Clone, Default)]
struct Listener {
    said: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Fields<'s>(&'s mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Listener {
    fn hear(&self, of: &Metadata<'_>, fields: impl FnOnce(&mut Fields<'_>)) {
        let mut said = self.said.lock().unwrap();
        let _ = write!(said, "\n{} {}", of.target(), of.name());
        fields(&mut Fields(&mut said));
    }

    fn take(&self) -> String {
        std::mem::take(&mut self.said.lock().unwrap())
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.hear(span.metadata(), |fields| span.record(fields));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut said = self.said.lock().unwrap();
        values.record(&mut Fields(&mut said));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.hear(event.metadata(), |fields| event.record(fields));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn session(name: &str) -> Session {
    let id = SessionId::new(name).unwrap();
    let mut session = Session::new(id, "/home/me/project").with_title(format!("on {CANARY}"));
    session = session.with_agent(CANARY).with_model(CANARY);
    session.push(Message::user(CANARY));
    let call = ContentPart::tool_call("c", CANARY, format!(r#"{{"key":"{CANARY}"}}"#));
    session.push(Message::tool("c", CANARY).with(call));
    session.push_tool_use(ToolUse::succeeded("u", CANARY, CANARY, CANARY));
    let raw = RawJson::from_text(format!(r#"{{"key":"{CANARY}"}}"#)).unwrap();
    session.extra.insert("unknown", raw);
    session.touch(chrono::Utc::now());
    session
}

/// Every call of the store, those that fail included; gives what they said of the sessions.
fn live(store: &SessionStore) -> Vec<String> {
    let said = RefCell::new(Vec::new());
    let note = |what: &dyn fmt::Debug| said.borrow_mut().push(format!("{what:?}"));
    let one = session("s");
    let id = &one.id;
    store.save(&one).unwrap();
    store.overwrite(&one).unwrap();
    let say = Append::new().message(&Message::user(CANARY)).unwrap();
    store.append(id, &say).unwrap();
    let mut writer = store.writer(id).unwrap();
    writer.append(&say).unwrap();
    drop(writer);
    let read = || {
        note(&store.load(id).err());
        let window = Window::last(1).align_tool_pairs();
        note(&store.load_tail(id, window).err());
        note(&store.load_page(id, "messages", 0..1).err());
        let found = store.find_last(&LastQuery::new());
        note(&found.map(|found| found.skipped));
        let here = store.last_for_directory(Some("/home/me/project".as_ref()));
        note(&here.err());
        let listing = store.list(&Query::new().title(CANARY));
        note(&listing.map(|listing| listing.skipped));
        let mut hits = store.search(&SearchQuery::text(CANARY)).unwrap();
        while hits.next().is_some() {}
        note(&hits.take_skipped());
        note(&store.check(id));
        note(&store.check_all(|_| ControlFlow::Continue(())));
    };
    read();
    assert!(store.checkpoint(id).unwrap());
    read();
    let mut stale = session("s");
    stale.push(Message::user(CANARY));
    note(&store.clone().save(&stale).unwrap_err());
    let moved = store.rebind("/home/me", "/home/us", Rebind::Apply);
    note(&moved.unwrap());
    assert!(store.trash(id).unwrap() && store.restore(id).unwrap());
    // Damage of every kind: of the bytes, of the types, of the journal.
    let path = store.path(id);
    let whole = fs::read_to_string(&path).unwrap();
    let damages = [
        whole[..whole.len() / 2].to_owned(),
        whole.replacen(CANARY, "canary-7f3a9\\ud800", 1),
        whole.replacen(r#""content":["#, r#""content":"canary-7f3a9","x":["#, 1),
        whole.replacen(r#""updated_at":""#, r#""updated_at":"canary-7f3a9"#, 1),
    ];
    for damaged in damages {
        fs::write(&path, damaged).unwrap();
        read();
        note(&store.append(id, &say).err());
        note(&store.checkpoint(id).err());
    }
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let salvaged = store.salvage(id).unwrap().unwrap();
    note(&salvaged);
    store.append(&salvaged.id, &say).unwrap();
    let journal = store
        .root()
        .join(format!(".store/journal/{}.journal", salvaged.id));
    let mut bytes = fs::read(&journal).unwrap();
    bytes.extend(CANARY.bytes());
    fs::write(&journal, bytes).unwrap();
    read();
    store.delete(&salvaged.id).unwrap();
    said.into_inner()
}

/// The one test here: the subscriber is the process's.
#[test]
fn no_event_and_no_finding_says_what_is_in_a_session() {
    let listener = Listener::default();
    tracing::subscriber::set_global_default(listener.clone()).unwrap();
    // The mutant: an event that says it is heard.
    tracing::debug!(text = CANARY, "saved");
    assert!(listener.take().contains(CANARY));
    let scratch = tempfile::tempdir().unwrap();
    let store = SessionStore::builder(scratch.path().join("sessions"))
        .durability(Durability::Process)
        .open()
        .unwrap();
    let reports = live(&store);
    assert!(reports.iter().any(|report| report.contains("Unfit")));
    let says_it = reports.iter().filter(|report| report.contains(CANARY));
    assert_eq!(says_it.collect::<Vec<_>>(), [""; 0]);
    let said = listener.take();
    for call in [
        "save", "append", "fold", "salvage", "rebind", "check", "search",
    ] {
        assert!(said.contains(call), "nothing was said of {call}");
    }
    let says_it = said.lines().filter(|line| line.contains(CANARY));
    assert_eq!(says_it.collect::<Vec<_>>(), [""; 0]);
}
