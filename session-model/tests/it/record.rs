//! What a session says of itself to a store.

use session_model::{Session, SessionId, SessionRecord};

#[test]
fn a_session_names_its_arrays() {
    assert_eq!(Session::CAPPED, ["messages", "tool_uses"]);
    assert_eq!(Session::PARALLEL, [("pages", "messages")]);
    assert_eq!(Session::DIRECTORY, ["metadata", "directory"]);
}

#[test]
fn a_session_gives_and_takes_its_id() {
    let mut session = Session::new(SessionId::new("a").expect("an id"), "/w");
    session.touch("2026-01-01T00:00:00Z".parse().expect("a time"));
    SessionRecord::set_id(&mut session, SessionId::new("b").expect("an id"));
    assert_eq!(SessionRecord::id(&session), "b");
    assert_eq!(
        SessionRecord::directory(&session),
        Some(std::path::Path::new("/w"))
    );
    assert_eq!(SessionRecord::updated_at(&session), session.updated_at);
}
