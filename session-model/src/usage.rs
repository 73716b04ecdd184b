//! Owns the count of tokens spent.

use std::ops::AddAssign;

use crate::Extra;
use crate::object::{Nullable, Plain, object};

/// Tokens spent by a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// Both.
    pub total_tokens: u64,
    /// Tokens read from the provider's cache, where it says so.
    pub cache_read_tokens: Option<u64>,
    /// Tokens written to the provider's cache, where it says so.
    pub cache_write_tokens: Option<u64>,
    /// Members this type does not know.
    pub extra: Extra,
}

object!(Usage, "a token usage", {
    prompt_tokens: Plain,
    completion_tokens: Plain,
    total_tokens: Plain,
    cache_read_tokens: Nullable,
    cache_write_tokens: Nullable,
});

impl Usage {
    /// Makes the usage of one exchange.
    #[must_use]
    pub fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens.saturating_add(completion_tokens),
            ..Self::default()
        }
    }

    /// Adds the counts of `other`, stopping at the greatest number; a cache count that neither side
    /// knows stays unknown. Unknown members stay those of `self`.
    pub fn add(&mut self, other: &Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self
            .completion_tokens
            .saturating_add(other.completion_tokens);
        self.total_tokens = self.total_tokens.saturating_add(other.total_tokens);
        self.cache_read_tokens = sum(self.cache_read_tokens, other.cache_read_tokens);
        self.cache_write_tokens = sum(self.cache_write_tokens, other.cache_write_tokens);
    }
}

/// Adds two counts of which either may be unknown.
fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (known, None) | (None, known) => known,
    }
}

impl AddAssign<&Usage> for Usage {
    fn add_assign(&mut self, other: &Usage) {
        self.add(other);
    }
}
