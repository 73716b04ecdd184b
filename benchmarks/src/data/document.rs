//! One session document of a size and shape, and where its messages begin.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use session_codec::{Amendment, Codec};
use session_model::testing::{Generator, Layout, Shape};
use session_model::{Session, SessionId, SessionRecord};

use super::Data;
use super::split::{Kind, split};

/// The id of every single document.
pub const ID: &str = "session";

/// What document is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// What its messages are like.
    pub shape: Shape,
    /// How it is laid out.
    pub layout: Layout,
    /// Its size, within a few per cent.
    pub bytes: u64,
}

impl Spec {
    /// A document of realistic messages as the store writes it.
    #[must_use]
    pub fn realistic(bytes: u64) -> Self {
        Self {
            shape: Shape::Realistic,
            layout: Layout::Compact,
            bytes,
        }
    }

    /// The name of the shape.
    #[must_use]
    pub fn shape_name(&self) -> &'static str {
        match self.shape {
            Shape::TinyMessages => "tiny-messages",
            Shape::EscapeDense => "escape-dense",
            Shape::Base64Images => "base64-images",
            Shape::Cjk => "cjk",
            _ => "realistic",
        }
    }

    fn generator(&self) -> Generator {
        let id =
            SessionId::new(ID).unwrap_or_else(|_| unreachable!("a constant that is a valid id"));
        Generator::new(1)
            .id(id)
            .shape(self.shape)
            .layout(self.layout)
            .bytes(self.bytes)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = if self.layout == Layout::OlderPretty {
            "older"
        } else {
            "compact"
        };
        write!(f, "{}-{}-{layout}", self.shape_name(), Size(self.bytes))
    }
}

/// A size as people say it: `100KB`, `1MB`, `1GB`, in powers of ten.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1_000_000_000 => write!(f, "{}GB", bytes / 1_000_000_000),
            bytes if bytes >= 1_000_000 => write!(f, "{}MB", bytes / 1_000_000),
            bytes => write!(f, "{}KB", bytes / 1_000),
        }
    }
}

/// A document on disk, alone in its directory.
#[derive(Clone, Debug)]
pub struct Document {
    /// The directory, which a store can open.
    pub directory: PathBuf,
    /// The file.
    pub path: PathBuf,
    /// The size of the file.
    pub bytes: u64,
    /// Where each message begins, and after them where the last one ends; empty for the older layout.
    pub offsets: Vec<u64>,
}

impl Document {
    /// How many messages there are.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The byte range that holds the last `window` messages.
    #[must_use]
    pub fn window(&self, window: usize) -> (u64, u64) {
        let first = self.messages().saturating_sub(window);
        let at = |index: usize| self.offsets.get(index).copied().unwrap_or(0);
        (at(first), at(self.messages()))
    }

    /// The fewest last messages that have at least so many bytes.
    #[must_use]
    pub fn window_of(&self, bytes: u64) -> usize {
        let end = self.offsets.last().copied().unwrap_or(0);
        let first = self
            .offsets
            .partition_point(|&at| at.saturating_add(bytes) <= end);
        (self.offsets.len() - first).min(self.messages())
    }

    /// Where the first message begins, so that what is before it is the head of the document.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.offsets.first().copied().unwrap_or(0)
    }

    /// The id of the session.
    ///
    /// # Panics
    ///
    /// Never: the id is a constant that is valid.
    #[must_use]
    pub fn id(&self) -> SessionId {
        SessionId::new(ID).unwrap_or_else(|_| unreachable!("a constant that is a valid id"))
    }
}

impl Data {
    /// Returns a document, generated if it is not there yet.
    ///
    /// # Errors
    ///
    /// What the generator or the file system says.
    pub fn document(&self, spec: &Spec) -> Result<Document> {
        let made = self.directory(&format!("documents/{spec}"), |made| {
            let directory = made.join("sessions");
            fs::create_dir(&directory)?;
            let path = directory.join(format!("{ID}.json"));
            let mut out = BufWriter::with_capacity(1 << 18, File::create(&path)?);
            spec.generator().write_to(&mut out)?;
            out.flush()?;
            if spec.layout == Layout::Compact {
                fs::write(made.join("offsets"), encode(&offsets(&path)?))?;
            }
            Ok(())
        })?;
        let directory = made.join("sessions");
        let path = directory.join(format!("{ID}.json"));
        let bytes = fs::metadata(&path)
            .with_context(|| format!("stat {}", path.display()))?
            .len();
        let offsets = match spec.layout {
            Layout::Compact => decode(&fs::read(made.join("offsets")).context("read offsets")?),
            _ => Vec::new(),
        };
        Ok(Document {
            directory,
            path,
            bytes,
            offsets,
        })
    }
}

impl Data {
    /// Returns a document as the store writes it: the bytes of the plain one, and a footer.
    ///
    /// # Errors
    ///
    /// What the codec or the file system says.
    pub fn marked(&self, spec: &Spec) -> Result<Document> {
        let plain = self.document(spec)?;
        let made = self.directory(&format!("documents/{spec}-marked"), |made| {
            let directory = made.join("sessions");
            fs::create_dir(&directory)?;
            let path = directory.join(format!("{ID}.json"));
            let mut out = BufWriter::with_capacity(1 << 18, File::create(&path)?);
            // The depth that a store allows: a footer promises no more than its writer checked.
            let limits = session_codec::Limits::default().depth(100);
            let codec = Codec::new().limits(limits).marks(Session::CAPPED);
            codec.amend(&File::open(&plain.path)?, &Amendment::new(), &mut out)?;
            out.flush()?;
            Ok(())
        })?;
        let directory = made.join("sessions");
        let path = directory.join(format!("{ID}.json"));
        let bytes = fs::metadata(&path)
            .with_context(|| format!("stat {}", path.display()))?
            .len();
        Ok(Document {
            directory,
            path,
            bytes,
            offsets: plain.offsets,
        })
    }
}

/// Where the messages of a compact document begin, and where the last one ends.
fn offsets(path: &Path) -> Result<Vec<u64>> {
    let mut lengths = Vec::new();
    split(File::open(path)?, |kind, text| {
        if kind == Kind::Message {
            lengths.push(u64::try_from(text.len())?);
        }
        Ok(())
    })?;
    let mut head = vec![0; 64 << 10];
    let read = std::io::Read::read(&mut File::open(path)?, &mut head)?;
    let start = b"\"messages\":[";
    let first = memchr::memmem::find(&head[..read], start).context("find messages in the head")?
        + start.len();
    let mut next = u64::try_from(first)?;
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    for length in lengths {
        offsets.push(next);
        next += length + 1;
    }
    ensure!(!offsets.is_empty(), "the document has no messages");
    // After the last message there is no comma.
    offsets.push(next - 1);
    Ok(offsets)
}

fn encode(offsets: &[u64]) -> Vec<u8> {
    offsets
        .iter()
        .flat_map(|offset| offset.to_le_bytes())
        .collect()
}

fn decode(bytes: &[u8]) -> Vec<u64> {
    bytes
        .as_chunks::<8>()
        .0
        .iter()
        .map(|chunk| u64::from_le_bytes(*chunk))
        .collect()
}
