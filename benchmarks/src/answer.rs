//! What a contender found, in a form in which contenders can be compared. Knows no contender.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;
use serde_json::Value;

/// Named facts about a result: counts, ids and digests, never content.
///
/// Two answers agree if every fact that both state is the same, and they have at least one in common. A floor that
/// only moves bytes states how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Answer(Vec<(&'static str, String)>);

impl Answer {
    /// Starts with no fact.
    pub fn new() -> Self {
        Self::default()
    }

    /// States a fact.
    pub fn fact(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.push((name, value.to_string()));
        self
    }

    /// States the digest of a list of values, as JSON without regard to member order and to members that are null.
    ///
    /// # Errors
    ///
    /// A value that JSON cannot say.
    pub fn digest<T: Serialize>(
        self,
        name: &'static str,
        values: &[T],
    ) -> Result<Self, serde_json::Error> {
        let mut hasher = DefaultHasher::new();
        for value in values {
            // `Value` sorts members, which makes the digest independent of the contender's field order.
            let mut value = serde_json::to_value(value)?;
            drop_nulls(&mut value);
            value.to_string().hash(&mut hasher);
        }
        Ok(self.fact(
            name,
            format_args!("{}:{:016x}", values.len(), hasher.finish()),
        ))
    }

    /// The first fact on which the two differ: its name, what this answer says and what the other says.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let mut common = 0;
        for (name, mine) in &self.0 {
            let Some((_, theirs)) = other.0.iter().find(|(theirs, _)| theirs == name) else {
                continue;
            };
            common += 1;
            if mine != theirs {
                return Some((name, mine.clone(), theirs.clone()));
            }
        }
        let silent = common == 0;
        silent.then(|| ("common facts", names(&self.0), names(&other.0)))
    }
}

fn names(facts: &[(&'static str, String)]) -> String {
    facts
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(" ")
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A contender whose answer is not that of the others: the run must fail, because a wrong answer has no time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongAnswer {
    /// The case.
    pub case: String,
    /// Who was taken as the judge: the reference, or else the first contender.
    pub judge: String,
    /// Who disagrees with the judge.
    pub contender: String,
    /// The fact in question.
    pub fact: &'static str,
    /// What the judge found.
    pub expected: String,
    /// What the contender found.
    pub found: String,
}

impl fmt::Display for WrongAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            case,
            judge,
            contender,
            fact,
            expected,
            found,
        } = self;
        write!(
            f,
            "compare answers of {case}: {contender} has {fact} = {found}, {judge} has {expected}"
        )
    }
}

impl std::error::Error for WrongAnswer {}
