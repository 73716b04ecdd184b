//! Every file-system call of every store operation fails once, and for good: old or new, never neither, and the next
//! call works (P3, P5, P10 through the whole store).

use std::sync::Arc;

use session_store::backend::{DirBackend, Trust};
use session_store::fs::{Fault, FaultFs, FsCall, MemoryFs};
use session_store::{Append, Builder, Error, Message, Query, SessionStore, Window};

use crate::support::{id, session, time};

/// Relative, so that no lookup asks the real file system about it.
const WORK: &str = "work";

const ERRORS: [i32; 4] = [5, 13, 28, 30]; // EIO, EACCES, ENOSPC, EROFS

type Operation = (&'static str, fn(&SessionStore) -> Result<(), Error>);

const OPERATIONS: [Operation; 7] = [
    ("save", |store| {
        let mut session = store.load(&id("s"))?;
        session.push(Message::user("more"));
        store.save(&session).map(drop)
    }),
    ("save new", |store| {
        store.save(&session("new", WORK, 1, 9)).map(drop)
    }),
    ("append", |store| {
        let turn = Append::new()
            .message(&Message::user("more"))
            .expect("a message");
        store.append(&id("s"), &turn).map(drop)
    }),
    ("delete", |store| store.delete(&id("s")).map(drop)),
    ("trash", |store| store.trash(&id("s")).map(drop)),
    ("last", |store| {
        let last = store.last_for_directory_tail(Some(WORK.as_ref()), Window::last(1))?;
        // A session that could not be read may be passed over, but not invented.
        assert!(last.is_none_or(|tail| tail.id == "s"));
        Ok(())
    }),
    ("list", |store| {
        let listing = store.list(&Query::new())?;
        assert_eq!(listing.rows.len() + listing.skipped.len(), 1);
        Ok(())
    }),
];

/// Runs one operation with one fault; whether the fault was reached.
fn try_fault(operation: &Operation, fault: &Fault, what: &str) -> bool {
    let fs = FaultFs::new(MemoryFs::new());
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).expect("a backend");
    let store: SessionStore = Builder::on(Arc::new(backend)).open().expect("a store");
    let old = session("s", WORK, 2, 1);
    store.save(&old).expect("a save without faults");
    let before = fs.injected();
    fs.arm(*fault);
    let result = (operation.1)(&store);
    let reached = fs.injected() > before;
    fs.disarm();

    if let Err(error) = &result {
        assert!(
            !error.is_corrupt() && !error.is_conflict(),
            "{what}: {error}"
        );
    }
    // Whatever was answered: the session is whole, or gone where it was to go.
    let went = matches!(operation.0, "delete" | "trash");
    match store.load(&id("s")) {
        Ok(session) => {
            let messages = session.messages.len();
            assert!(
                messages == 2 || messages == 3,
                "{what}: {messages} messages"
            );
            let visible = result.is_ok() || matches!(result, Err(Error::NotDurable { .. }));
            let adds = matches!(operation.0, "save" | "append");
            assert_eq!(messages == 3, visible && adds, "{what}: {result:?}");
        }
        Err(error) => assert!(went && error.is_not_found(), "{what}: {error}"),
    }
    // And it goes on as if nothing had been: the view is right, no lock is held, the index agrees.
    store
        .overwrite(&session("s", WORK, 4, 2))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut again = store.load(&id("s")).expect("what was saved");
    again.touch(time(99));
    store
        .save(&again)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let last = store
        .last_for_directory(Some(WORK.as_ref()))
        .expect("a lookup")
        .expect("a session");
    assert_eq!(last.updated_at, Some(time(99)), "{what}");
    reached
}

#[test]
fn a_fault_in_any_call_leaves_old_or_new_and_the_next_call_works() {
    let mut injected = 0;
    for operation in &OPERATIONS {
        let mut reached = 0;
        for call in FsCall::ALL {
            for nth in 1.. {
                let mut any = false;
                for errno in ERRORS {
                    for fault in [
                        Fault::errno(call, nth, errno),
                        Fault::errno(call, nth, errno).from_then_on(),
                    ] {
                        let what = format!("{} with {fault:?}", operation.0);
                        any |= try_fault(operation, &fault, &what);
                        injected += u64::from(any);
                    }
                }
                if !any {
                    break;
                }
                reached += 1;
            }
        }
        assert!(
            reached > 3,
            "{}: only {reached} places were reached",
            operation.0
        );
    }
    println!(
        "{injected} faults injected into {} operations",
        OPERATIONS.len()
    );
}
