//! Lazy elements say what the eager ones would, and are written as they were read.

use serde_json::Value;
use session_model::testing::{Generator, Layout, Shape};
use session_model::{Lazy, LazySession, Message, RawJson, Role, Session, SessionRecord as _};

#[test]
fn a_lazy_session_decodes_and_writes_what_the_eager_one_does() {
    let shapes = [
        Shape::Realistic,
        Shape::TinyMessages,
        Shape::EscapeDense,
        Shape::Cjk,
    ];
    for shape in shapes {
        for layout in [Layout::Compact, Layout::OlderPretty] {
            let mut json = Vec::new();
            let generator = Generator::new(3).bytes(50_000).shape(shape).layout(layout);
            generator.write_to(&mut json).unwrap();
            let eager: Session = serde_json::from_slice(&json).unwrap();
            let lazy: LazySession = serde_json::from_slice(&json).unwrap();
            assert_eq!(lazy.id(), eager.id());
            assert_eq!(lazy.directory(), eager.directory());
            assert_eq!(
                serde_json::to_value(&lazy).unwrap(),
                serde_json::from_slice::<Value>(&json).unwrap()
            );
            assert_eq!(lazy.decode().unwrap(), eager);
        }
    }
}

#[test]
fn an_element_that_is_no_message_is_kept_and_told_when_asked_for() {
    let json = r#"{"id":"a","messages":[{"role":"user","content":[],"n":18446744073709551616},{"role":5}]}"#;
    let session: LazySession = serde_json::from_str(json).unwrap();
    assert_eq!(session.messages[0].get().unwrap().role, Role::User);
    assert!(session.messages[1].get().is_err());
    assert_eq!(serde_json::to_string(&session).unwrap(), json);
    assert!(session.decode().is_err());
    assert!(serde_json::from_str::<LazySession>(r#"{"id":"a","messages":[{]}"#).is_err());
    let deep = format!(
        r#"{{"id":"a","messages":[{}{}]}}"#,
        "[".repeat(128),
        "]".repeat(128)
    );
    assert!(serde_json::from_str::<LazySession>(&deep).is_err());
}

#[test]
fn a_message_can_be_made_lazy() {
    let message = Message::user("a \"quoted\" text");
    let lazy = Lazy::of(&message).unwrap();
    assert_eq!(lazy.get().unwrap(), message);
    assert_eq!(lazy, Lazy::from_raw(RawJson::from_value(&message).unwrap()));
    assert_eq!(
        lazy.clone().into_raw().get(),
        serde_json::to_string(&message).unwrap()
    );
}

#[test]
fn two_halves_make_the_session() {
    let session = Generator::new(4).bytes(40_000).session();
    let (mut first, mut rest) = (session.clone(), session.clone());
    let middle = session.messages.len() / 2;
    first.messages.truncate(middle);
    first.agent = String::new();
    rest.messages.drain(..middle);
    assert_eq!(Session::join(first, rest), Some(session.clone()));

    let json = serde_json::to_string(&session).unwrap();
    let lazy: LazySession = serde_json::from_str(&json).unwrap();
    let (mut first, mut rest) = (lazy.clone(), lazy.clone());
    first.messages.truncate(middle);
    rest.messages.drain(..middle);
    assert_eq!(LazySession::join(first, rest), Some(lazy));
}
