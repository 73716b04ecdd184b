//! Owns the endless conversation a generated session is cut from, and where it is cut. Holds one
//! exchange at a time.

use std::collections::VecDeque;

use fastrand::Rng;

use super::sizes::{self, Sizes};
use super::{Layout, Shape, text};
use crate::{ContentPart, Message, Role, ToolUse};

/// A message and its JSON.
pub(super) type Encoded<T> = (T, Vec<u8>);

/// Gives messages until their JSON fills what is left of the document.
#[derive(Debug)]
pub(super) struct Messages {
    rng: Rng,
    shape: Shape,
    layout: Layout,
    /// Bytes that may still be written.
    left: u64,
    calls: u64,
    pending: VecDeque<Encoded<Message>>,
}

/// Bytes between two elements, besides what stands before each.
const COMMA: u64 = 1;

impl Messages {
    pub(super) fn new(seed: u64, shape: Shape, layout: Layout, bytes: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            shape,
            layout,
            left: bytes,
            calls: 0,
            pending: VecDeque::new(),
        }
    }

    /// Returns the next message, or an error of its serialisation, which never happens for the
    /// messages made here.
    pub(super) fn step(&mut self) -> Result<Option<Encoded<Message>>, serde_json::Error> {
        if self.pending.is_empty() {
            self.refill()?;
        }
        Ok(self.pending.pop_front())
    }

    fn refill(&mut self) -> Result<(), serde_json::Error> {
        let around = self.layout.separators().before_each.len() as u64 + COMMA;
        let mut cost = 0;
        for message in self.exchange() {
            let json = self.layout.element(&message)?;
            cost += json.len() as u64 + around;
            self.pending.push_back((message, json));
        }
        if cost <= self.left {
            self.left -= cost;
            return Ok(());
        }
        self.pending.clear();
        let empty = self.layout.element(&Message::assistant(""))?.len() as u64 + around;
        if let Some(room @ 1..) = self.left.checked_sub(empty) {
            let mut filler = String::new();
            text::plain(
                &mut self.rng,
                &mut filler,
                usize::try_from(room).unwrap_or(usize::MAX),
            );
            let message = Message::assistant(filler);
            let json = self.layout.element(&message)?;
            self.pending.push_back((message, json));
        }
        self.left = 0;
        Ok(())
    }

    /// Makes messages that belong together, so that no tool call is cut off from its result.
    fn exchange(&mut self) -> Vec<Message> {
        match self.shape {
            Shape::TinyMessages => {
                let role = if self.rng.bool() {
                    Role::User
                } else {
                    Role::Assistant
                };
                let bytes = self.rng.usize(1..24);
                vec![Message::new(role, vec![self.text(bytes, text::plain)])]
            }
            Shape::Base64Images if self.rng.u8(..3) == 0 => {
                let bytes = self.draw(sizes::IMAGE);
                let mut url = String::from("data:image/png;base64,");
                text::base64(&mut self.rng, &mut url, bytes);
                let image = ContentPart::Image {
                    url,
                    mime_type: Some("image/png".to_owned()),
                    extra: crate::Extra::new(),
                };
                vec![Message::new(
                    Role::User,
                    vec![self.text(40, text::prose), image],
                )]
            }
            _ => self.turn(),
        }
    }

    fn turn(&mut self) -> Vec<Message> {
        let filler = self.filler();
        match self.rng.u8(..20) {
            0..2 => {
                let bytes = self.draw(sizes::TEXT);
                vec![Message::new(Role::User, vec![self.text(bytes, filler)])]
            }
            2..4 => {
                let bytes = self.draw(sizes::TEXT);
                vec![Message::new(
                    Role::Assistant,
                    vec![self.text(bytes, filler)],
                )]
            }
            _ => self.tool_turn(filler),
        }
    }

    fn tool_turn(&mut self, filler: Filler) -> Vec<Message> {
        let mut parts = Vec::new();
        if self.rng.u8(..10) < 4 {
            let mut thought = String::new();
            let bytes = self.draw(sizes::THINKING);
            filler(&mut self.rng, &mut thought, bytes);
            parts.push(ContentPart::thinking(thought));
        }
        if self.rng.u8(..10) < 3 {
            let bytes = self.draw(sizes::TEXT).min(4_000);
            parts.push(self.text(bytes, filler));
        }
        self.calls += 1;
        let id = format!("call_{:08x}{:04x}", self.calls, self.rng.u16(..));
        let bytes = self.draw(sizes::ARGUMENTS);
        let (name, arguments) = text::arguments(&mut self.rng, bytes);
        parts.push(ContentPart::tool_call(&id, name, arguments));

        let bytes = self.draw(sizes::TOOL_RESULT);
        let output = self.output();
        let mut result = String::new();
        output(&mut self.rng, &mut result, bytes);
        vec![
            Message::new(Role::Assistant, parts),
            Message::tool(id, result),
        ]
    }

    /// Draws a size that leaves room for what goes with it.
    fn draw(&mut self, sizes: Sizes) -> usize {
        let most = usize::try_from(self.left / 4).unwrap_or(usize::MAX);
        sizes.draw(&mut self.rng).min(most)
    }

    fn text(&mut self, bytes: usize, filler: Filler) -> ContentPart {
        let mut out = String::new();
        filler(&mut self.rng, &mut out, bytes);
        ContentPart::text(out)
    }

    /// Returns how what is said is written.
    fn filler(&self) -> Filler {
        match self.shape {
            Shape::EscapeDense => text::nested,
            Shape::Cjk => text::cjk,
            _ => text::prose,
        }
    }

    /// Returns how the next tool result is written.
    fn output(&mut self) -> Filler {
        match (self.shape, self.rng.u8(..20)) {
            (Shape::EscapeDense, _) => text::nested,
            (Shape::Cjk, _) => text::cjk,
            (_, 0..9) => text::code,
            (_, 9..14) => text::terminal,
            (_, 14..17) => text::json,
            _ => text::prose,
        }
    }
}

/// Appends about so many bytes of text.
type Filler = fn(&mut Rng, &mut String, usize);

/// Makes tool use number `index` of a session.
pub(super) fn tool_use(seed: u64, index: u64) -> ToolUse {
    let mut rng = Rng::with_seed(seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x746f_6f6c);
    let bytes = sizes::ARGUMENTS.draw(&mut rng).min(400);
    let (name, input) = text::arguments(&mut rng, bytes);
    let mut output = String::new();
    let bytes = sizes::TOOL_RESULT.draw(&mut rng).min(2_000);
    text::terminal(&mut rng, &mut output, bytes);
    let id = format!("use_{index:08x}");
    if rng.u8(..10) == 0 {
        ToolUse::failed(id, name, input, output)
    } else {
        ToolUse::succeeded(id, name, input, output)
    }
}
