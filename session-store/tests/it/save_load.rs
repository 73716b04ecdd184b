//! Save and load, and the rules that keep one writer from undoing another.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use session_model::testing::{Generator, Shape};
use session_store::backend::{
    Area, BackendListing, Blob, BlobStat, DirBackend, Lock, LockName, OpenBlob, PublishStep,
    WriteStep,
};
use session_store::{
    Append, Backend, Builder, ConflictReason, Durability, Error, Limits, Message, Session,
    SessionStore, Trust, Window,
};

use crate::backend::caught;
use crate::support::{Scratch, id, session, time, transcripts};

fn reason(result: Result<impl Sized, Error>) -> Option<ConflictReason> {
    match result {
        Err(Error::Conflict { reason, .. }) => Some(reason),
        Err(other) => panic!("not a conflict: {other}"),
        Ok(_) => None,
    }
}

#[test]
fn what_was_saved_is_loaded() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let saved = session("a", "/work", 3, 1);
    store.save(&saved).unwrap();
    assert_eq!(store.load(&saved.id).unwrap(), saved);
    assert_eq!(scratch.names(), [".store", "a.json"]);
}

#[test]
fn nothing_is_written_before_the_first_save() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let turn = Append::new().message(&Message::user("x")).unwrap();
    assert!(store.load(&id("a")).unwrap_err().is_not_found());
    assert!(store.append(&id("a"), &turn).unwrap_err().is_not_found());
    assert!(store.last().unwrap().is_none());
    assert!(!store.delete(&id("a")).unwrap());
    assert!(!store.trash(&id("a")).unwrap());
    assert!(!store.restore(&id("a")).unwrap());
    assert!(!scratch.sessions().exists());
}

#[test]
fn a_window_loaded_after_the_whole_never_replaces_the_history_either() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut history = session("s", "/work", 10, 1);
    store.save(&history).unwrap();
    let tail = store.load_tail(&history.id, Window::last(2)).unwrap();
    let mut clone: Session = (*tail).clone();
    clone.push(Message::user("one more"));
    assert!(store.save(&clone).unwrap_err().is_partial());
    assert!(store.overwrite(&clone).unwrap_err().is_partial());
    assert_eq!(
        store
            .load_tail(&history.id, Window::all())
            .unwrap()
            .messages
            .len(),
        10
    );
    // The whole, which the handle still knows, may be saved; and what was loaded whole again may be shortened.
    history.push(Message::user("next"));
    store.save(&history).unwrap();
    store.load_tail(&history.id, Window::last(2)).unwrap();
    let mut whole = store.load(&history.id).unwrap();
    whole.messages.truncate(1);
    store.save(&whole).unwrap();
}

