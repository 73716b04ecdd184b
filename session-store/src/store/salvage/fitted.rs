//! The record that can be made of what is left. Owns how that which no such record can have is found; must not know where it was
//! read.

use std::ops::Range;

use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use super::remains::{Array, Member, Remains};
use crate::Error;
use crate::failure::from_codec;

/// What may be decoded to find the one member that does not fit among others that are needed, in bytes.
const ATTEMPTS: usize = 64 << 20;

impl<S: SessionRecord> SessionStore<S> {
    /// The record of what is left, less what no such record can have. Asks before each attempt whether it may go on.
    pub(super) fn fitted(
        &self,
        id: &SessionId,
        remains: &mut Remains,
        go_on: &dyn Fn() -> Result<(), Error>,
    ) -> Result<S, Error> {
        // An attempt that was not made is one that failed; the last one says why.
        let decode = |json: Json| -> Result<S, Error> {
            go_on()?;
            let decoded = self.shared.plain_codec.decode::<S>(json.text.into_bytes());
            decoded.map_err(|error| from_codec("read", &self.path(id), error))
        };
        remains.refuse_misfits(S::PARALLEL);
        if let Ok(record) = decode(Json::of(id, &remains.members, &remains.arrays, &[])) {
            return Ok(record);
        }
        // A record may need its arrays.
        let filled =
            |members: &[Member], arrays: &[Array]| Json::of(id, members, arrays, S::CAPPED);
        let fits = |members: &[Member], arrays: &[Array]| decode(filled(members, arrays)).is_ok();
        let mut refused = unfit_members(
            &mut remains.members,
            &|members| fits(members, &[]),
            &|members| {
                let json = filled(members, &[]);
                let places = json.members.clone();
                match decode(json) {
                    Err(Error::Corrupt { offset, .. }) => places.iter().position(|place| {
                        offset.is_some_and(|at| place.start < at && at <= place.end)
                    }),
                    _ => None,
                }
            },
        );
        // Most records need no member but the id, so that an element is tried with little beside it.
        let beside: &[Member] = if fits(&[], &[]) {
            &[]
        } else {
            &remains.members
        };
        for (name, elements) in &mut remains.arrays {
            let fits = |some: &[String]| fits(beside, &[(name.clone(), some.to_vec())]);
            let unfit = unfit(elements, &fits);
            refused.extend(unfit.iter().map(|at| format!("{name}[{at}]")));
            let (mut unfit, mut at) = (unfit.into_iter().peekable(), 0);
            elements.retain(|_| {
                let stays = unfit.next_if_eq(&at).is_none();
                at += 1;
                stays
            });
        }
        remains.refused.append(&mut refused);
        remains.refuse_misfits(S::PARALLEL);
        decode(Json::of(id, &remains.members, &remains.arrays, &[]))
            .or_else(|_| decode(filled(&remains.members, &remains.arrays)))
    }
}

/// Takes those members away that do not fit, as far as they can be told from those that are needed, and names them.
fn unfit_members(
    members: &mut Vec<Member>,
    fit: &dyn Fn(&[Member]) -> bool,
    blamed: &dyn Fn(&[Member]) -> Option<usize>,
) -> Vec<String> {
    let bytes: usize = members.iter().map(|(_, value)| value.len()).sum();
    let is_cheap = bytes.saturating_mul(members.len()) <= ATTEMPTS;
    let mut refused = Vec::new();
    // Most types say where they fail.
    let mut rest = members.clone();
    while is_cheap && let Some(at) = blamed(&rest) {
        refused.push(rest.remove(at).0);
    }
    if fit(&rest) {
        *members = rest;
        return refused;
    }
    refused.clear();
    let bad = (0..members.len()).filter(|_| is_cheap).find(|at| {
        let mut others = members.clone();
        others.remove(*at);
        fit(&others)
    });
    match bad {
        Some(at) => refused.push(members.remove(at).0),
        None => members.retain(|member| {
            let fits = fit(std::slice::from_ref(member));
            if !fits {
                refused.push(member.0.clone());
            }
            fits
        }),
    }
    refused
}

/// Finds the elements that do not fit, by halves: those that fit together are tried once.
fn unfit(elements: &[String], fits: &dyn Fn(&[String]) -> bool) -> Vec<usize> {
    let mut found = Vec::new();
    let mut parts = vec![(0, elements)];
    while let Some((from, part)) = parts.pop() {
        if part.is_empty() || fits(part) {
            continue;
        }
        if part.len() == 1 {
            found.push(from);
            continue;
        }
        let (left, right) = part.split_at(part.len() / 2);
        parts.push((from + left.len(), right));
        parts.push((from, left));
    }
    found
}

/// A document, and where the values of its members are in it.
struct Json {
    text: String,
    members: Vec<Range<u64>>,
}

impl Json {
    /// The document of these members and arrays, and empty ones of those names that are not among them.
    fn of(id: &SessionId, members: &[Member], arrays: &[Array], empty: &[&str]) -> Self {
        let mut json = Self {
            text: format!("{{\"id\":\"{id}\""),
            members: Vec::new(),
        };
        for (name, value) in members {
            let place = json.put(name, value);
            json.members.push(place);
        }
        for (name, elements) in arrays {
            json.put(name, &format!("[{}]", elements.join(",")));
        }
        for name in empty {
            let is_member = members.iter().any(|(known, _)| known == name);
            if !is_member && !arrays.iter().any(|(known, _)| known == name) {
                json.put(name, "[]");
            }
        }
        json.text.push('}');
        json
    }

    fn put(&mut self, name: &str, value: &str) -> Range<u64> {
        self.text.push(',');
        self.text
            .push_str(&serde_json::Value::from(name).to_string());
        self.text.push(':');
        let start = self.text.len() as u64;
        self.text.push_str(value);
        start..self.text.len() as u64
    }
}
