//! The arguments, and the help that teaches them.
//!
//! Owns names, defaults and help texts; must not know what the commands do.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, CommandFactory as _, Parser, Subcommand, ValueEnum};
use session_store::{IndexKind, SessionId, SessionStore};

use crate::failure::Failure;
use crate::terminal::Terminal;

/// Sees, searches and keeps the sessions of AI coding agents.
#[derive(Debug, Parser)]
#[command(
    name = "sessions",
    version,
    after_help = "\
Start with `sessions list --all`, then `sessions show ID`.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 no such store or session,
4 damaged session, 5 somebody else is writing or has written, 130 interrupted."
)]
pub(crate) struct Args {
    /// One JSON value a line instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the sessions are.
#[derive(Debug, ClapArgs)]
pub(crate) struct Place {
    /// Directory of the sessions [default: `SESSIONS_DIR`, else `sessions` in the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Whose directory it is
    #[arg(long, global = true, value_enum, default_value = "own")]
    format: Format,
    /// Lets commands change a directory that belongs to another program
    #[arg(long, global = true)]
    write: bool,
}

/// Whose directory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// This library's
    Own,
    /// codetether-agent's, in place; nothing is written without --write
    Codetether,
}

impl Place {
    /// Opens the store that is there.
    pub(crate) fn open(&self) -> Result<SessionStore, Failure> {
        let dir = self.directory()?;
        match std::fs::metadata(&dir) {
            Ok(found) if found.is_dir() => self.open_at(dir),
            Ok(_) => Err(Failure::other(format!(
                "open {}: not a directory",
                dir.display()
            ))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Failure::not_found(format!(
                    "open {}: no sessions there; name a directory with --dir",
                    dir.display()
                )))
            }
            Err(error) => Err(Failure::other(format!("open {}: {error}", dir.display()))),
        }
    }

    /// Opens the store, which the first write creates.
    pub(crate) fn open_or_create(&self) -> Result<SessionStore, Failure> {
        self.open_at(self.directory()?)
    }

    fn open_at(&self, dir: PathBuf) -> Result<SessionStore, Failure> {
        let mut builder = SessionStore::builder(dir);
        if self.format == Format::Codetether {
            builder = builder.index(IndexKind::JsonMap);
            if !self.write {
                builder = builder.read_only();
            }
        }
        Ok(builder.open()?)
    }

    fn directory(&self) -> Result<PathBuf, Failure> {
        let named = || std::env::var_os("SESSIONS_DIR").filter(|dir| !dir.is_empty());
        if let Some(dir) = self.dir.clone().or_else(|| named().map(PathBuf::from)) {
            return Ok(dir);
        }
        if self.format == Format::Codetether {
            return Err(Failure::usage(
                "--format codetether needs --dir or SESSIONS_DIR",
            ));
        }
        etcetera::base_strategy::choose_native_strategy()
            .map(|base| etcetera::BaseStrategy::data_dir(&base).join("sessions"))
            .map_err(|_| Failure::usage("no home directory; name a directory with --dir"))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists sessions, newest first: those of this directory and below unless told otherwise
    List(List),
    /// Shows the end of the newest session of this directory
    Last(Last),
    /// Shows a session; tool calls are folded to a line
    Show(Show),
    /// Searches the text of all sessions; hits are printed as they are found
    Search(Search),
    /// Prints new messages as another process writes them, until Ctrl-C
    Follow(Follow),
    /// Where the bytes are: by session, role and tool; growth by month
    Stats,
    /// Judges every byte of a session, or of all, and says what is wrong and where
    Check {
        /// One session only; its tool calls are checked, too
        id: Option<SessionId>,
    },
    /// Makes a new session of what is whole in a damaged one; the damaged files go to quarantine, nothing is deleted
    Salvage { id: SessionId },
    /// Folds what was appended into the documents, so that other programs and backups see it
    Checkpoint {
        /// One session only
        id: Option<SessionId>,
    },
    /// Moves a session to the trash
    Delete {
        id: SessionId,
        /// For good, not to the trash
        #[arg(long)]
        erase: bool,
    },
    /// Brings the latest deleted session of this id back
    Restore { id: SessionId },
    /// Lists or empties the trash
    Trash(Trash),
    /// Moves sessions to a directory that was renamed; shows what it would do unless --apply is given
    Rebind(Rebind),
    /// Moves old sessions to the trash; shows what it would do unless --apply is given
    ///
    /// A session that cannot be read is never pruned.
    Prune(Prune),
    /// Reads transcripts of Codex, Claude Code, Gemini and codetether into the store
    Import {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Replaces sessions that are there already
        #[arg(long)]
        overwrite: bool,
    },
    /// Writes a session to standard output as one document
    Export {
        id: SessionId,
        /// json, markdown or html
        #[arg(long = "as", default_value = "markdown", value_name = "FORMAT")]
        document: String,
    },
    /// Prints completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct List {
    /// Sessions of this directory and below, instead of the current one
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    /// Sessions of all directories
    #[arg(long, conflicts_with = "workspace")]
    pub(crate) all: bool,
    /// Only titles that contain this
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Only sessions of this agent
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
    /// Goes on where a listing stopped: the cursor that it printed
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Last {
    /// The directory, instead of the current one
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    /// How many messages
    #[arg(long, default_value_t = 5)]
    pub(crate) tail: usize,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Show {
    pub(crate) id: SessionId,
    /// Only the last messages
    #[arg(long, value_name = "N", conflicts_with = "page")]
    pub(crate) tail: Option<usize>,
    /// Messages A up to but without B, counted from 0
    #[arg(long, value_name = "A..B")]
    pub(crate) page: Option<String>,
    /// The JSON as it is kept, nothing folded or stripped
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Search {
    pub(crate) pattern: String,
    /// The pattern is a regular expression
    #[arg(long, short = 'e')]
    pub(crate) regex: bool,
    /// Upper and lower case are the same
    #[arg(long, short = 'i')]
    pub(crate) ignore_case: bool,
    /// Sessions of this directory only
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    /// At most this many hits
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Follow {
    pub(crate) id: SessionId,
    /// First the last messages that are there
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) tail: u64,
    /// Ends after this many messages
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Trash {
    #[command(subcommand)]
    pub(crate) command: Option<TrashCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrashCommand {
    /// Erases what was deleted long ago
    Empty {
        /// Such as 30d, 12h, 2w
        #[arg(long, value_name = "AGE", value_parser = parse_age)]
        older_than: Duration,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Rebind {
    pub(crate) from: PathBuf,
    pub(crate) to: PathBuf,
    /// Does it
    #[arg(long)]
    pub(crate) apply: bool,
}

#[derive(Debug, ClapArgs)]
#[command(group(clap::ArgGroup::new("rule").required(true).multiple(true)))]
pub(crate) struct Prune {
    /// Sessions not changed for this long, such as 90d
    #[arg(long, value_name = "AGE", value_parser = parse_age, group = "rule")]
    pub(crate) older_than: Option<Duration>,
    /// All but this many newest
    #[arg(long, value_name = "N", group = "rule")]
    pub(crate) keep: Option<usize>,
    /// The oldest, until the rest is at most this many bytes
    #[arg(long, value_name = "BYTES", group = "rule")]
    pub(crate) max_bytes: Option<u64>,
    /// Never this session; may be given more than once
    #[arg(long, value_name = "ID")]
    pub(crate) pin: Vec<SessionId>,
    /// Shows what it would do; this is the default
    #[arg(long, conflicts_with = "apply")]
    pub(crate) plan: bool,
    /// Does it
    #[arg(long)]
    pub(crate) apply: bool,
}

/// Reads `30d`, `12h`, `2w`, `45m` or `10s`.
fn parse_age(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number and one of s, m, h, d, w, such as 30d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// Prints completions.
pub(crate) fn completions(
    shell: clap_complete::Shell,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "sessions", &mut script);
    terminal.bytes(&script)
}
