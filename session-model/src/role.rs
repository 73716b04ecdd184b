//! Owns who says a message.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Who says a message.
///
/// A role is its name: `Role::Other("user".into())` equals [`Role::User`], and is read back as it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Role {
    /// `system`: instructions to the model.
    System,
    /// `user`: the person.
    User,
    /// `assistant`: the model.
    Assistant,
    /// `tool`: the result of a tool.
    Tool,
    /// `developer`: instructions from the program.
    Developer,
    /// Any other name; the empty one is that of a message which states none.
    Other(String),
}

impl Role {
    /// Returns the name as it is in JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Developer => "developer",
            Self::Other(name) => name,
        }
    }

    fn known(name: &str) -> Option<Self> {
        Some(match name {
            "system" => Self::System,
            "user" => Self::User,
            "assistant" => Self::Assistant,
            "tool" => Self::Tool,
            "developer" => Self::Developer,
            _ => return None,
        })
    }
}

impl From<&str> for Role {
    fn from(name: &str) -> Self {
        Self::known(name).unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

impl From<String> for Role {
    fn from(name: String) -> Self {
        Self::known(&name).unwrap_or(Self::Other(name))
    }
}

impl PartialEq for Role {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Role {}

impl Hash for Role {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl de::Visitor<'_> for Name {
            type Value = Role;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a role's name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Role, E> {
                Ok(Role::from(name))
            }
        }

        deserializer.deserialize_str(Name)
    }
}
