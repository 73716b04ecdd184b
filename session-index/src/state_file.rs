//! The bytes of the state: which stamp of the watched directory the pointers of which epoch belong to. Knows no storage.

use std::fmt::Write;

use crate::epoch::Epoch;
use crate::seal::{seal, unseal};
use crate::stamp::Stamp;

/// The name of the state in the storage; no pointer has it.
pub(crate) const NAME: &str = "state";

/// The longest state that is read: three times what the numbers can take.
pub(crate) const LIMIT: usize = 1024;

const TITLE: &str = "session-index state ";
const VERSION: &str = "1";

/// Which workspaces have a pointer of the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Those that were asked for or changed.
    #[default]
    Some,
    /// Every workspace that had a session when somebody last looked at all of them.
    All,
}

/// What the pointers of an epoch are true of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) stamp: Stamp,
    pub(crate) epoch: Epoch,
    pub(crate) scope: Scope,
}

/// Writes a state.
pub(crate) fn encode(state: &State) -> Vec<u8> {
    let Stamp {
        boot,
        device,
        inode,
        modified,
        changed,
    } = state.stamp;
    let mut text = String::with_capacity(256);
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{TITLE}{VERSION}\nboot {boot:032x}\ndevice {device}\ninode {inode}\n\
         modified {modified}\nchanged {changed}\nepoch {}\nscope {}\n",
        state.epoch,
        match state.scope {
            Scope::Some => "some",
            Scope::All => "all",
        }
    );
    seal(text)
}

/// Reads a state; whatever does not verify is none.
pub(crate) fn decode(bytes: &[u8]) -> Option<State> {
    let body = unseal(TITLE, VERSION, bytes).ok()?;
    let mut lines = body.split('\n').skip(1);
    let mut line = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    let state = State {
        stamp: Stamp {
            boot: u128::from_str_radix(line("boot")?, 16).ok()?,
            device: line("device")?.parse().ok()?,
            inode: line("inode")?.parse().ok()?,
            modified: line("modified")?.parse().ok()?,
            changed: line("changed")?.parse().ok()?,
        },
        epoch: Epoch::parse(line("epoch")?)?,
        scope: match line("scope")? {
            "some" => Scope::Some,
            "all" => Scope::All,
            _ => return None,
        },
    };
    // There is one spelling for each content.
    (encode(&state) == bytes).then_some(state)
}
