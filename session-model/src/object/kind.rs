//! Owns the ways in which one known member is read and written. Must not know any struct.
//!
//! `null` and a missing member both give the default; which it was is remembered in [`Extra`], so
//! that it is written as it was read for as long as the value stays the default.

use serde::Serialize;
use serde::de::{self, DeserializeOwned};
use serde::ser::SerializeMap;

use super::list::ShortList;
use super::{Place, Slot};
use crate::extra::{Blank, Extra};
use crate::{Role, SessionId};

/// How a member of type `T` is read and written.
pub(crate) trait Kind<T> {
    /// What its JSON value is read as.
    type Wire: DeserializeOwned;

    /// Makes the value, remembering what it does not tell.
    fn read<E: de::Error>(slot: Slot<Self::Wire>, place: Place, extra: &mut Extra) -> Result<T, E>;

    /// Writes the member, or leaves it out.
    fn write<M: SerializeMap>(
        value: &T,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error>;
}

/// Must be there.
pub(crate) struct Required;

impl Kind<SessionId> for Required {
    type Wire = SessionId;

    fn read<E: de::Error>(
        slot: Slot<SessionId>,
        place: Place,
        _: &mut Extra,
    ) -> Result<SessionId, E> {
        match slot {
            Slot::Value(id) => Ok(id),
            Slot::Absent => Err(E::missing_field(place.name)),
            Slot::Null => Err(E::custom(format_args!("member `{}` is null", place.name))),
        }
    }

    fn write<M: SerializeMap>(
        value: &SessionId,
        place: Place,
        _: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        map.serialize_entry(place.name, value)
    }
}

/// Remembers an absence or a null, and gives the default.
fn blank<T>(slot: Slot<T>, default: T, place: Place, extra: &mut Extra) -> T {
    match slot {
        Slot::Value(value) => value,
        Slot::Absent => {
            extra.remember_absent(place.index);
            default
        }
        Slot::Null => {
            extra.remember_null(place.index);
            default
        }
    }
}

/// Writes a value that is its default as it was read.
fn write_blank<T: Serialize, M: SerializeMap>(
    value: &T,
    is_default: bool,
    place: Place,
    extra: &Extra,
    map: &mut M,
) -> Result<(), M::Error> {
    match extra.blank(place.index) {
        Blank::Absent if is_default => Ok(()),
        Blank::Null if is_default => map.serialize_entry(place.name, &()),
        _ => map.serialize_entry(place.name, value),
    }
}

/// Is written even when it has its default.
pub(crate) struct Plain;

impl<T: DeserializeOwned + Serialize + Default + IsDefault> Kind<T> for Plain {
    type Wire = T;

    fn read<E: de::Error>(slot: Slot<T>, place: Place, extra: &mut Extra) -> Result<T, E> {
        Ok(blank(slot, T::default(), place, extra))
    }

    fn write<M: SerializeMap>(
        value: &T,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        write_blank(value, value.is_default(), place, extra, map)
    }
}

/// A list, mostly of one element, written even when it is empty.
pub(crate) struct Parts;

impl<T: DeserializeOwned + Serialize> Kind<Vec<T>> for Parts {
    type Wire = ShortList<T>;

    fn read<E: de::Error>(
        slot: Slot<ShortList<T>>,
        place: Place,
        extra: &mut Extra,
    ) -> Result<Vec<T>, E> {
        Ok(blank(slot, ShortList(Vec::new()), place, extra).0)
    }

    fn write<M: SerializeMap>(
        value: &Vec<T>,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        write_blank(value, value.is_empty(), place, extra, map)
    }
}

/// Says cheaply whether a value is its type's default.
pub(crate) trait IsDefault {
    fn is_default(&self) -> bool;
}

impl IsDefault for String {
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl<T> IsDefault for Vec<T> {
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl IsDefault for bool {
    fn is_default(&self) -> bool {
        !*self
    }
}

impl IsDefault for u64 {
    fn is_default(&self) -> bool {
        *self == 0
    }
}

/// A bool that is true unless something else is said.
pub(crate) struct DefaultTrue;

impl Kind<bool> for DefaultTrue {
    type Wire = bool;

    fn read<E: de::Error>(slot: Slot<bool>, place: Place, extra: &mut Extra) -> Result<bool, E> {
        Ok(blank(slot, true, place, extra))
    }

    fn write<M: SerializeMap>(
        value: &bool,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        write_blank(value, *value, place, extra, map)
    }
}

/// A role; a message that states none has the empty one.
pub(crate) struct RoleName;

impl Kind<Role> for RoleName {
    type Wire = Role;

    fn read<E: de::Error>(slot: Slot<Role>, place: Place, extra: &mut Extra) -> Result<Role, E> {
        Ok(blank(slot, Role::Other(String::new()), place, extra))
    }

    fn write<M: SerializeMap>(
        value: &Role,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        write_blank(value, value.as_str().is_empty(), place, extra, map)
    }
}

/// May be missing; written as `null` when it is.
pub(crate) struct Nullable;

impl<T: DeserializeOwned + Serialize> Kind<Option<T>> for Nullable {
    type Wire = T;

    fn read<E: de::Error>(slot: Slot<T>, place: Place, extra: &mut Extra) -> Result<Option<T>, E> {
        Ok(match slot {
            Slot::Value(value) => Some(value),
            Slot::Null => None,
            Slot::Absent => {
                extra.remember_absent(place.index);
                None
            }
        })
    }

    fn write<M: SerializeMap>(
        value: &Option<T>,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        if value.is_none() && extra.blank(place.index) == Blank::Absent {
            return Ok(());
        }
        map.serialize_entry(place.name, value)
    }
}

/// May be missing; left out when it is, unless it was read as `null`.
pub(crate) struct Skipped;

impl<T: DeserializeOwned + Serialize> Kind<Option<T>> for Skipped {
    type Wire = T;

    fn read<E: de::Error>(slot: Slot<T>, place: Place, extra: &mut Extra) -> Result<Option<T>, E> {
        Ok(match slot {
            Slot::Value(value) => Some(value),
            Slot::Absent => None,
            Slot::Null => {
                extra.remember_null(place.index);
                None
            }
        })
    }

    fn write<M: SerializeMap>(
        value: &Option<T>,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        match value {
            Some(value) => map.serialize_entry(place.name, value),
            None if extra.blank(place.index) == Blank::Null => map.serialize_entry(place.name, &()),
            None => Ok(()),
        }
    }
}
