//! Owns what a caller may ask of the generator. Writes only to what it is given.

use std::io::{self, Write};
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;

use super::layout::Separators;
use super::stream::{Messages, tool_use};
use super::text;
use crate::{Session, SessionId, Usage};

/// What the messages of a generated session are like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// As measured: heavy-tailed sizes, tool calls, code, colours.
    #[default]
    Realistic,
    /// Messages of a few bytes, so that there are very many.
    TinyMessages,
    /// JSON in JSON in JSON, so that half of all bytes are backslashes.
    EscapeDense,
    /// Realistic with images in `data:` URLs, which hold nearly all bytes.
    Base64Images,
    /// Realistic sizes in Chinese and Japanese characters.
    Cjk,
}

/// How a generated document is laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// As this crate writes a session: one line, `metadata` before `messages`.
    #[default]
    Compact,
    /// As older programs wrote it: indented by two spaces, `metadata` last.
    OlderPretty,
}

/// Makes a session, the same one for the same settings.
///
/// ```
/// use session_model::Session;
/// use session_model::testing::{Generator, Layout};
///
/// let generator = Generator::new(7).bytes(20_000).layout(Layout::OlderPretty);
/// let mut json = Vec::new();
/// let written = generator.write_to(&mut json)?;
/// assert_eq!(written, json.len() as u64);
/// assert_eq!(serde_json::from_slice::<Session>(&json)?, generator.session());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a generator does nothing until it is asked for a session"]
pub struct Generator {
    seed: u64,
    bytes: u64,
    id: SessionId,
    directory: Option<PathBuf>,
    updated_at: DateTime<Utc>,
    shape: Shape,
    layout: Layout,
    tool_uses: u64,
}

impl Generator {
    /// Makes a generator of a realistic session of about 64 KB; seeds give ids that differ.
    ///
    /// # Panics
    ///
    /// Never: the id it makes is valid.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let text = format!("{seed:016x}-{:04x}-{:08x}", rng.u16(..), rng.u32(..));
        #[expect(
            clippy::expect_used,
            reason = "hexadecimal digits and hyphens make a valid id"
        )]
        let id = SessionId::new(&text).expect("a valid id");
        let begin =
            DateTime::from_timestamp(1_767_600_000, rng.u32(..1_000_000_000)).unwrap_or_default();
        Self {
            seed,
            bytes: 64 << 10,
            id,
            directory: Some(PathBuf::from("/home/user/work/app")),
            updated_at: begin + TimeDelta::minutes(rng.i64(1..200_000)),
            shape: Shape::default(),
            layout: Layout::default(),
            tool_uses: 0,
        }
    }

    /// Sets the size of the document; it is met within a hundred bytes from 2 KB on.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the id.
    pub fn id(mut self, id: SessionId) -> Self {
        self.id = id;
        self
    }

    /// Sets the directory.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Makes the session belong to no directory.
    pub fn without_directory(mut self) -> Self {
        self.directory = None;
        self
    }

    /// Sets when the session was last added to; it was begun an hour before.
    pub fn updated_at(mut self, at: DateTime<Utc>) -> Self {
        self.updated_at = at;
        self
    }

    /// Sets what messages are like.
    pub fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Sets how the document is laid out. The session depends on it a little, because an indented
    /// document of the same size holds fewer messages.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Sets the number of tool uses, 0 by default as in real documents; they count to the size.
    pub fn tool_uses(mut self, count: u64) -> Self {
        self.tool_uses = count;
        self
    }

    /// Makes the session as a value.
    ///
    /// # Panics
    ///
    /// If the settings cannot be written as JSON: a time whose year is not 0 to 9999.
    ///
    /// # Memory
    ///
    /// As much as the document; [`Generator::write_to`] needs only one exchange.
    #[must_use]
    #[expect(clippy::expect_used, reason = "documented panic of a test helper")]
    pub fn session(&self) -> Session {
        let mut session = self.empty();
        let mut messages = self.messages().expect("settings that can be written");
        while let Some((message, _)) = messages.step().expect("a message that can be written") {
            session.push(message);
        }
        for index in 0..self.tool_uses {
            session.push_tool_use(tool_use(self.seed, index));
        }
        session
    }

    /// Writes the document of [`Generator::session`] piece by piece, and returns its size.
    ///
    /// # Errors
    ///
    /// What `out` says, and `InvalidData` if the settings cannot be written as JSON.
    ///
    /// # Memory
    ///
    /// One exchange, whatever the size of the document.
    pub fn write_to<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<u64> {
        let mut out = Counted {
            inner: out,
            written: 0,
        };
        let frame = self.layout.frame(&self.empty())?;
        let separators = self.layout.separators();

        out.write_all(frame.head.as_bytes())?;
        let mut messages = self.messages()?;
        let mut array = Array::new(separators);
        while let Some((_, json)) = messages.step()? {
            array.element(&mut out, &json)?;
        }
        array.end(&mut out)?;

        out.write_all(frame.middle.as_bytes())?;
        let mut array = Array::new(separators);
        for index in 0..self.tool_uses {
            array.element(&mut out, &self.layout.element(&tool_use(self.seed, index))?)?;
        }
        array.end(&mut out)?;

        out.write_all(frame.tail.as_bytes())?;
        Ok(out.written)
    }

    /// Makes everything but the arrays.
    fn empty(&self) -> Session {
        let mut session = Session::without_directory(self.id.clone())
            .with_agent("build")
            .with_model("provider/model-4");
        session.metadata.directory.clone_from(&self.directory);
        let mut title = String::new();
        text::prose(&mut Rng::with_seed(!self.seed), &mut title, 30);
        session.title = Some(title);
        session.created_at = Some(self.updated_at - TimeDelta::hours(1));
        session.updated_at = Some(self.updated_at);
        session.usage = Usage::new(self.bytes / 3, self.bytes / 40);
        session
    }

    /// Begins the messages, whose size is what the rest of the document leaves.
    fn messages(&self) -> Result<Messages, serde_json::Error> {
        let frame = self.layout.frame(&self.empty())?;
        let around = self.layout.separators();
        let mut rest = frame.head.len() + frame.middle.len() + frame.tail.len();
        rest += around.after_last.len();
        if self.tool_uses > 0 {
            rest += around.after_last.len();
        }
        let mut rest = rest as u64;
        for index in 0..self.tool_uses {
            let json = self.layout.element(&tool_use(self.seed, index))?;
            rest += (json.len() + around.before_each.len() + 1) as u64;
        }
        let left = self.bytes.saturating_sub(rest);
        Ok(Messages::new(self.seed, self.shape, self.layout, left))
    }
}

/// Writes the inside of an array.
struct Array {
    separators: Separators,
    empty: bool,
}

impl Array {
    fn new(separators: Separators) -> Self {
        Self {
            separators,
            empty: true,
        }
    }

    fn element(&mut self, out: &mut impl Write, json: &[u8]) -> io::Result<()> {
        if !std::mem::replace(&mut self.empty, false) {
            out.write_all(b",")?;
        }
        out.write_all(self.separators.before_each.as_bytes())?;
        out.write_all(json)
    }

    fn end(self, out: &mut impl Write) -> io::Result<()> {
        if self.empty {
            return Ok(());
        }
        out.write_all(self.separators.after_last.as_bytes())
    }
}

/// Counts what is written.
struct Counted<'a, W: ?Sized> {
    inner: &'a mut W,
    written: u64,
}

impl<W: Write + ?Sized> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
