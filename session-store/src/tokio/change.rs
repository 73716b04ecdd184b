//! The calls that change one session, as futures. Each takes its turn.

use std::sync::Arc;

use session_codec::Revision;
use session_model::{SessionId, SessionRecord};

use super::{SessionStore, Writer};
use crate::{Append, Error};

impl<S: SessionRecord> SessionStore<S> {
    /// See [`SessionStore::save`](crate::SessionStore::save). Takes a session or an `Arc` of one.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn save(&self, session: impl Into<Arc<S>>) -> Result<Revision, Error> {
        let session = session.into();
        self.change(move |store| store.save(&*session)).await
    }

    /// See [`SessionStore::overwrite`](crate::SessionStore::overwrite).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn overwrite(&self, session: impl Into<Arc<S>>) -> Result<Revision, Error> {
        let session = session.into();
        self.change(move |store| store.overwrite(&*session)).await
    }

    /// See [`SessionStore::append`](crate::SessionStore::append).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn append(&self, id: &SessionId, append: Append) -> Result<Revision, Error> {
        let id = id.clone();
        self.change(move |store| store.append(&id, &append)).await
    }

    /// See [`SessionStore::writer`](crate::SessionStore::writer). The writer's appends and the changes of this store do not
    /// wait for each other.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn writer(&self, id: &SessionId) -> Result<Writer<S>, Error> {
        let (id, path) = (id.clone(), self.store.path(id));
        let writer = self.change(move |store| store.writer(&id)).await?;
        Ok(Writer::new(writer, path))
    }

    /// See [`SessionStore::checkpoint`](crate::SessionStore::checkpoint).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn checkpoint(&self, id: &SessionId) -> Result<bool, Error> {
        let id = id.clone();
        self.change(move |store| store.checkpoint(&id)).await
    }

    /// See [`SessionStore::delete`](crate::SessionStore::delete).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn delete(&self, id: &SessionId) -> Result<bool, Error> {
        let id = id.clone();
        self.change(move |store| store.delete(&id)).await
    }
}
