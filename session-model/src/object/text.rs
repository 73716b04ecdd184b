//! Owns the members whose text form says more than a string: times and paths.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::de;
use serde::ser::{Error as _, SerializeMap};

use super::{Kind, Nullable, Place, Skipped, Slot};
use crate::extra::Extra;
use crate::{directory, time};

/// A point in time, left out when missing, spelled as it was read for as long as it is the same.
pub(crate) struct Time;

impl Kind<Option<DateTime<Utc>>> for Time {
    type Wire = String;

    fn read<E: de::Error>(
        slot: Slot<String>,
        place: Place,
        extra: &mut Extra,
    ) -> Result<Option<DateTime<Utc>>, E> {
        let Some(text) = <Skipped as Kind<Option<String>>>::read::<E>(slot, place, extra)? else {
            return Ok(None);
        };
        let Some(at) = time::parse(&text) else {
            return Err(E::custom(format_args!(
                "member `{}` is not an RFC 3339 time",
                place.name
            )));
        };
        if time::format(at).as_deref() != Some(&*text) {
            extra.remember_spelling(place.index, text);
        }
        Ok(Some(at))
    }

    fn write<M: SerializeMap>(
        value: &Option<DateTime<Utc>>,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        let Some(at) = *value else {
            return Skipped::write(&None::<String>, place, extra, map);
        };
        if let Some(text) = extra.spelling(place.index)
            && time::parse(text) == Some(at)
        {
            return map.serialize_entry(place.name, text);
        }
        match time::format(at) {
            Some(text) => map.serialize_entry(place.name, &text),
            None => Err(M::Error::custom(format_args!(
                "member `{}` is a time that RFC 3339 cannot express",
                place.name
            ))),
        }
    }
}

/// A path that may not be UTF-8; see [`crate::directory`].
pub(crate) struct Directory;

impl Kind<Option<PathBuf>> for Directory {
    type Wire = String;

    fn read<E: de::Error>(
        slot: Slot<String>,
        place: Place,
        extra: &mut Extra,
    ) -> Result<Option<PathBuf>, E> {
        let Some(text) = <Nullable as Kind<Option<String>>>::read::<E>(slot, place, extra)? else {
            return Ok(None);
        };
        let bytes = extra.get(directory::BYTES_MEMBER);
        Ok(Some(
            match bytes.and_then(|raw| directory::honoured(&text, raw)) {
                Some(path) => {
                    extra.remove(directory::BYTES_MEMBER);
                    path
                }
                None => PathBuf::from(text),
            },
        ))
    }

    fn write<M: SerializeMap>(
        value: &Option<PathBuf>,
        place: Place,
        extra: &Extra,
        map: &mut M,
    ) -> Result<(), M::Error> {
        let text = value.as_ref().map(|path| path.to_string_lossy());
        Nullable::write(&text, place, extra, map)?;
        if let Some(bytes) = value.as_deref().and_then(directory::encoded) {
            map.serialize_entry(directory::BYTES_MEMBER, &bytes)?;
        }
        Ok(())
    }
}
