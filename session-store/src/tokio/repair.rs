//! Checking, salvaging and moving, as futures. What is long work takes a function that can end it: dropping the future does
//! not, as what has begun runs to its end.

use std::ops::ControlFlow;
use std::path::Path;

use session_model::{SessionId, SessionRecord};

use super::{Blocking, SessionStore};
use crate::{CheckReport, Checked, Error, Progress, Quarantined, Rebind, Rebinding, SalvageReport};

impl<S: SessionRecord> SessionStore<S> {
    /// See [`SessionStore::check`](crate::SessionStore::check).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn check(&self, id: &SessionId) -> Result<Checked, Error> {
        let id = id.clone();
        self.run(move |store| store.check(&id)).await
    }

    /// See [`SessionStore::check_all`](crate::SessionStore::check_all).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn check_all(
        &self,
        watch: impl FnMut(&Progress) -> ControlFlow<()> + Send + 'static,
    ) -> Result<CheckReport, Error> {
        self.run(move |store| store.check_all(watch)).await
    }

    /// See [`SessionStore::salvage`](crate::SessionStore::salvage).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn salvage(&self, id: &SessionId) -> Result<Option<SalvageReport>, Error> {
        let id = id.clone();
        self.change(move |store| store.salvage(&id)).await
    }

    /// See [`SessionStore::salvage_watched`](crate::SessionStore::salvage_watched).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn salvage_watched(
        &self,
        id: &SessionId,
        observe: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Result<Option<SalvageReport>, Error> {
        let id = id.clone();
        self.change(move |store| store.salvage_watched(&id, observe))
            .await
    }

    /// See [`SessionStore::quarantined`](crate::SessionStore::quarantined).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn quarantined(&self) -> Result<Vec<Quarantined>, Error> {
        self.run(Blocking::quarantined).await
    }

    /// See [`SessionStore::rebind`](crate::SessionStore::rebind).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn rebind(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        how: Rebind,
    ) -> Result<Rebinding, Error> {
        self.rebind_watched(from, to, how, |_| ControlFlow::Continue(()))
            .await
    }

    /// See [`SessionStore::rebind_watched`](crate::SessionStore::rebind_watched).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn rebind_watched(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        how: Rebind,
        observe: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Result<Rebinding, Error> {
        let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
        self.change(move |store| store.rebind_watched(from, to, how, observe))
            .await
    }
}
