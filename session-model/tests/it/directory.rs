//! Directories that are not UTF-8.

use std::path::PathBuf;

use session_model::{Session, SessionHeader, SessionId, SessionRecord};

use crate::exact::lossless;

fn read(json: &str) -> Session {
    serde_json::from_str(json).expect(json)
}

fn header(json: &str) -> Option<PathBuf> {
    SessionHeader::parse(json.as_bytes(), Session::DIRECTORY)
        .expect(json)
        .directory
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes.to_vec()).into()
}

#[cfg(unix)]
#[test]
fn a_path_of_any_bytes_survives() {
    for bytes in [
        &b"/a/\xff"[..],
        b"/a/\xed\xa0\x80/b",
        b"\xc3",
        b"/\xf0\x9f\x98/\x01\n",
    ] {
        let session = Session::new(SessionId::new("s1").expect("an id"), path(bytes));
        let json = serde_json::to_string(&session).expect("JSON");
        assert!(json.contains("\"directory_bytes\":\""), "{json}");
        let again = read(&json);
        assert_eq!(again, session);
        assert!(again.metadata.extra.is_empty());
        assert_eq!(header(&json), Some(path(bytes)));
        lossless::<Session>(&json);
    }
    let plain = Session::new(SessionId::new("s1").expect("an id"), "/\u{e9}");
    assert!(
        !serde_json::to_string(&plain)
            .expect("JSON")
            .contains("directory_bytes")
    );
}

#[cfg(unix)]
#[test]
fn bytes_count_only_if_they_belong_to_the_text() {
    // "L2H/" is the base64 of "/a\xff".
    let belongs = r#"{"id":"s1","metadata":{"directory":"/a\ufffd","directory_bytes":"L2H/"}}"#;
    assert_eq!(read(belongs).metadata.directory, Some(path(b"/a\xff")));
    assert_eq!(header(belongs), Some(path(b"/a\xff")));
    lossless::<Session>(belongs);
    for (directory, bytes) in [
        ("/b", "\"L2H/\""),
        ("/a\u{fffd}", "\"L2H_\""),
        ("/a\u{fffd}", "\"!\""),
        ("/a\u{fffd}", "7"),
        ("/a\u{fffd}", "null"),
        // The base64 of "/ab", which needs no second form.
        ("/ab", "\"L2Fi\""),
    ] {
        let json = format!(
            r#"{{"id":"s1","metadata":{{"directory":"{directory}","directory_bytes":{bytes}}}}}"#
        );
        let session = read(&json);
        assert_eq!(
            session.metadata.directory,
            Some(PathBuf::from(directory)),
            "{json}"
        );
        assert_eq!(header(&json), Some(PathBuf::from(directory)), "{json}");
        assert_eq!(session.metadata.extra.len(), 1);
        lossless::<Session>(&json);
    }
}

#[cfg(unix)]
#[test]
fn stale_bytes_never_speak_for_a_new_directory() {
    let mut session = read(r#"{"id":"s1","metadata":{"directory":"/b","directory_bytes":"L2H/"}}"#);
    for new in [
        path(b"/c\xff"),
        PathBuf::from("/a\u{fffd}"),
        PathBuf::from("/d"),
    ] {
        session.metadata.directory = Some(new.clone());
        let json = serde_json::to_string(&session).expect("JSON");
        assert_eq!(read(&json).metadata.directory, Some(new.clone()), "{json}");
        assert_eq!(header(&json), Some(new), "{json}");
    }
}
