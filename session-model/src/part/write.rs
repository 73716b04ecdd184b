//! Owns the writing of a content part. Must not know what a part is for.

use serde::Serialize;
use serde::ser::{Error as _, SerializeMap, Serializer};

use super::ContentPart;
use super::tag::{TYPE, Tag};
use crate::Extra;
use crate::object::{Kind, Plain, Skipped};

/// Writes the members of a part of a known type.
struct Writer<'a, M> {
    map: M,
    tag: Tag,
    extra: &'a Extra,
}

impl<M: SerializeMap> Writer<'_, M> {
    fn text(mut self, index: u8, value: &String) -> Result<Self, M::Error> {
        Plain::write(value, self.tag.place(index), self.extra, &mut self.map)?;
        Ok(self)
    }

    #[expect(clippy::ref_option, reason = "this is how a kind takes its field")]
    fn optional(mut self, index: u8, value: &Option<String>) -> Result<Self, M::Error> {
        Skipped::write(value, self.tag.place(index), self.extra, &mut self.map)?;
        Ok(self)
    }

    fn end(mut self) -> Result<M::Ok, M::Error> {
        self.extra.write(self.tag.members(), &mut self.map)?;
        self.map.end()
    }
}

/// Begins to write a part of a known type.
fn begin<S: Serializer>(
    serializer: S,
    tag: Tag,
    extra: &Extra,
) -> Result<Writer<'_, S::SerializeMap>, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry(TYPE, tag.name())?;
    Ok(Writer { map, tag, extra })
}

impl Serialize for ContentPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text { text, extra } => begin(serializer, Tag::Text, extra)?.text(1, text)?.end(),
            Self::Image {
                url,
                mime_type,
                extra,
            } => begin(serializer, Tag::Image, extra)?
                .text(1, url)?
                .optional(2, mime_type)?
                .end(),
            Self::File {
                path,
                mime_type,
                extra,
            } => begin(serializer, Tag::File, extra)?
                .text(1, path)?
                .optional(2, mime_type)?
                .end(),
            Self::ToolCall {
                id,
                name,
                arguments,
                thought_signature,
                extra,
            } => begin(serializer, Tag::ToolCall, extra)?
                .text(1, id)?
                .text(2, name)?
                .text(3, arguments)?
                .optional(4, thought_signature)?
                .end(),
            Self::ToolResult {
                tool_call_id,
                content,
                extra,
            } => begin(serializer, Tag::ToolResult, extra)?
                .text(1, tool_call_id)?
                .text(2, content)?
                .end(),
            Self::Thinking {
                text,
                signature,
                extra,
            } => begin(serializer, Tag::Thinking, extra)?
                .text(1, text)?
                .optional(2, signature)?
                .end(),
            // A caller may have made it of anything; what is written must be readable again.
            Self::Other(raw) if raw.parse::<Self>().is_err() => {
                Err(S::Error::custom("content part could not be read again"))
            }
            Self::Other(raw) => raw.serialize(serializer),
        }
    }
}
