//! What is done to a store while it is being broken: scenarios of a few steps, each told before and after.
//!
//! Owns the steps and what each makes of the session; must not know how anything is broken or looked at afterwards.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use session_store::{Append, Durability, Error, Message, Session, SessionId, SessionStore, Writer};

pub(crate) use super::event::{Event, State};

/// The session that is worked on.
pub(crate) const SUBJECT: &str = "subject";
/// One that nobody touches.
pub(crate) const BYSTANDER: &str = "bystander";
/// One that is in the subject's workspace in some scenarios.
const RIVAL: &str = "rival";
/// The workspace of the subject: a directory that every system has, so that nothing else is asked for.
pub(crate) const WORKSPACE: &str = "/";

/// Enough of a message for a document of several pages.
const TURN_BYTES: usize = 3000;
/// Enough for a journal that is folded by itself.
const LARGE_BYTES: usize = 1_100_000;
/// The bytes from which on a journal is folded by itself: fewer than a large append has.
const FOLD_FROM: u64 = 1 << 20;

/// One call of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Save,
    Overwrite,
    Append,
    AppendLarge,
    WriterAppend,
    WriterClose,
    Checkpoint,
    Delete,
    Trash,
    Restore,
    EmptyTrash,
    /// Another session becomes the newest of the subject's workspace, and lookups prove it.
    Rival,
}

/// A row of steps, on a store that others have prepared.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) prepare: &'static [Step],
    pub(crate) steps: &'static [Step],
}

/// Everything that changes a session, each on what changes how it is done: nothing, a document, a journal beside it.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "save-new",
        prepare: &[],
        steps: &[Step::Save, Step::Save, Step::Overwrite],
    },
    Scenario {
        name: "save-over-journal",
        prepare: &[Step::Save, Step::Append],
        steps: &[Step::Save, Step::Append, Step::Overwrite],
    },
    Scenario {
        name: "append",
        prepare: &[Step::Save],
        steps: &[Step::Append, Step::Append, Step::Append],
    },
    Scenario {
        name: "append-to-older",
        prepare: &[Step::Save, Step::Rival],
        steps: &[Step::Append, Step::Rival, Step::WriterAppend],
    },
    Scenario {
        name: "append-folds",
        prepare: &[Step::Save, Step::Append],
        steps: &[Step::AppendLarge, Step::Append],
    },
    Scenario {
        name: "writer",
        prepare: &[Step::Save],
        steps: &[
            Step::WriterAppend,
            Step::WriterAppend,
            Step::WriterAppend,
            Step::WriterClose,
            Step::Append,
        ],
    },
    Scenario {
        name: "compact",
        prepare: &[Step::Save, Step::Append, Step::Append],
        steps: &[Step::Checkpoint, Step::Append, Step::Checkpoint],
    },
    Scenario {
        name: "delete",
        prepare: &[Step::Save],
        steps: &[Step::Delete, Step::Save],
    },
    Scenario {
        name: "delete-with-journal",
        prepare: &[Step::Save, Step::Append],
        steps: &[Step::Delete],
    },
    Scenario {
        name: "trash-restore",
        prepare: &[Step::Save, Step::Append],
        steps: &[Step::Trash, Step::Restore, Step::Trash, Step::EmptyTrash],
    },
];

/// A store in the middle of a scenario.
struct Runner {
    store: SessionStore,
    id: SessionId,
    writer: Option<Writer>,
    state: State,
}

/// Fills a directory with what a scenario starts from, and returns what that is.
pub(crate) fn prepare(dir: &Path, scenario: &Scenario) -> Result<State> {
    let mut runner = Runner::open(dir, Durability::Full, State::default())?;
    let mut bystander = Session::new(SessionId::new(BYSTANDER)?, "/usr");
    bystander.push(Message::user("turn 0 "));
    runner.store.save(&bystander)?;
    for step in scenario.prepare {
        let next = after(runner.state, *step);
        runner
            .take(*step, next)
            .with_context(|| format!("prepare {}", scenario.name))?;
        runner.state = next;
    }
    Ok(runner.state)
}

