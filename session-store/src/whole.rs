//! The sealed bound that keeps windows out of `save` and `overwrite`.

use session_model::SessionRecord;

mod sealed {
    pub trait Sealed<S> {}
    impl<S: super::SessionRecord> Sealed<S> for S {}
}

/// A whole session: what [`save`](crate::SessionStore::save) and [`overwrite`](crate::SessionStore::overwrite) take.
///
/// Implemented for every [`SessionRecord`] and for nothing else, and sealed. Because the calls are generic over this
/// bound instead of taking `&S`, a reference to a [`Tail`](crate::Tail) does not coerce into one:
///
/// ```compile_fail,E0277
/// use session_store::{Session, SessionId, SessionStore, Window};
///
/// fn clobber(store: &SessionStore, id: &SessionId) -> Result<(), session_store::Error> {
///     let tail = store.load_tail(id, Window::last(1))?;
///     store.save(&tail)?; // the window would replace the full history
///     Ok(())
/// }
/// ```
///
/// The same function compiles once it loads the whole session:
///
/// ```
/// use session_store::{Session, SessionId, SessionStore, Window};
///
/// fn keep(store: &SessionStore, id: &SessionId) -> Result<(), session_store::Error> {
///     let session = store.load(id)?;
///     store.save(&session)?;
///     Ok(())
/// }
/// ```
pub trait Whole<S>: sealed::Sealed<S> {
    /// The record itself.
    fn record(&self) -> &S;
}

impl<S: SessionRecord> Whole<S> for S {
    fn record(&self) -> &S {
        self
    }
}