/// A foreign program renames its own version into place while a save is under way.
#[test]
fn a_foreign_rename_during_a_save_is_a_conflict() {
    /// Renames a foreign document into place when the temporary is made, long after the checks.
    #[derive(Debug)]
    struct Meanwhile {
        inner: DirBackend,
        foreign: Mutex<Option<(std::path::PathBuf, std::path::PathBuf)>>,
    }
    impl Backend for Meanwhile {
        fn list(&self, area: Area) -> Result<BackendListing, Error> {
            self.inner.list(area)
        }
        fn stat_area(&self, area: Area) -> Result<Option<BlobStat>, Error> {
            self.inner.stat_area(area)
        }
        fn stat(&self, blob: &Blob<'_>) -> Result<Option<BlobStat>, Error> {
            self.inner.stat(blob)
        }
        fn open(&self, blob: &Blob<'_>) -> Result<Option<Box<dyn OpenBlob>>, Error> {
            self.inner.open(blob)
        }
        fn replace(
            &self,
            lock: &Lock,
            blob: &Blob<'_>,
            durability: Durability,
            write: &mut WriteStep<'_>,
            publish: &mut PublishStep<'_>,
        ) -> Result<BlobStat, Error> {
            if let Some((from, to)) = self.foreign.lock().unwrap().take() {
                std::fs::rename(from, to).unwrap();
            }
            self.inner.replace(lock, blob, durability, write, publish)
        }
        fn append(
            &self,
            lock: &Lock,
            blob: &Blob<'_>,
        ) -> Result<Option<Box<dyn session_store::backend::AppendFile>>, Error> {
            self.inner.append(lock, blob)
        }
        fn persist(&self, lock: &Lock, blob: &Blob<'_>) -> Result<(), Error> {
            self.inner.persist(lock, blob)
        }
        fn transfer(
            &self,
            lock: &Lock,
            from: &Blob<'_>,
            to: &Blob<'_>,
            durability: Durability,
            publish: &mut PublishStep<'_>,
        ) -> Result<bool, Error> {
            self.inner.transfer(lock, from, to, durability, publish)
        }
        fn remove(
            &self,
            lock: &Lock,
            blob: &Blob<'_>,
            durability: Durability,
        ) -> Result<bool, Error> {
            self.inner.remove(lock, blob, durability)
        }
        fn lock(&self, name: LockName<'_>, wait: Duration) -> Result<Lock, Error> {
            self.inner.lock(name, wait)
        }
        fn sweep(&self) -> Result<u64, Error> {
            self.inner.sweep()
        }
        fn describe(&self, blob: &Blob<'_>) -> std::path::PathBuf {
            self.inner.describe(blob)
        }
    }

    let turn = Append::new().message(&Message::user("ours")).unwrap();
    for append in [false, true] {
        let scratch = Scratch::new();
        let ours = session("s", "/work", 1, 1);
        scratch.store().save(&ours).unwrap();
        let backend = Arc::new(Meanwhile {
            inner: DirBackend::open(scratch.sessions(), Trust::strict()).unwrap(),
            foreign: Mutex::new(None),
        });
        let store: SessionStore = Builder::on(Arc::clone(&backend) as Arc<dyn Backend>)
            .open()
            .unwrap();
        let mut loaded = store.load(&ours.id).unwrap();
        loaded.push(Message::user("ours"));
        let theirs = session("s", "/work", 5, 5);
        let temporary = scratch.path().join("theirs");
        std::fs::write(&temporary, serde_json::to_vec(&theirs).unwrap()).unwrap();
        *backend.foreign.lock().unwrap() = Some((temporary, scratch.file("s.json")));
        let result = if append {
            store.append(&ours.id, &turn)
        } else {
            store.save(&loaded)
        };
        assert_eq!(reason(result), Some(ConflictReason::Changed));
        assert_eq!(store.load(&ours.id).unwrap(), theirs);
        assert_eq!(crate::support::names(&scratch.file(".store/tmp")), [""; 0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_saved_is_loaded(seed in any::<u64>(), bytes in 500..30_000_u64, shape in 0..5_usize, nested in 0..40_usize) {
        let shape = [Shape::Realistic, Shape::TinyMessages, Shape::EscapeDense, Shape::Base64Images, Shape::Cjk][shape];
        let mut saved = Generator::new(seed).bytes(bytes).shape(shape).session();
        let text = format!("{}12345678901234567890123456789{}", "[".repeat(nested), "]".repeat(nested));
        saved.extra.insert("nested", session_store::RawJson::from_text(text).unwrap());
        let scratch = Scratch::new();
        let store = scratch.store();
        store.save(&saved).unwrap();
        prop_assert_eq!(&store.load(&saved.id).unwrap(), &saved);
        prop_assert_eq!(&*store.load_tail(&saved.id, Window::all()).unwrap(), &saved);
    }
}

#[test]
fn transcripts_survive_load_and_save_with_equal_values() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for (name, original) in transcripts() {
        let value: serde_json::Value = serde_json::from_slice(&original).unwrap();
        let loaded: Session = serde_json::from_slice(&original).unwrap();
        // The same session is there in several versions, each of which replaces the one before.
        store.overwrite(&loaded).unwrap();
        let stored = std::fs::read(store.path(&loaded.id)).unwrap();
        let mut stored = serde_json::from_slice::<serde_json::Value>(&stored).unwrap();
        let footer = stored.as_object_mut().unwrap().remove("session_footer");
        assert!(footer.is_some(), "{name}");
        assert_eq!(stored, value, "{name}");
        assert_eq!(store.load(&loaded.id).unwrap(), loaded, "{name}");
    }
}

#[test]
fn a_stale_save_is_a_conflict_and_writes_nothing() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.store(), scratch.store());
    let mut first = session("s", "/work", 1, 1);
    a.save(&first).unwrap();
    let mut second = b.load(&first.id).unwrap();
    second.push(Message::user("from b"));
    b.save(&second).unwrap();

    let on_disk = std::fs::read(a.path(&first.id)).unwrap();
    first.push(Message::user("from a"));
    assert_eq!(reason(a.save(&first)), Some(ConflictReason::Changed));
    assert_eq!(std::fs::read(a.path(&first.id)).unwrap(), on_disk);

    // Loading again, or saying so by name, resolves it.
    let mut merged = a.load(&first.id).unwrap();
    merged.push(Message::user("from a"));
    a.save(&merged).unwrap();
    b.overwrite(&second).unwrap();
    assert_eq!(a.load(&first.id).unwrap(), second);
}

