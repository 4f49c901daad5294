//! The terms of the events of one run while it is being made, in memory.

use crate::term::hash;

/// Positions of terms after which a run ends, so that large events cannot take all memory: 30 MB at the worst.
pub(crate) const MAX_POSTINGS: usize = 1 << 18;

/// Slots kept between runs.
const IDLE_SLOTS: usize = 1 << 12;

#[derive(Default)]
pub(crate) struct Gather {
    /// Open addressing: number of an entry plus one. The length is a power of two, at most half in use.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    text: Vec<u8>,
    /// Entry and place, in the order in which they came.
    postings: Vec<(u32, u16)>,
}

struct Entry {
    hash: u32,
    start: u32,
    length: u32,
    postings: u32,
    last: u16,
}

impl Gather {
    pub(crate) fn is_full(&self) -> bool {
        self.postings.len() >= MAX_POSTINGS
    }

    /// Notes that the event at `low` has the term; places come in ascending order.
    pub(crate) fn add(&mut self, kind: u8, text: &[u8], low: u16) {
        if self.entries.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let full_hash = hash(text) ^ (u64::from(kind) << 17);
        let short = (full_hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut slot = full_hash as usize & mask;
        let number = loop {
            match self.slots[slot] {
                0 => break self.insert(slot, short, kind, text),
                taken if self.is(taken - 1, short, kind, text) => break taken - 1,
                _ => slot = (slot + 1) & mask,
            }
        };
        let entry = &mut self.entries[number as usize];
        if entry.postings == 0 || entry.last != low {
            entry.postings += 1;
            entry.last = low;
            self.postings.push((number, low));
        }
    }

    /// Calls `visit` with each term, in order, and its places, and forgets them all.
    pub(crate) fn drain<E>(
        &mut self,
        mut visit: impl FnMut(&[u8], &[u16]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (starts, places) = self.places();
        let mut order: Vec<(u64, u32)> =
            (0..self.entries.len() as u32).map(|number| (sort_key(self.term(number)), number)).collect();
        order.sort_unstable_by(|(key, number), (other_key, other)| {
            key.cmp(other_key).then_with(|| self.term(*number).cmp(self.term(*other)))
        });
        for (_, number) in order {
            let start = starts[number as usize] as usize;
            let count = self.entries[number as usize].postings as usize;
            visit(self.term(number), &places[start..start + count])?;
        }
        self.clear();
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.entries.clear();
        self.text.clear();
        self.postings.clear();
    }

    /// Gives memory back that only bulk work needs.
    pub(crate) fn release(&mut self) {
        if self.slots.len() > IDLE_SLOTS {
            *self = Self::default();
        }
    }

    /// The places of all entries, one entry after the other, and where each begins.
    fn places(&self) -> (Vec<u32>, Vec<u16>) {
        let mut starts = Vec::with_capacity(self.entries.len());
        let mut total = 0;
        for entry in &self.entries {
            starts.push(total);
            total += entry.postings;
        }
        let mut next = starts.clone();
        let mut places = vec![0; self.postings.len()];
        for (number, low) in &self.postings {
            let at = &mut next[*number as usize];
            places[*at as usize] = *low;
            *at += 1;
        }
        (starts, places)
    }

    fn term(&self, number: u32) -> &[u8] {
        let entry = &self.entries[number as usize];
        &self.text[entry.start as usize..][..entry.length as usize]
    }

    fn is(&self, number: u32, hash: u32, kind: u8, text: &[u8]) -> bool {
        let entry = &self.entries[number as usize];
        entry.hash == hash && {
            let term = self.term(number);
            term[0] == kind && &term[1..] == text
        }
    }

    fn insert(&mut self, slot: usize, hash: u32, kind: u8, text: &[u8]) -> u32 {
        let number = self.entries.len() as u32;
        let start = self.text.len() as u32;
        self.text.push(kind);
        self.text.extend_from_slice(text);
        self.entries.push(Entry { hash, start, length: text.len() as u32 + 1, postings: 0, last: 0 });
        self.slots[slot] = number + 1;
        number
    }

    fn grow(&mut self) {
        let length = (self.slots.len() * 2).max(1024);
        self.slots.clear();
        self.slots.resize(length, 0);
        for number in 0..self.entries.len() as u32 {
            let term = self.term(number);
            let full_hash = hash(&term[1..]) ^ (u64::from(term[0]) << 17);
            let mut slot = full_hash as usize & (length - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (length - 1);
            }
            self.slots[slot] = number + 1;
        }
    }
}

/// The first eight bytes as a number that sorts as they do.
pub(crate) fn sort_key(term: &[u8]) -> u64 {
    let mut key = [0; 8];
    let length = term.len().min(8);
    key[..length].copy_from_slice(&term[..length]);
    u64::from_be_bytes(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_each_term_once_in_order_with_its_places() {
        let mut gather = Gather::default();
        for low in 0..3000u16 {
            gather.add(b'w', b"every", low);
            gather.add(b'w', b"every", low);
            gather.add(b'w', format!("word{}", low % 1500).as_bytes(), low);
        }
        gather.add(b't', b"", 3000);
        let mut seen: Vec<(Vec<u8>, Vec<u16>)> = Vec::new();
        let mut note = |term: &[u8], lows: &[u16]| {
            seen.push((term.to_vec(), lows.to_vec()));
            Ok::<_, ()>(())
        };
        gather.drain(&mut note).unwrap();
        assert!(seen.is_sorted_by(|(term, _), (next, _)| term < next));
        assert_eq!(seen.len(), 1502);
        assert_eq!(seen[0], (b"t".to_vec(), vec![3000]));
        assert_eq!(seen[1].1.len(), 3000);
        assert_eq!(seen.iter().find(|(term, _)| term == b"wword7").unwrap().1, [7, 1507]);
        gather.drain(|_, _| Err("nothing is left")).unwrap();
    }
}
