//! What is left of a damaged document and its journal, as JSON texts, and the record that can be made of it.

use session_codec::Revision;
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use crate::Error;
use crate::failure::from_codec;
use crate::journal::{AdditionKind, Journal};
use crate::salvage::LostRange;

/// A member's name and its value.
type Member = (String, String);

/// What is left of a session, as JSON texts.
#[derive(Default)]
pub(super) struct Remains {
    pub(super) members: Vec<Member>,
    pub(super) arrays: Vec<(String, Vec<String>)>,
    pub(super) refused: Vec<String>,
    pub(super) lost: Vec<LostRange>,
}

impl Remains {
    pub(super) fn is_nothing(&self) -> bool {
        self.members.is_empty() && self.arrays.iter().all(|(_, all)| all.is_empty())
    }
}

impl<S: SessionRecord> SessionStore<S> {
    /// Finds what is whole in a document.
    pub(super) fn remains(&self, bytes: &[u8]) -> Remains {
        let salvaged = self.shared.codec.salvage(bytes, S::CAPPED);
        let text = |range: &std::ops::Range<usize>| {
            String::from_utf8_lossy(&bytes[range.clone()]).into_owned()
        };
        let mut remains = Remains::default();
        for member in salvaged.members {
            match member.elements {
                Some(elements) => {
                    let elements = elements.iter().map(text).collect();
                    remains.arrays.push((member.name, elements));
                }
                None if member.name == "id" || member.name == session_codec::RESERVED => {}
                // A second one of a name makes a document that no struct can be read from.
                None if remains.members.iter().any(|(name, _)| *name == member.name) => {
                    let range = member.value.start as u64..member.value.end as u64;
                    remains.lost.push(LostRange::Document(range));
                }
                None => remains.members.push((member.name, text(&member.value))),
            }
        }
        let lost = salvaged.lost.into_iter();
        let lost = lost.map(|lost| LostRange::Document(lost.start as u64..lost.end as u64));
        remains.lost.extend(lost);
        remains
    }

    /// Adds what a journal has that the document lacks: members that were lost, and the appends up to the first damage.
    pub(super) fn add_journal(&self, bytes: &[u8], document: &[u8], remains: &mut Remains) {
        let size = bytes.len() as u64;
        let journal = match Journal::parse(bytes.to_vec()) {
            Ok(journal) => journal,
            Err(damage) => {
                remains
                    .lost
                    .push(LostRange::Journal(damage.offset as u64..size));
                match Journal::parse(bytes[..damage.offset].to_vec()) {
                    Ok(journal) => journal,
                    Err(_) => return,
                }
            }
        };
        let announced = journal.absorbed_by(Revision::of_document(document));
        // What the document had when the journal was begun; its members only stand in for those that were lost.
        let kept = self.shared.codec.salvage(&journal.begin.kept, &[]);
        for member in kept.members {
            let is_known = remains.members.iter().any(|(name, _)| *name == member.name)
                || S::CAPPED.contains(&&*member.name)
                || member.name == "id"
                || member.name == session_codec::RESERVED;
            if let (false, Ok(text)) = (
                is_known,
                std::str::from_utf8(&journal.begin.kept[member.value]),
            ) {
                remains.members.push((member.name, text.to_owned()));
            }
        }
        let mut seen: Vec<(String, u64)> = Vec::new();
        for addition in journal.additions(announced.unwrap_or(0)) {
            let (name, json) = (addition.name.to_owned(), addition.json.to_owned());
            if addition.kind == AdditionKind::Member {
                remains.members.retain(|(known, _)| *known != name);
                if name != "id" {
                    remains.members.push((name, json));
                }
                continue;
            }
            let at = seen
                .iter()
                .position(|(known, _)| *known == name)
                .unwrap_or_else(|| {
                    seen.push((name.clone(), 0));
                    seen.len() - 1
                });
            let begun = journal
                .begin
                .counts
                .iter()
                .find(|(known, _)| *known == name);
            let place = begun.and_then(|(_, count)| *count).unwrap_or(0) + seen[at].1;
            seen[at].1 += 1;
            let array = remains
                .arrays
                .iter()
                .position(|(known, _)| *known == name)
                .unwrap_or_else(|| {
                    remains.arrays.push((name, Vec::new()));
                    remains.arrays.len() - 1
                });
            // A document that was about to take the journal's place has some of its elements already.
            let is_there = announced.is_none()
                && journal.was_replaced()
                && (remains.arrays[array].1.len() as u64) > place;
            if !is_there {
                remains.arrays[array].1.push(json);
            }
        }
    }

    /// The record of what is left, less what no such record can have.
    pub(super) fn fitted(&self, id: &SessionId, remains: &mut Remains) -> Result<S, Error> {
        let decode = |members: &[Member], arrays: &[(String, Vec<String>)]| {
            let json = json(id, members, arrays);
            self.shared.plain_codec.decode::<S>(json.into_bytes())
        };
        if let Ok(record) = decode(&remains.members, &remains.arrays) {
            return Ok(record);
        }
        let mut refused = Vec::new();
        if decode(&remains.members, &[]).is_err() {
            let bad = (0..remains.members.len()).find(|at| {
                let mut others = remains.members.clone();
                others.remove(*at);
                decode(&others, &[]).is_ok()
            });
            match bad {
                Some(at) => refused.push(remains.members.remove(at).0),
                None => remains.members.retain(|member| {
                    let fits = decode(std::slice::from_ref(member), &[]).is_ok();
                    if !fits {
                        refused.push(member.0.clone());
                    }
                    fits
                }),
            }
        }
        for (name, elements) in &mut remains.arrays {
            let mut at = 0;
            elements.retain(|element| {
                let alone = [(name.clone(), vec![element.clone()])];
                let fits = decode(&remains.members, &alone).is_ok();
                if !fits {
                    refused.push(format!("{name}[{at}]"));
                }
                at += 1;
                fits
            });
        }
        remains.refused.append(&mut refused);
        decode(&remains.members, &remains.arrays)
            .map_err(|error| from_codec("read", &self.path(id), error))
    }
}

/// The document of these members and arrays.
fn json(id: &SessionId, members: &[Member], arrays: &[(String, Vec<String>)]) -> String {
    let mut json = format!("{{\"id\":\"{id}\"");
    for (name, value) in members {
        put(&mut json, name, value);
    }
    for (name, elements) in arrays {
        put(&mut json, name, &format!("[{}]", elements.join(",")));
    }
    json.push('}');
    json
}

fn put(json: &mut String, name: &str, value: &str) {
    json.push(',');
    json.push_str(&serde_json::Value::from(name).to_string());
    json.push(':');
    json.push_str(value);
}
