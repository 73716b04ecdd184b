//! Real transcripts, where they are at hand.

use std::path::PathBuf;

use session_model::{Session, SessionHeader, SessionRecord};

use crate::exact::Exact;

fn directory() -> Option<PathBuf> {
    let corpora = std::env::var_os("SESSION_CORPORA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"),
        PathBuf::from,
    );
    let directory = corpora.join("sessions/codetether");
    directory.is_dir().then_some(directory)
}

#[test]
fn every_transcript_of_codetether_comes_back_equal() {
    let Some(directory) = directory() else {
        println!("skipped: no corpora");
        return;
    };
    let mut count = 0;
    for entry in std::fs::read_dir(directory).expect("the corpora") {
        let path = entry.expect("an entry").path();
        let json = std::fs::read_to_string(&path).expect("a transcript");
        let session: Session =
            serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {path:?}"));

        // The file is in the older layout; what is written is in the compact one.
        let written = serde_json::to_vec(&session).expect("JSON");
        let value = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).expect("JSON");
        assert_eq!(value(&written), value(json.as_bytes()), "{path:?}");
        let text = String::from_utf8(written).expect("UTF-8");
        assert_eq!(Exact::of(&text), Exact::of(&json), "{path:?}");

        let again: Session = serde_json::from_str(&text).expect("a session");
        assert_eq!(again, session, "{path:?}");
        assert_eq!(
            serde_json::to_string(&again).expect("JSON"),
            text,
            "{path:?}"
        );
        assert_eq!(
            serde_json::from_reader::<_, Session>(json.as_bytes()).expect("a session"),
            session
        );
        let streamed: Session = serde_json::from_value(value(json.as_bytes())).expect("a session");
        assert_eq!(streamed, session, "{path:?}");

        for json in [&json, &text] {
            let header =
                SessionHeader::parse(json.as_bytes(), Session::DIRECTORY).expect("a header");
            assert_eq!(header.id.as_deref(), Some(session.id()));
            assert_eq!(header.directory.as_deref(), session.directory());
            assert_eq!(header.updated_at, session.updated_at);
            assert_eq!(header.model, session.metadata.model);
        }
        count += 1;
    }
    println!("{count} transcripts");
    assert!(count > 0, "the directory is empty");
}
