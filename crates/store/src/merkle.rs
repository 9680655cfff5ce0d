//! The hash tree of RFC 6962 over the envelopes, as far as an append needs it. A compact frontier
//! holds one node for each set bit of the size, so that a leaf costs one hash or two.

use sha2::{Digest, Sha256};

/// A SHA-256 hash: of a leaf, of a node, or the root.
pub type Hash = [u8; 32];

const LEAF_PREFIX: [u8; 1] = [0];
const NODE_PREFIX: [u8; 1] = [1];
const SIZE_BYTES: usize = 8;

/// Hash of a leaf: SHA-256(0x00 ‖ envelope), RFC 6962 section 2.1.
#[must_use]
pub fn leaf_hash(envelope: &[u8]) -> Hash {
    Sha256::new().chain_update(LEAF_PREFIX).chain_update(envelope).finalize().into()
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962 section 2.1.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update(NODE_PREFIX).chain_update(left).chain_update(right).finalize().into()
}

/// The right edge of the tree: the roots of its perfect subtrees, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Hash>,
}

impl Frontier {
    /// Leaves in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the smallest perfect subtree, which ends at the last leaf.
    #[must_use]
    pub fn last_node(&self) -> Option<&Hash> {
        self.nodes.last()
    }

    /// Adds a leaf on the right.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each set bit at the low end is a perfect subtree that the new leaf completes to the next
        // size.
        for _ in 0..self.size.trailing_ones() {
            let left = self.nodes.pop();
            assert!(left.is_some(), "a frontier holds a node for each bit of its size");
            if let Some(left) = left {
                node = node_hash(&left, &node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
        assert_eq!(self.nodes.len(), one_bits(self.size), "one node a set bit");
    }

    /// Root of the tree; SHA-256 of nothing for the empty one.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut nodes = self.nodes.iter().rev();
        let Some(last) = nodes.next() else { return Sha256::digest([]).into() };
        nodes.fold(*last, |right, left| node_hash(left, &right))
    }

    /// The size (8 bytes, big end first), then the nodes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIZE_BYTES + self.nodes.len() * 32);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for node in &self.nodes {
            bytes.extend_from_slice(node);
        }
        bytes
    }

    /// Reads what [`Frontier::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk::<SIZE_BYTES>()?;
        let size = u64::from_be_bytes(*size);
        let (nodes, left_over) = rest.as_chunks::<32>();
        (left_over.is_empty() && nodes.len() == one_bits(size))
            .then(|| Self { size, nodes: nodes.to_vec() })
    }
}

fn one_bits(size: u64) -> usize {
    usize::try_from(size.count_ones()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Merkle tree hash as RFC 6962 section 2.1 defines it, word for word.
    fn naive_root(leaves: &[Vec<u8>]) -> Hash {
        match leaves.len() {
            0 => Sha256::digest([]).into(),
            1 => leaf_hash(&leaves[0]),
            size => {
                let split = size.next_power_of_two() / 2;
                node_hash(&naive_root(&leaves[..split]), &naive_root(&leaves[split..]))
            }
        }
    }

    fn frontier_of(leaves: &[Vec<u8>]) -> Frontier {
        let mut frontier = Frontier::default();
        for leaf in leaves {
            frontier.push(leaf_hash(leaf));
        }
        frontier
    }

    #[test]
    fn the_published_roots_come_out() {
        // The eight leaves and roots of the certificate-transparency reference test data.
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        .map(|text| hex::decode(text).unwrap());
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, root) in roots.iter().enumerate() {
            assert_eq!(hex::encode(frontier_of(&leaves[..size]).root()), *root, "size {size}");
        }
    }

    #[test]
    fn the_frontier_agrees_with_the_definition_at_every_size() {
        let leaves: Vec<Vec<u8>> = (0..131_u32).map(|n| n.to_be_bytes().to_vec()).collect();
        for size in 0..=130 {
            let frontier = frontier_of(&leaves[..size]);
            assert_eq!(frontier.root(), naive_root(&leaves[..size]), "size {size}");
            assert_eq!(Frontier::decode(&frontier.encode()), Some(frontier), "size {size}");
        }
    }

    #[test]
    fn a_frontier_with_a_node_too_few_or_a_byte_too_many_is_not_read() {
        let frontier = frontier_of(&[vec![1], vec![2], vec![3]]);
        let bytes = frontier.encode();
        assert_eq!(Frontier::decode(&bytes[..bytes.len() - 32]), None);
        assert_eq!(Frontier::decode(&[bytes.as_slice(), &[0]].concat()), None);
        assert_eq!(Frontier::decode(&bytes[..7]), None);
    }
}
