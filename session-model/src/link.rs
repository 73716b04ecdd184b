//! Owns what a windowed load must know of an element to keep tool calls and their results together. Knows no session.

/// What an element of a session has to do with a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToolLink<'a> {
    /// It makes the call of this id.
    Call(&'a str),
    /// It answers the call of this id.
    Answer(&'a str),
}
