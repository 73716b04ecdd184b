//! Every instruction set against looking at one byte after the other.

use super::{BLOCK, Brackets, Instructions, Kernel, Masks, STRIDE, Texts};

/// What a set says of a stride: its first block, and whether it has a quote.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    texts: Texts,
    brackets: Brackets,
    commas: u64,
    letters: u64,
    controls: u64,
    early: u64,
    parities: u64,
    has_quote: bool,
}

struct Ask<'a>(&'a [u8; STRIDE]);

impl Kernel for Ask<'_> {
    type Output = Said;

    fn run<M: Masks>(self, masks: M) -> Said {
        let block = self.0.first_chunk().unwrap();
        let texts = masks.texts(block);
        Said {
            texts,
            brackets: masks.brackets(block),
            commas: masks.equal(block, b','),
            letters: masks.alike(block, 0x20, b'n'),
            controls: masks.below(block, b' '),
            early: masks.below(block, b'n'),
            parities: masks.parities(texts.quotes),
            has_quote: masks.has_quote(self.0),
        }
    }
}

fn naive(stride: &[u8; STRIDE]) -> Said {
    let mask = |any: &[u8]| {
        let bits = (0..BLOCK).filter(|at| any.contains(&stride[*at]));
        bits.fold(0, |mask, at| mask | 1 << at)
    };
    let mut inside = false;
    let parities = (0..BLOCK).fold(0, |mask, at| {
        inside ^= stride[at] == b'"';
        mask | u64::from(inside) << at
    });
    Said {
        texts: Texts {
            quotes: mask(b"\""),
            slashes: mask(b"\\"),
        },
        brackets: Brackets {
            opens: mask(b"{["),
            closes: mask(b"}]"),
        },
        commas: mask(b","),
        letters: mask(b"nN"),
        controls: mask(&(0..b' ').collect::<Vec<_>>()),
        early: mask(&(0..b'n').collect::<Vec<_>>()),
        parities,
        has_quote: stride.contains(&b'"'),
    }
}

fn check(stride: &[u8; STRIDE]) {
    let expected = naive(stride);
    for set in Instructions::ALL {
        // A set that the machine lacks falls back, which must be right as well.
        assert_eq!(
            set.detect().run(Ask(stride)),
            expected,
            "{set:?}: {}",
            stride.escape_ascii()
        );
    }
}

#[test]
fn every_byte_at_every_place_is_seen_as_what_it_is() {
    for byte in 0..=u8::MAX {
        for at in 0..STRIDE {
            let mut stride = [b'a'; STRIDE];
            stride[at] = byte;
            check(&stride);
        }
        check(&[byte; STRIDE]);
    }
}

#[test]
fn neighbours_do_not_disturb_each_other() {
    let mut rng = 7_u64;
    for _ in 0..4000 {
        let stride = std::array::from_fn(|_| {
            rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let pick = (rng >> 59) as usize;
            b"\"\"\\\\{}[],,\x00\x1f\x21\x23\x5a\x5c\x5e\x7a\x7c\x7e\x80\xa2\xdb\xdd\xfb\xfd\xff\x02\x0c aZ"[pick]
        });
        check(&stride);
    }
}

#[test]
fn a_set_that_is_there_is_chosen() {
    assert!(Instructions::best().is_available());
    assert!(Instructions::Portable.is_available());
    #[cfg(target_arch = "x86_64")]
    assert_ne!(Instructions::best(), Instructions::Portable);
}
