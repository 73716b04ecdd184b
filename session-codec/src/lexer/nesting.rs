//! Which containers are open, one bit each. Owns the stack; must not know what
//! a bit stands for in a document beyond "object or array".

/// A stack of bits: 1 for an object, 0 for an array. A bit a level keeps even
/// a hostile depth small, where the caller allows one.
#[derive(Debug, Default)]
pub(crate) struct Nesting {
    depth: u32,
    /// The top up to 64 levels, the innermost in the lowest bit.
    top: u64,
    /// Full words below `top`.
    spilled: Vec<u64>,
}

impl Nesting {
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    #[inline]
    pub(crate) fn in_object(&self) -> bool {
        self.top & 1 == 1
    }

    #[inline]
    pub(crate) fn push(&mut self, object: bool) {
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.spilled.push(self.top);
            self.top = 0;
        }
        self.top = self.top << 1 | u64::from(object);
        self.depth += 1;
    }

    #[inline]
    pub(crate) fn pop(&mut self) {
        self.depth -= 1;
        self.top >>= 1;
        if self.depth.is_multiple_of(64)
            && let Some(word) = self.spilled.pop()
        {
            self.top = word;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Nesting;

    #[test]
    fn a_bit_stack_answers_like_a_vector() {
        let mut nesting = Nesting::default();
        let mut model = Vec::new();
        let mut seed = 1_u64;
        for step in 0..20_000_u32 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            // Grows for a while, then shrinks, so that words spill and return.
            let grow = if step % 2000 < 1000 {
                seed >> 60 < 12
            } else {
                seed >> 60 < 4
            };
            if grow || model.is_empty() {
                let object = seed >> 40 & 1 == 1;
                nesting.push(object);
                model.push(object);
            } else {
                nesting.pop();
                model.pop();
            }
            assert_eq!(nesting.depth() as usize, model.len());
            if let Some(top) = model.last() {
                assert_eq!(nesting.in_object(), *top);
            }
        }
    }
}
