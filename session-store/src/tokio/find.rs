//! The calls that load, find and list, as futures. They wait for no change.

use std::ops::Range;
use std::path::Path;

use session_model::{SessionId, SessionRecord};

use super::{Blocking, SessionStore};
use crate::{Error, Found, LastQuery, Listing, Page, Query, Tail, Window};

impl<S: SessionRecord> SessionStore<S> {
    /// See [`SessionStore::load`](crate::SessionStore::load).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn load(&self, id: &SessionId) -> Result<S, Error> {
        let id = id.clone();
        self.run(move |store| store.load(&id)).await
    }

    /// See [`SessionStore::load_tail`](crate::SessionStore::load_tail).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn load_tail(&self, id: &SessionId, window: Window) -> Result<Tail<S>, Error> {
        let id = id.clone();
        self.run(move |store| store.load_tail(&id, window)).await
    }

    /// See [`SessionStore::load_page`](crate::SessionStore::load_page).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn load_page(
        &self,
        id: &SessionId,
        array: &str,
        range: Range<u64>,
    ) -> Result<Page<S>, Error> {
        let (id, array) = (id.clone(), array.to_owned());
        self.run(move |store| store.load_page(&id, &array, range))
            .await
    }

    /// See [`SessionStore::last`](crate::SessionStore::last).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn last(&self) -> Result<Option<S>, Error> {
        self.run(Blocking::last).await
    }

    /// See [`SessionStore::last_for_directory`](crate::SessionStore::last_for_directory).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn last_for_directory(&self, workspace: Option<&Path>) -> Result<Option<S>, Error> {
        let workspace = workspace.map(Path::to_owned);
        self.run(move |store| store.last_for_directory(workspace.as_deref()))
            .await
    }

    /// See [`SessionStore::last_for_directory_tail`](crate::SessionStore::last_for_directory_tail).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn last_for_directory_tail(
        &self,
        workspace: Option<&Path>,
        window: Window,
    ) -> Result<Option<Tail<S>>, Error> {
        let workspace = workspace.map(Path::to_owned);
        self.run(move |store| store.last_for_directory_tail(workspace.as_deref(), window))
            .await
    }

    /// See [`SessionStore::find_last`](crate::SessionStore::find_last).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn find_last(&self, query: LastQuery) -> Result<Found<S>, Error> {
        self.run(move |store| store.find_last(&query)).await
    }

    /// See [`SessionStore::list`](crate::SessionStore::list).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn list(&self, query: Query) -> Result<Listing, Error> {
        self.run(move |store| store.list(&query)).await
    }
}
