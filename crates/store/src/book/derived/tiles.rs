//! The Merkle tree of RFC 6962 cut into tiles of 256 hashes, as C2SP tlog-tiles lays it out.
//!
//! Level 0 holds leaf hashes; a hash of level n + 1 is the root of a full tile of level n. The last
//! tile of a level may be partial and is written again until it is full.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// Hashes of a full tile (tlog-tiles, "Merkle Tree").
pub(super) const TILE_WIDTH: usize = 256;
/// Bits of a leaf's number that one level takes up.
const TILE_HEIGHT: u32 = 8;
/// Levels that a tree with 64-bit positions can have.
pub(super) const LEVELS_MAX: u8 = 8;
/// Put before the two children (RFC 6962, 2.1).
const NODE_PREFIX: [u8; 1] = [1];

/// Some consecutive hashes of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tile {
    /// 0: leaf hashes.
    pub(super) level: u8,
    /// Number of the tile in its level, from 0.
    pub(super) index: u64,
    /// At least one hash, at most [`TILE_WIDTH`].
    pub(super) hashes: Vec<Hash>,
}

impl Tile {
    /// The stored form: the hashes one after the other.
    pub(super) fn encode(&self) -> Vec<u8> {
        assert!((1..=TILE_WIDTH).contains(&self.hashes.len()), "a tile holds 1 to 256 hashes");
        self.hashes.as_flattened().to_vec()
    }
}

/// Reads the stored form; none when it is no tile.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let fits = (1..=TILE_WIDTH).contains(&hashes.len()) && rest.is_empty();
    fits.then(|| hashes.to_vec())
}

/// Root of a full tile, or of any subtree whose leaves are a power of two.
pub(super) fn root(hashes: &[Hash]) -> Hash {
    let mut layer = hashes.to_vec();
    while layer.len() > 1 {
        assert!(layer.len().is_multiple_of(2), "a tile's root is that of a perfect tree");
        let (pairs, _) = layer.as_chunks::<2>();
        layer = pairs.iter().map(|[left, right]| node(left, right)).collect();
    }
    layer.first().copied().unwrap_or_default()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(NODE_PREFIX);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// Which tiles of a tree with `leaves` leaves are partial: level, index and width of each.
pub(super) fn partial_tiles(leaves: u64) -> Vec<(u8, u64, usize)> {
    let mut partial = Vec::new();
    let mut count = leaves;
    for level in 0..LEVELS_MAX {
        let width = count % TILE_WIDTH as u64;
        if let Ok(width @ 1..) = usize::try_from(width) {
            partial.push((level, count >> TILE_HEIGHT, width));
        }
        count >>= TILE_HEIGHT;
    }
    partial
}

/// The tiles that `leaves` make or fill, after `count` leaves whose last tiles are `partial`.
pub(super) fn grow(count: u64, partial: &[Tile], leaves: &[Hash]) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let mut incoming = leaves.to_vec();
    let mut count = count;
    for level in 0..LEVELS_MAX {
        if incoming.is_empty() {
            break;
        }
        let begun = partial.iter().find(|tile| tile.level == level);
        let mut hashes = begun.map(|tile| tile.hashes.clone()).unwrap_or_default();
        assert!(hashes.len() as u64 == count % TILE_WIDTH as u64, "the partial tile is the last");
        hashes.append(&mut incoming);
        for (index, chunk) in (count >> TILE_HEIGHT..).zip(hashes.chunks(TILE_WIDTH)) {
            if chunk.len() == TILE_WIDTH {
                incoming.push(root(chunk));
            }
            tiles.push(Tile { level, index, hashes: chunk.to_vec() });
        }
        count >>= TILE_HEIGHT;
    }
    tiles
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    pub(in super::super) fn leaf(number: u64) -> Hash {
        Sha256::digest(number.to_be_bytes()).into()
    }

    /// RFC 6962, 2.1, word for word.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [one] => *one,
            many => {
                let mut split = 1;
                while split * 2 < many.len() {
                    split *= 2;
                }
                node(&naive_root(&many[..split]), &naive_root(&many[split..]))
            }
        }
    }

    #[test]
    fn tiles_grown_block_by_block_are_the_subtrees_of_the_rfc() {
        for block in [8, 24, 256, 1_000, 4_096] {
            let leaves: Vec<Hash> = (0..70_000).map(leaf).collect();
            let mut stored = BTreeMap::new();
            let mut count = 0_u64;
            for chunk in leaves.chunks(block) {
                let partial: Vec<Tile> = partial_tiles(count)
                    .into_iter()
                    .map(|(level, index, width)| {
                        let hashes: &Vec<Hash> = &stored[&(level, index)];
                        assert_eq!(hashes.len(), width);
                        Tile { level, index, hashes: hashes.clone() }
                    })
                    .collect();
                for tile in grow(count, &partial, chunk) {
                    stored.insert((tile.level, tile.index), tile.hashes);
                }
                count += chunk.len() as u64;
            }
            let levels: Vec<u8> = stored.keys().map(|(level, _)| *level).collect();
            assert_eq!(levels.last(), Some(&2));
            let flat = |wanted: u8| -> Vec<Hash> {
                let of_level = stored.iter().filter(|((level, _), _)| *level == wanted);
                of_level.flat_map(|(_, hashes)| hashes.clone()).collect()
            };
            assert_eq!(flat(0), leaves);
            let subtrees =
                |size: usize| -> Vec<Hash> { leaves.chunks_exact(size).map(naive_root).collect() };
            assert_eq!(flat(1), subtrees(256));
            assert_eq!(flat(2), subtrees(65_536));
        }
    }

    #[test]
    fn a_stored_tile_comes_back_and_anything_else_is_refused() {
        let tile = Tile { level: 0, index: 0, hashes: (0..5).map(leaf).collect() };
        assert_eq!(decode(&tile.encode()), Some(tile.hashes));
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[0; 33]), None);
        assert_eq!(decode(&[0; 257 * 32]), None);
    }
}
