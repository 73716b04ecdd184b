//! What is told of the place of a text: who says it, and the way to it.

use std::fmt::Write as _;
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
    let bytes = path.iter().map(|step| match step {
        Step::Member(name) => name.len() + 1,
        Step::Element(_) => "[00000]".len(),
    });
    let mut text = String::with_capacity(bytes.sum());
    for step in path {
        // Nothing that writes to memory fails.
        let _ = match step {
            Step::Member(name) if text.is_empty() => text.write_str(name),
            Step::Member(name) => write!(text, ".{name}"),
            Step::Element(index) => write!(text, "[{index}]"),
        };
    }
    text
}
