//! Putting a shortened document together. Owns punctuation and the map back to
//! the original; must not know where the kept bytes come from.

use serde_json::Value;

/// A shortened document under construction.
#[derive(Debug)]
pub(super) struct Assembly {
    json: Vec<u8>,
    /// Starts of stretches copied from the original, with their offsets there.
    map: Vec<(usize, u64)>,
    bare: bool,
    first: bool,
    end: u64,
}

impl Assembly {
    /// Starts a document of at most about `bytes`; `bare` if its root is not an
    /// object, so that one stretch is all of it.
    pub(super) fn new(bytes: usize, bare: bool, root: (u64, u64)) -> Self {
        // Braces, and for each array its name, brackets and commas, are small
        // change that the growth of the vector can take.
        let mut json = Vec::with_capacity(bytes.saturating_add(256));
        if !bare {
            json.push(b'{');
        }
        Self {
            json,
            map: vec![(0, root.0)],
            bare,
            first: true,
            end: root.1.saturating_sub(1),
        }
    }

    fn separate(&mut self) {
        if !self.first {
            self.json.push(b',');
        }
        self.first = false;
    }

    /// Adds a whole member, or the bare root, copied from `original` on by
    /// `fill`.
    pub(super) fn member<E>(
        &mut self,
        original: u64,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.separate();
        self.map.push((self.json.len(), original));
        fill(&mut self.json)
    }

    /// Adds an array under `name`, its elements copied from `original` on.
    pub(super) fn array<E>(
        &mut self,
        name: &str,
        original: u64,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.separate();
        self.json
            .extend_from_slice(Value::from(name).to_string().as_bytes());
        self.json.extend_from_slice(b":[");
        self.map.push((self.json.len(), original));
        fill(&mut self.json)?;
        self.json.push(b']');
        Ok(())
    }

    /// Closes the document.
    pub(super) fn finish(mut self) -> (Vec<u8>, Vec<(usize, u64)>) {
        if !self.bare {
            self.map.push((self.json.len(), self.end));
            self.json.push(b'}');
        }
        (self.json, self.map)
    }
}