#[test]
fn a_save_without_having_seen_the_session_is_a_conflict() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let whole = session("s", "/work", 1, 1);
    store.save(&whole).unwrap();
    assert_eq!(
        reason(store.clone().save(&whole)),
        Some(ConflictReason::NeverSeen)
    );
    assert_eq!(reason(store.save(&whole)), None);
}

#[test]
fn a_save_of_a_session_that_was_removed_is_a_conflict() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let whole = session("s", "/work", 1, 1);
    store.save(&whole).unwrap();
    assert!(store.clone().delete(&whole.id).unwrap());
    assert_eq!(reason(store.save(&whole)), Some(ConflictReason::Gone));
    store.overwrite(&whole).unwrap();
    // Whoever removed it knows that it is gone.
    assert!(store.delete(&whole.id).unwrap());
    store.save(&whole).unwrap();
}

#[test]
fn a_file_that_was_only_touched_is_no_conflict() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let whole = session("s", "/work", 1, 1);
    store.save(&whole).unwrap();
    scratch.touch("s.json", crate::support::moment(77));
    assert_eq!(reason(store.save(&whole)), None);
}

#[test]
fn another_writer_between_two_equal_saves_is_not_forgotten() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.store(), scratch.store());
    let (x, y) = (session("s", "/work", 1, 1), session("s", "/work", 2, 2));
    a.save(&x).unwrap();
    b.overwrite(&y).unwrap();
    assert_eq!(reason(a.save(&x)), Some(ConflictReason::Changed));
    a.overwrite(&x).unwrap();
    assert_eq!(b.load(&x.id).unwrap(), x);
}

type Write = fn(&SessionStore, &Session) -> Result<session_store::Revision, Error>;

/// P22: a clone out of a window is offered to both ways of writing, with an append in between.
fn history_survives_a_window(save: Write, overwrite: Write) {
    let scratch = Scratch::new();
    let history = session("s", "/work", 10, 1);
    scratch.store().save(&history).unwrap();

    let store = scratch.store();
    let tail = store.load_tail(&history.id, Window::last(2)).unwrap();
    let mut clone: Session = (*tail).clone();
    clone.push(Message::user("one more"));
    assert_eq!(
        reason(save(&store, &clone)),
        Some(ConflictReason::NeverSeen)
    );
    assert!(overwrite(&store, &clone).unwrap_err().is_partial());
    // Not even when the handle appends to the window in between.
    store
        .append(
            &history.id,
            &Append::new().message(&Message::user("x")).unwrap(),
        )
        .unwrap();
    assert_eq!(
        reason(save(&store, &clone)),
        Some(ConflictReason::NeverSeen)
    );
    assert!(overwrite(&store, &clone).unwrap_err().is_partial());
    assert_eq!(store.load(&history.id).unwrap().messages.len(), 11);
    // Having loaded it whole, the handle may.
    overwrite(&store, &clone).unwrap();
}

#[test]
fn a_window_never_replaces_the_history() {
    history_survives_a_window(SessionStore::save, SessionStore::overwrite);
}

#[test]
fn handles_that_forget_or_mistake_what_a_window_was_are_caught() {
    let seen: Write = |store, session| {
        // A window that counts as seen.
        let other = store.clone();
        other.load(&session.id)?;
        other.save(session)
    };
    caught("a window that counts as seen", || {
        history_survives_a_window(seen, SessionStore::overwrite);
    });
    let forgets: Write = |store, session| store.clone().overwrite(session);
    caught("a handle that forgets its window", || {
        history_survives_a_window(SessionStore::save, forgets);
    });
}

/// It would bring back a part of what somebody else has removed, and stand in the way of the whole in the trash.
#[test]
fn a_window_does_not_take_the_place_of_a_session_that_was_removed() {
    type Remove = fn(&SessionStore, &session_store::SessionId) -> Result<bool, Error>;
    for remove in [SessionStore::delete as Remove, SessionStore::trash] {
        let scratch = Scratch::new();
        let history = session("s", "/work", 10, 1);
        let other = scratch.store();
        other.save(&history).unwrap();
        let store = scratch.store();
        let tail = store.load_tail(&history.id, Window::last(2)).unwrap();
        assert!(remove(&other, &history.id).unwrap());
        let clone: Session = (*tail).clone();
        assert_eq!(reason(store.save(&clone)), Some(ConflictReason::Gone));
        assert!(store.overwrite(&clone).unwrap_err().is_partial());
        // What this handle removes itself it may begin anew.
        store.delete(&history.id).unwrap();
        other.save(&session("s", "/work", 1, 2)).unwrap();
        store.load_tail(&history.id, Window::last(1)).unwrap();
        assert!(store.delete(&history.id).unwrap());
        store.save(&clone).unwrap();
    }
}

