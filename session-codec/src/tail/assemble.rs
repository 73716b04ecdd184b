//! Putting a shortened document together. Owns punctuation and the map back to
//! the original; must not know where the kept bytes come from.

use serde_json::Value;

/// A shortened document under construction, in a buffer of its own or over the
/// original. There, what is written never reaches what is still to be copied:
/// braces, commas and brackets have their like in the original, before the same
/// bytes, and no spelling of a name is shorter than the one used here.
#[derive(Debug)]
pub(super) struct Assembly {
    json: Vec<u8>,
    /// Bytes of it that are the shortened document's.
    at: usize,
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
        Self::over(Vec::with_capacity(bytes.saturating_add(256)), bare, root)
    }

    /// Starts a document over the original.
    pub(super) fn over(json: Vec<u8>, bare: bool, root: (u64, u64)) -> Self {
        let mut assembly = Self {
            json,
            at: 0,
            map: vec![(0, root.0)],
            bare,
            first: true,
            end: root.1.saturating_sub(1),
        };
        if !bare {
            assembly.put(b"{");
        }
        assembly
    }

    /// Takes a document of which everything stays.
    pub(super) fn kept_whole(json: Vec<u8>) -> Self {
        let at = json.len();
        Self {
            json,
            at,
            map: vec![(0, 0)],
            bare: true,
            first: false,
            end: 0,
        }
    }

    /// Writes over what is there, then past it.
    fn put(&mut self, bytes: &[u8]) {
        let (over, past) = bytes.split_at(bytes.len().min(self.json.len() - self.at));
        self.json[self.at..self.at + over.len()].copy_from_slice(over);
        self.json.extend_from_slice(past);
        self.at += bytes.len();
    }

    fn separate(&mut self) {
        if !self.first {
            self.put(b",");
        }
        self.first = false;
    }

    /// Adds bytes that stand in the original from `original` on. `fill` writes
    /// them into the vector at the place it is given and returns their end.
    fn copy<E>(
        &mut self,
        original: u64,
        fill: impl FnOnce(&mut Vec<u8>, usize) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.map.push((self.at, original));
        self.at = fill(&mut self.json, self.at)?;
        Ok(())
    }

    /// Adds a whole member, or the bare root, copied from `original` on by
    /// `fill`.
    pub(super) fn member<E>(
        &mut self,
        original: u64,
        fill: impl FnOnce(&mut Vec<u8>, usize) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.separate();
        self.copy(original, fill)
    }

    /// Adds an array under `name`, its elements copied from `original` on.
    pub(super) fn array<E>(
        &mut self,
        name: &str,
        original: u64,
        fill: impl FnOnce(&mut Vec<u8>, usize) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.separate();
        self.put(Value::from(name).to_string().as_bytes());
        self.put(b":[");
        self.copy(original, fill)?;
        self.put(b"]");
        Ok(())
    }

    /// Closes the document.
    pub(super) fn finish(mut self) -> (Vec<u8>, Vec<(usize, u64)>) {
        if !self.bare {
            self.map.push((self.at, self.end));
            self.put(b"}");
        }
        self.json.truncate(self.at);
        (self.json, self.map)
    }
}
