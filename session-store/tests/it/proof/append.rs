//! Appends change no name in the sessions directory, so no stamp tells of them.

use std::time::Duration;

use session_index::Rules;
use session_store::fs::{FileSystem, MemoryFs};
use session_store::{Append, Message};

use super::hooked::Event;
use super::memory::process;
use crate::support::{id, session};

/// Another process appends to the older session at each moment of a lookup that has to walk.
#[test]
fn an_append_amid_a_lookup_is_seen_by_the_next() {
    let mut appended = 0;
    for moment in 0..80 {
        let fs = MemoryFs::new();
        let writer = process(&fs, Rules::default(), 0);
        writer.store.save(&session("old", "/work", 1, 1)).unwrap();
        writer.store.save(&session("new", "/work", 1, 5)).unwrap();
        // Something foreign, so that the index proves nothing and every workspace is recorded again.
        let foreign = serde_json::to_vec(&session("foreign", "/elsewhere", 1, 1)).unwrap();
        fs.plant("foreign.json", &foreign);

        let reader = process(&fs, Rules::default(), 1);
        let (done, is_done) = std::sync::mpsc::channel();
        let now = chrono::Utc::now() + Duration::from_secs(3600);
        reader.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                let append = Append::new().message(&Message::user("more")).unwrap();
                let append = append.updated_at(now).unwrap();
                let _ = done.send(writer.store.append(&id("old"), &append).is_ok());
            })),
        );
        let asked = if moment % 2 == 0 {
            "/work"
        } else {
            "/elsewhere"
        };
        let _ = reader.store.last_for_directory(Some(asked.as_ref()));
        reader.fs.settle();
        if is_done.try_recv() != Ok(true) {
            continue;
        }
        appended += 1;
        let last = process(&fs, Rules::default(), 0).store;
        let expected = last.load(&id("old")).unwrap();
        assert_eq!(expected.messages.len(), 2, "moment {moment}");
        let found = last.last_for_directory(Some("/work".as_ref())).unwrap();
        let fresh = fs.stat("old.json").unwrap().is_some();
        assert!(
            fresh && found.unwrap().id.as_str() == "old",
            "moment {moment}"
        );
    }
    assert!(appended > 5, "only {appended} moments");
}