#[test]
fn a_window_that_dropped_nothing_does_not_count_as_seen_either() {
    let scratch = Scratch::new();
    let history = session("s", "/work", 2, 1);
    scratch.store().save(&history).unwrap();
    let store = scratch.store();
    let tail = store.load_tail(&history.id, Window::all()).unwrap();
    assert_eq!(tail.dropped().total(), 0);
    assert_eq!(
        reason(store.save(&(*tail).clone())),
        Some(ConflictReason::NeverSeen)
    );
    store.overwrite(&(*tail).clone()).unwrap();
}

#[test]
fn the_last_session_of_a_directory_may_be_saved_after_it_was_loaded() {
    let scratch = Scratch::new();
    scratch.store().save(&session("s", "/work", 2, 1)).unwrap();
    let store = scratch.store();
    let mut last = store
        .last_for_directory(Some("/work".as_ref()))
        .unwrap()
        .unwrap();
    last.push(Message::user("next"));
    last.touch(time(2));
    store.save(&last).unwrap();
}

#[test]
fn what_save_refuses_leaves_the_file_as_it_was() {
    let scratch = Scratch::new();
    let limits = Limits::default().document(4_000).element(1_000).depth(12);
    let store = SessionStore::builder(scratch.sessions())
        .limits(limits)
        .open()
        .unwrap();
    let good = session("s", "/work", 2, 1);
    store.save(&good).unwrap();
    let before = std::fs::read(store.path(&good.id)).unwrap();

    let mut large = good.clone();
    large.messages = (0..100)
        .map(|n| Message::user(format!("a message of some length {n}")))
        .collect();
    let mut long = good.clone();
    long.push(Message::user("x".repeat(1_001)));
    let mut deep = good.clone();
    let nested = format!("{}1{}", "[".repeat(12), "]".repeat(12));
    deep.extra
        .insert("nested", session_store::RawJson::from_text(nested).unwrap());
    for (what, refused) in [
        ("document bytes", large),
        ("element bytes", long),
        ("depth", deep),
    ] {
        match store.save(&refused) {
            Err(Error::TooLarge { what: named, .. }) => assert_eq!(named, what),
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(
            std::fs::read(store.path(&good.id)).unwrap(),
            before,
            "{what}"
        );
        assert_eq!(
            crate::support::names(&scratch.file(".store/tmp")),
            [""; 0],
            "{what}"
        );
    }
    assert_eq!(store.load(&good.id).unwrap(), good);
}

/// P15: what a way of saving accepts, load has to give back, at every depth. Gives those that it does not.
fn not_given_back(save: &dyn Fn(&SessionStore, &Session) -> bool) -> Vec<String> {
    let scratch = Scratch::new();
    let store = scratch.store();
    let (mut accepted, mut wrong) = (0, Vec::new());
    for depth in (0..128).step_by(3).chain(90..105).chain(118..128) {
        let nested = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let nested = session_store::RawJson::from_text(nested).unwrap();
        let mut top = session("top", "/work", 1, 1);
        top.extra.insert("nested", nested.clone());
        let mut deep = session("deep", "/work", 1, 1);
        deep.messages[0].extra.insert("nested", nested);
        for session in [top, deep] {
            if save(&store, &session) {
                accepted += 1;
                if store.load(&session.id).ok().as_ref() != Some(&session) {
                    wrong.push(format!("{} at {depth}", session.id));
                }
            }
        }
    }
    assert!(accepted > 50, "{accepted}");
    wrong
}

#[test]
fn whatever_depth_is_saved_is_loaded_and_a_save_that_does_not_look_is_caught() {
    let checked = |store: &SessionStore, session: &Session| match store.overwrite(session) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_too_large(), "{error}");
            false
        }
    };
    assert_eq!(not_given_back(&checked), [""; 0]);
    // The mutant: the reference's way, which writes what the encoder gives.
    let unchecked = |store: &SessionStore, session: &Session| {
        let bytes = serde_json::to_vec(session).unwrap();
        std::fs::create_dir_all(store.root()).unwrap();
        std::fs::write(store.path(&session.id), bytes).is_ok()
    };
    assert!(!not_given_back(&unchecked).is_empty());
}