/// Runs the steps of a scenario. A step that fails is tried once more; if that fails too, this is the end.
pub(crate) fn run(
    dir: &Path,
    scenario: &Scenario,
    durability: Durability,
    from: State,
    tell: &mut dyn FnMut(Event),
) -> Result<()> {
    let mut runner = match Runner::open(dir, durability, from) {
        Ok(runner) => runner,
        Err(_) => Runner::open(dir, durability, from)?,
    };
    for step in scenario.steps {
        let next = after(runner.state, *step);
        for last in [false, true] {
            tell(Event::Try(next));
            let event = match runner.take(*step, next) {
                Ok(()) => Event::Ack(next),
                Err(Error::NotDurable { .. }) => Event::Visible(next),
                Err(_) => Event::Failed(runner.state),
            };
            tell(event);
            match event {
                Event::Failed(_) if last => return Ok(()),
                Event::Failed(_) => {}
                _ => {
                    runner.state = next;
                    break;
                }
            }
        }
    }
    Ok(())
}

/// What a step makes of a session.
pub(crate) fn after(state: State, step: Step) -> State {
    let State { live, trashed } = state;
    let longer = Some(live.unwrap_or(0) + 1);
    match step {
        Step::Save | Step::Overwrite | Step::Append | Step::AppendLarge | Step::WriterAppend => {
            State {
                live: longer,
                trashed,
            }
        }
        Step::Checkpoint | Step::WriterClose | Step::Rival => state,
        Step::Delete => State {
            live: None,
            trashed,
        },
        Step::Trash => State {
            live: None,
            trashed: live,
        },
        Step::Restore => State {
            live: trashed,
            trashed: None,
        },
        Step::EmptyTrash => State {
            live,
            trashed: None,
        },
    }
}

impl Runner {
    fn open(dir: &Path, durability: Durability, state: State) -> Result<Self> {
        let store = SessionStore::builder(dir)
            .durability(durability)
            .fold_from(FOLD_FROM)
            .lock_wait(Duration::from_millis(100))
            .threads(1)
            .reads_in_flight(1)
            .open()?;
        Ok(Self {
            store,
            id: SessionId::new(SUBJECT)?,
            writer: None,
            state,
        })
    }

    fn take(&mut self, step: Step, next: State) -> Result<(), Error> {
        let (store, id) = (&self.store, &self.id);
        if step != Step::WriterAppend && step != Step::WriterClose {
            self.writer = None;
        }
        match step {
            Step::Save | Step::Overwrite => {
                let session = self.grown(next.live.unwrap_or(0))?;
                if step == Step::Save {
                    store.save(&session)?;
                } else {
                    store.overwrite(&session)?;
                }
            }
            Step::Append => drop(store.append(id, &turn(self.state, TURN_BYTES))?),
            Step::AppendLarge => drop(store.append(id, &turn(self.state, LARGE_BYTES))?),
            Step::WriterAppend => {
                let writer = match &mut self.writer {
                    Some(writer) => writer,
                    None => self.writer.insert(store.writer(id)?),
                };
                writer.append(&turn(self.state, TURN_BYTES))?;
            }
            Step::WriterClose => match self.writer.take() {
                Some(writer) => writer.close()?,
                None => drop(store.checkpoint(id)?),
            },
            Step::Checkpoint => drop(store.checkpoint(id)?),
            Step::Delete => drop(store.delete(id)?),
            Step::Trash => drop(store.trash(id)?),
            Step::Restore => drop(store.restore(id)?),
            Step::EmptyTrash => drop(store.empty_trash(Duration::ZERO)?),
            Step::Rival => {
                let mut rival = Session::new(SessionId::new(RIVAL)?, WORKSPACE);
                rival.push(message(0, 1));
                rival.touch(SystemTime::now().into());
                store.overwrite(&rival)?;
                store.last_for_directory(Some(WORKSPACE.as_ref()))?;
            }
        }
        Ok(())
    }

    /// The session as it is, with as many messages as it is to have.
    fn grown(&self, messages: usize) -> Result<Session, Error> {
        let mut session = match self.store.load(&self.id) {
            Ok(session) => session,
            Err(error) if error.is_not_found() => Session::new(self.id.clone(), WORKSPACE),
            Err(error) => return Err(error),
        };
        for n in session.messages.len()..messages {
            session.push(message(n, TURN_BYTES));
        }
        session.touch(SystemTime::now().into());
        Ok(session)
    }
}

fn turn(state: State, bytes: usize) -> Append {
    let message = message(state.live.unwrap_or(0), bytes);
    // A message of this tool's own always has a text in JSON.
    Append::new().message(&message).unwrap_or_default()
}

fn message(n: usize, bytes: usize) -> Message {
    Message::user(format!("turn {n} {}", "x".repeat(bytes)))
}
