//! The Merkle tree over all events (RFC 6962, section 2.1), kept as its frontier: the roots of the
//! perfect subtrees, largest first. Appending costs one inner hash on average.

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// The frontier of a tree of `size` leaves: one peak for each bit that is set in `size`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// A frontier that was stored; `None` when the number of peaks does not fit the size.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut carry = self.size;
        while carry & 1 == 1 {
            let left = self.peaks.pop().unwrap_or_default();
            hash = inner(&left, &hash);
            carry >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Sha256::digest(b"").into() };
        peaks.fold(*last, |right, left| inner(left, &right))
    }
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0; 65];
    bytes[0] = 1;
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// What a leaf says of its event: everything but salt and body, which stand behind the commitment.
pub struct Entry<'a> {
    pub position: u64,
    pub recorded_ns: i64,
    pub sequence: u64,
    /// `LP(stream) ‖ LP(source) ‖ LP(id) ‖ LP(type)`.
    pub names: &'a [u8],
    pub commitment: &'a Hash,
}

impl Entry<'_> {
    /// SHA-256(0x00 ‖ entry). `scratch` saves an allocation.
    pub fn leaf(&self, scratch: &mut Vec<u8>) -> Hash {
        scratch.clear();
        scratch.push(0);
        scratch.extend_from_slice(&self.position.to_be_bytes());
        scratch.extend_from_slice(&self.recorded_ns.to_be_bytes());
        scratch.extend_from_slice(&self.sequence.to_be_bytes());
        scratch.extend_from_slice(self.names);
        scratch.extend_from_slice(self.commitment);
        Sha256::digest(&scratch).into()
    }
}

/// SHA-256(salt ‖ body).
pub fn commitment(salt: &[u8; 16], body: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(body).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, word for word.
    fn reference(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [one] => *one,
            many => {
                let split = many.len().next_power_of_two() / 2;
                inner(&reference(&many[..split]), &reference(&many[split..]))
            }
        }
    }

    #[test]
    fn agrees_with_the_definition_at_every_size() {
        let leaves: Vec<Hash> =
            (0u64..70).map(|number| Sha256::digest(number.to_be_bytes()).into()).collect();
        let mut tree = Tree::default();
        for size in 0..leaves.len() {
            assert_eq!(tree.root(), reference(&leaves[..size]), "size {size}");
            assert_eq!(Tree::from_peaks(tree.size(), tree.peaks().to_vec()), Some(tree.clone()));
            tree.push(leaves[size]);
        }
    }
}
