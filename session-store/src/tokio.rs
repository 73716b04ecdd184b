//! The store for asynchronous programs: its calls as futures, and any others through [`run`](SessionStore::run) and
//! [`change`](SessionStore::change), off the threads that drive futures.
//!
//! Owns how a blocking call is run and what becomes of it when nobody waits for it any more. Must not know what a call
//! does: each runs whole, in one closure on a thread for blocking work.
//!
//! # Cancellation
//!
//! Dropping a future never leaves half a change. A call that has not begun, as it still waits for its turn, does not begin;
//! one that has begun runs to its end. Changes through one value of [`SessionStore`] or [`Writer`] begin in the order in
//! which they were first polled, each after the one before has ended, whether somebody waited for that or not: so a save
//! that was given up is never made after a later one. A runtime that is shut down drops what has not begun, and
//! waits for what has, if it is dropped and not [shut down in the background](::tokio::runtime::Runtime::shutdown_background).
//!
//! ```
//! use session_store::tokio::SessionStore;
//! use session_store::{Append, Message, Session, SessionId, Window};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! # let scratch = tempfile::tempdir()?;
//! let store = SessionStore::open(scratch.path().join("sessions")).await?;
//! let session = Session::new(SessionId::new("first")?, "/home/me/project");
//! let id = session.id.clone();
//! store.save(session).await?;
//!
//! let writer = store.writer(&id).await?;
//! writer.append(Append::new().message(&Message::user("Why does the test fail?"))?).await?;
//! writer.close().await?;
//!
//! let tail = store.load_tail(&id, Window::last(1)).await?;
//! assert_eq!(tail.messages.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::tokio::sync::{Mutex, OwnedMutexGuard};
use ::tokio::task::spawn_blocking;
use session_model::{Session, SessionRecord};

use crate::{Builder, Error, SessionStore as Blocking};

mod change;
mod find;
mod hits;
mod repair;
mod trash;
mod writer;

pub use hits::Hits;
pub use writer::Writer;

/// A [`SessionStore`](crate::SessionStore) whose calls are futures; see [the module](self) for what becomes of one that is
/// dropped.
///
/// As with the store below it, one value is one handle: a clone shares the directory and has seen nothing yet. What is not
/// here is reached by [`run`](Self::run).
pub struct SessionStore<S: SessionRecord = Session> {
    store: Arc<Blocking<S>>,
    /// Held by a change from before it begins until it has ended.
    turn: Arc<Mutex<()>>,
}

impl SessionStore<Session> {
    /// Opens the sessions of a directory; see [`SessionStore::open`](crate::SessionStore::open).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::build(Blocking::builder(dir)).await
    }
}

impl<S: SessionRecord> SessionStore<S> {
    /// Opens a store that was configured.
    ///
    /// # Errors
    ///
    /// As for [`Builder::open`].
    pub async fn build(builder: Builder<S>) -> Result<Self, Error> {
        let opened = blocking(PathBuf::new(), move || builder.open()).await?;
        Ok(Self::from(opened))
    }

    /// The store below. Its calls block.
    #[must_use]
    pub fn blocking(&self) -> &Blocking<S> {
        &self.store
    }

    /// Runs anything that only reads on the store below.
    ///
    /// # Errors
    ///
    /// What the closure answers.
    pub async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Blocking<S>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = Arc::clone(&self.store);
        blocking(store.root().to_owned(), move || call(&store)).await
    }

    /// Runs anything that changes something on the store below, after all changes before it.
    ///
    /// # Errors
    ///
    /// What the closure answers.
    pub async fn change<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Blocking<S>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn: OwnedMutexGuard<()> = Arc::clone(&self.turn).lock_owned().await;
        self.run(move |store| {
            let _turn = turn;
            call(store)
        })
        .await
    }
}

impl<S: SessionRecord> From<Blocking<S>> for SessionStore<S> {
    fn from(store: Blocking<S>) -> Self {
        Self {
            store: Arc::new(store),
            turn: Arc::default(),
        }
    }
}

impl<S: SessionRecord> Clone for SessionStore<S> {
    /// Makes a new handle on the same store, which has seen nothing yet.
    fn clone(&self) -> Self {
        Self::from((*self.store).clone())
    }
}

impl<S: SessionRecord> fmt::Debug for SessionStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionStore").field(&self.store).finish()
    }
}

/// Runs a closure on a thread for blocking work. A panic in it goes on here.
async fn blocking<T: Send + 'static>(
    path: PathBuf,
    call: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match spawn_blocking(call).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going away, and the call has not begun.
            Err(_) => Err(Error::io("run", &path, io::ErrorKind::Interrupted.into())),
        },
    }
}
