//! What fuzzing found once stays found: every kept input runs through the check
//! of its target, and so do generated documents through all of them.

use std::path::Path;

use session_codec::testing::{checks, documents, sessions};

use crate::support::files;

#[test]
fn kept_crashes_pass() {
    let crashes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/crashes");
    for path in files(&crashes) {
        let target = path
            .parent()
            .and_then(|dir| dir.file_name()?.to_str())
            .unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(checks::run(target, &bytes), "no target {target}");
    }
}

#[test]
fn generated_documents_pass_every_check() {
    for document in documents(41, 300).chain(sessions(42, 60)) {
        for target in checks::TARGETS {
            assert!(checks::run(target, &document));
        }
    }
    assert!(!checks::run("none", b""));
}
