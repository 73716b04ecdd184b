//! A case: one operation on one data set, with everybody who can do it.
//!
//! Owns what the suite needs to know of a case before and while it runs; must not know any operation.

use std::fmt;

use anyhow::Result;
use tempfile::TempDir;

use crate::data::Data;
use crate::method::Contender;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scale {
    /// Under three minutes in all: sizes to 10 MB and 1,000 files.
    Quick,
    /// Sizes to 1 GB and 10,000 files.
    Full,
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// All contenders.
    All,
    /// Only ours, to be looked at by a tracer.
    Ours,
}

/// What a case needs to set itself up.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The data sets.
    pub data: Data,
    /// Who takes part.
    pub field: Field,
}

/// A case that is ready to run.
#[derive(Debug, Default)]
pub struct Setup {
    /// Who runs, in this order.
    pub contenders: Vec<Contender>,
    /// What a reader should know of the numbers.
    pub notes: Vec<String>,
    /// Directories that live as long as the case.
    pub scratch: Vec<TempDir>,
}

impl Setup {
    /// A case that writes nothing.
    #[must_use]
    pub fn of(contenders: Vec<Contender>) -> Self {
        Self {
            contenders,
            ..Self::default()
        }
    }

    /// Keeps a directory until the case is over.
    #[must_use]
    pub fn keeping(mut self, scratch: TempDir) -> Self {
        self.scratch.push(scratch);
        self
    }

    /// Adds a remark.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

type Build = Box<dyn Fn(&Bench) -> Result<Setup>>;

/// Whether a case can run.
pub enum Plan {
    /// It can, set up like this.
    Built(Build),
    /// The operation does not exist yet; the issue says which builds it.
    NotBuilt {
        /// The number of the issue.
        issue: u32,
    },
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Built(_) => f.write_str("Built"),
            Self::NotBuilt { issue } => write!(f, "NotBuilt({issue})"),
        }
    }
}

/// The place of a case in a family that does the same to growing data.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// The operation.
    pub family: String,
    /// The size: bytes, files or workspaces.
    pub size: f64,
}

/// What a case needs beyond its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trait {
    /// Nothing.
    #[default]
    Ordinary,
    /// The page cache is emptied before each run, which only root can do.
    Cold,
    /// Little but computing, so that counting instructions says something.
    Kernel,
}

/// One operation on one data set.
#[derive(Debug)]
pub struct Case {
    /// Operation, variant and size, such as `tail/plain/200/10MB`; no other case has it.
    pub name: String,
    /// What the data is like.
    pub shape: String,
    /// What it needs.
    pub needs: Trait,
    /// Its family, if its cost against size is asked for.
    pub growth: Option<Growth>,
    /// How to run it.
    pub plan: Plan,
}

impl Case {
    /// A case that runs.
    #[must_use]
    pub fn built(
        name: impl Into<String>,
        shape: impl Into<String>,
        build: impl Fn(&Bench) -> Result<Setup> + 'static,
    ) -> Self {
        let plan = Plan::Built(Box::new(build));
        Self {
            name: name.into(),
            shape: shape.into(),
            needs: Trait::Ordinary,
            growth: None,
            plan,
        }
    }

    /// A case whose operation an issue will build.
    #[must_use]
    pub fn not_built(name: impl Into<String>, shape: impl Into<String>, issue: u32) -> Self {
        let plan = Plan::NotBuilt { issue };
        Self {
            name: name.into(),
            shape: shape.into(),
            needs: Trait::Ordinary,
            growth: None,
            plan,
        }
    }

    /// Puts the case into a family, at a size.
    #[must_use]
    pub fn grows(mut self, family: impl Into<String>, size: f64) -> Self {
        self.growth = Some(Growth {
            family: family.into(),
            size,
        });
        self
    }

    /// Says what the case needs.
    #[must_use]
    pub fn needs(mut self, needs: Trait) -> Self {
        self.needs = needs;
        self
    }

    /// The operation: the name up to its first slash.
    #[must_use]
    pub fn group(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }
}
