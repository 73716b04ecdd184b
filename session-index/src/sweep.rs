//! Which pointers a sweep takes away. Any may go, as a missing one is unknown; those that were worth most stay.

use std::io;

use crate::Error;
use crate::epoch::Epoch;
use crate::key::{self, Key};
use crate::pointer_file::{LIMIT, names_session};
use crate::storage::IndexStorage;

/// How many pointers are removed at once.
const AT_ONCE: usize = 1024;

/// The names of all pointers but that of all workspaces.
pub(crate) fn pointers(storage: &impl IndexStorage) -> Result<Vec<String>, Error> {
    let mut names = (storage.names()).map_err(|source| Error::io("list", "index", source))?;
    let all = Key::All.name();
    names.retain(|name| name.ends_with(key::ENDING) && *name != all);
    Ok(names)
}

/// Removes all pointers but those that name a session in this epoch, or all where more than `most` would stay.
///
/// Of those, 1,024 at most: the caller holds the lock, and others wait for it.
pub(crate) fn sweep(
    storage: &impl IndexStorage,
    epoch: Option<Epoch>,
    most: usize,
) -> Result<(), Error> {
    let is_worth_it = |name: &String| {
        let bytes = storage.read(name, LIMIT).ok().flatten();
        bytes
            .zip(epoch)
            .is_some_and(|(bytes, epoch)| names_session(&bytes, epoch))
    };
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    for name in pointers(storage)? {
        if gone.len() == AT_ONCE {
            break;
        }
        let names = if is_worth_it(&name) {
            &mut kept
        } else {
            &mut gone
        };
        names.push(name);
    }
    if kept.len() > most {
        let room = AT_ONCE - gone.len();
        gone.extend(kept.into_iter().take(room));
    }
    let remove = |name: &String| -> io::Result<()> { storage.remove(name).map(drop) };
    let mut swept = Ok(());
    for name in gone {
        swept = swept.and(remove(&name).map_err(|source| Error::io("remove", &name, source)));
    }
    swept
}
