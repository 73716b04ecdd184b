//! What is told of the place of a text: who says it, and the way to it.

use std::ops::ControlFlow;

use session_codec::{Codec, Step};
use session_model::Role;

use crate::DefaultParser;

/// The element's own member `role`, if it is a string.
pub(super) fn role_of(codec: &Codec<DefaultParser>, json: &[u8]) -> Option<Role> {
    let mut role = None;
    // A fault in the element was met by the walk that calls this, or is behind the role.
    let _ = codec.strings(json, |path, string| match path {
        [Step::Member(name)] if name == "role" => {
            role = string.decode().ok().map(|name| Role::from(&*name));
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    role
}

/// Writes a way as one would in a program.
pub(super) fn spell(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Member(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Element(index) => {
                text.push('[');
                text.push_str(&index.to_string());
                text.push(']');
            }
        }
    }
    text
}
