//! A set of positions of one segment.

/// Positions of one segment. A position is its segment's number and 16 bits.
pub(crate) const SEGMENT_EVENTS: u64 = 1 << 16;

const WORDS: usize = (SEGMENT_EVENTS / 64) as usize;

/// The segment of a position.
pub(crate) fn segment(position: u64) -> u64 {
    position / SEGMENT_EVENTS
}

/// The place of a position in its segment.
pub(crate) fn low(position: u64) -> u16 {
    (position % SEGMENT_EVENTS) as u16
}

pub(crate) struct Bits(Box<[u64; WORDS]>);

impl Bits {
    pub(crate) fn new() -> Self {
        Self(Box::new([0; WORDS]))
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    pub(crate) fn set(&mut self, low: u16) {
        self.0[usize::from(low >> 6)] |= 1 << (low & 63);
    }

    pub(crate) fn unset(&mut self, low: u16) {
        self.0[usize::from(low >> 6)] &= !(1 << (low & 63));
    }

    pub(crate) fn set_range(&mut self, first: u16, last: u16) {
        for (index, word) in self.0.iter_mut().enumerate() {
            *word |= mask(index, first, last);
        }
    }

    /// Keeps only what is between the two, both included.
    pub(crate) fn keep_range(&mut self, first: u16, last: u16) {
        for (index, word) in self.0.iter_mut().enumerate() {
            *word &= mask(index, first, last);
        }
    }

    pub(crate) fn or_bytes(&mut self, bytes: &[u8]) {
        for (word, chunk) in self.0.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word |= u64::from_le_bytes(*chunk);
        }
    }

    pub(crate) fn and(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0.iter()) {
            *word &= other;
        }
    }

    pub(crate) fn and_not(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0.iter()) {
            *word &= !other;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Calls `visit` with each member, upwards or downwards, until it answers false.
    pub(crate) fn each(&self, reverse: bool, mut visit: impl FnMut(u16) -> bool) {
        for step in 0..WORDS {
            let index = if reverse { WORDS - 1 - step } else { step };
            let mut word = self.0[index];
            while word != 0 {
                let bit = if reverse { 63 - word.leading_zeros() } else { word.trailing_zeros() };
                word &= !(1 << bit);
                if !visit((index * 64) as u16 + bit as u16) {
                    return;
                }
            }
        }
    }

    pub(crate) fn write_bytes(lows: &[u16], out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + WORDS * 8, 0);
        for low in lows {
            out[start + usize::from(low >> 3)] |= 1 << (low & 7);
        }
    }
}

/// The bits of word `index` that stand for places between `first` and `last`.
fn mask(index: usize, first: u16, last: u16) -> u64 {
    let start = (index * 64) as u32;
    let (first, last) = (u32::from(first), u32::from(last));
    if last < start || first > start + 63 || first > last {
        return 0;
    }
    let from = first.saturating_sub(start);
    let to = (last - start).min(63);
    (u64::MAX << from) & (u64::MAX >> (63 - to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(bits: &Bits, reverse: bool) -> Vec<u16> {
        let mut seen = Vec::new();
        bits.each(reverse, |low| {
            seen.push(low);
            true
        });
        seen
    }

    #[test]
    fn ranges_and_order() {
        let mut bits = Bits::new();
        bits.set_range(62, 130);
        bits.keep_range(64, 128);
        bits.set(65_535);
        bits.unset(70);
        let upwards = members(&bits, false);
        assert_eq!((upwards.first(), upwards.last(), upwards.len()), (Some(&64), Some(&65_535), 65));
        let mut downwards = members(&bits, true);
        downwards.reverse();
        assert_eq!(upwards, downwards);
        bits.keep_range(0, 65_535);
        assert_eq!(members(&bits, false), upwards);
        bits.keep_range(200, 100);
        assert!(bits.is_empty());
    }
}
