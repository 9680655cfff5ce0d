//! The folds of several lists over one pass, distributed over the cores.

use std::ops::Range;

use daicho_projections::{Changed, Fold, List, Partition, SLICES, Shown};
use daicho_values::Date;

use crate::error::Failure;

/// A fold of every list for each core.
pub(crate) struct Folds {
    /// One entry for each core.
    pub(crate) parts: Vec<Vec<Box<dyn Fold>>>,
    /// The first slice that they may hold.
    pub(crate) first: u32,
    /// The end of the slices that they hold.
    pub(crate) end: u32,
}

/// The folds of one list, one for each core.
pub(crate) struct ListFolds(Vec<Box<dyn Fold>>);

impl Folds {
    /// Empty folds of whole lists.
    pub(crate) fn start(lists: &[&'static dyn List]) -> Self {
        let whole = lists.iter().map(|list| (*list, Partition::WHOLE));
        Self::over(&whole.collect::<Vec<_>>(), 0..SLICES)
    }

    /// Empty folds of those slices of lists that are within `range`.
    pub(crate) fn over(slices: &[(&'static dyn List, Partition)], range: Range<u32>) -> Self {
        let of = u32::try_from(cores()).unwrap_or(1);
        let mut parts: Vec<Vec<Box<dyn Fold>>> = (0..of).map(|_| Vec::new()).collect();
        for (list, partition) in slices {
            let dealt = partition.dealt(of).map(|share| list.start(share));
            parts.iter_mut().zip(dealt).for_each(|(part, fold)| part.push(fold));
        }
        Self { parts, first: range.start, end: range.end }
    }

    /// The number of rows held.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().flatten().map(|fold| fold.len()).sum()
    }

    /// For every list, in the order given, the folds of its parts.
    pub(crate) fn by_list(self) -> Vec<ListFolds> {
        let lists = self.parts.first().map_or(0, Vec::len);
        let mut by_list: Vec<_> = (0..lists).map(|_| ListFolds(Vec::new())).collect();
        for part in self.parts {
            by_list.iter_mut().zip(part).for_each(|(folds, fold)| folds.0.push(fold));
        }
        by_list
    }
}

impl ListFolds {
    /// Folds events one after the other.
    pub(crate) fn parts(self) -> impl Iterator<Item = Box<dyn Fold>> {
        self.0.into_iter()
    }

    /// Takes out the rows of a slice, which one of the parts holds.
    pub(crate) fn take_slice(&mut self, slice: u32, on: Date) -> Result<Changed<Shown>, Failure> {
        let mut rows = Vec::new();
        for fold in &mut self.0 {
            rows.append(&mut fold.take_slice(slice, on)?);
        }
        Ok(rows)
    }
}

/// How many threads work at once.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
