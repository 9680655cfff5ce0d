//! What stands after a crash, for traces written by hand.

use super::*;

const A: Inode = Inode(1);

fn create() -> Operation {
    Operation::Create { name: "a-wal".into(), inode: A }
}

fn write(offset: usize, byte: u8, length: usize) -> Operation {
    Operation::Write { inode: A, offset, bytes: vec![byte; length] }
}

fn sync(with_folder: bool) -> Operation {
    Operation::Sync { inode: A, with_folder }
}

fn remove(with_folder: bool) -> Operation {
    Operation::Remove { name: "a-wal".into(), with_folder }
}

/// The file after a crash that follows these operations; none if its name is lost.
fn left(operations: &[Operation], loss: Loss, seed: u64) -> Option<Vec<u8>> {
    let trace = Trace { operations: operations.to_vec(), ..Trace::default() };
    let mut replay = Replay::new(&trace);
    replay.advance_to(operations.len());
    let image = replay.image(loss, &mut Rng::with_seed(seed));
    image.files().get("a-wal").map(|bytes| bytes.written.clone())
}

#[test]
fn a_kill_loses_nothing_and_a_power_loss_what_was_not_synced() {
    let life = [create(), write(0, 1, 2), sync(true), write(2, 2, 2)];
    assert_eq!(left(&life, Loss::Nothing, 0), Some(vec![1, 1, 2, 2]));
    assert_eq!(left(&life, Loss::Unsynced, 0), Some(vec![1, 1]));
    assert_eq!(left(&life, Loss::StaleWal, 0), Some(vec![1, 1]));
    assert_eq!(left(&life, Loss::StaleDatabase, 0), Some(vec![1, 1, 2, 2]));
}

#[test]
fn a_name_is_durable_once_its_folder_is_synced() {
    assert_eq!(left(&[create(), write(0, 1, 2), sync(false)], Loss::Unsynced, 0), None);
    let kept = [create(), write(0, 1, 2), sync(true)];
    assert_eq!(left(&kept, Loss::Unsynced, 0), Some(vec![1, 1]));
    let removed = |with_folder| [kept.as_slice(), &[remove(with_folder)]].concat();
    assert_eq!(left(&removed(false), Loss::Nothing, 0), None);
    assert_eq!(left(&removed(false), Loss::StaleWal, 0), Some(vec![1, 1]), "it comes back");
    assert_eq!(left(&removed(true), Loss::StaleWal, 0), None);
}

#[test]
fn after_a_failed_sync_what_was_written_before_it_never_becomes_durable() {
    let failed = Operation::FailedSync { inode: A };
    let life = [create(), sync(true), write(0, 1, 2), failed, write(2, 2, 2), sync(false)];
    assert_eq!(left(&life, Loss::Nothing, 0), Some(vec![1, 1, 2, 2]));
    assert_eq!(left(&life, Loss::Unsynced, 0), Some(vec![0, 0, 2, 2]));
}

#[test]
fn writes_that_were_not_synced_stand_in_every_combination() {
    let life = [create(), sync(true), write(0, 1, 1), write(1, 2, 1)];
    let mut seen: Vec<_> = (0..64).filter_map(|seed| left(&life, Loss::Reordered, seed)).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, [vec![], vec![0, 2], vec![1], vec![1, 2]]);
}

#[test]
fn a_write_tears_between_sectors_and_nothing_after_it_stands() {
    let life = [create(), sync(true), write(0, 1, 1_536), write(1_536, 2, 1)];
    let mut torn = 0;
    for seed in 0..64 {
        let bytes = left(&life, Loss::Torn, seed).unwrap_or_default();
        assert!(bytes.len() <= 1_537);
        for sector in bytes.chunks(SECTOR_BYTES) {
            assert!(sector.iter().all(|byte| Some(byte) == sector.first()), "a sector is whole");
        }
        let (some, all) = (bytes.contains(&1), bytes.iter().filter(|byte| **byte == 1).count());
        torn += usize::from(some && all < 1_536);
        assert!(!bytes.contains(&2) || all == 1_536, "what comes later is lost");
    }
    assert!(torn > 8, "only {torn} of 64 are torn");
}

#[test]
fn a_crash_leaves_an_old_index_beside_a_log() {
    let trace = Trace { operations: vec![create(), sync(true)], ..Trace::default() };
    let mut replay = Replay::new(&trace);
    replay.advance_to(2);
    let image = replay.image(Loss::Unsynced, &mut Rng::with_seed(1));
    assert_eq!(image.files().keys().map(|name| &**name).collect::<Vec<_>>(), ["a-shm", "a-wal"]);
}
