//! Counts that remember where in their source they were made.

/// Counts with the marks at which they were made, in growing order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(Vec<(u64, u64)>);

impl Marks {
    pub(super) fn add(&mut self, mark: u64, count: u64) {
        match self.0.last_mut() {
            Some((last, sum)) if *last == mark => *sum = sum.saturating_add(count),
            _ => self.0.push((mark, count)),
        }
    }

    /// Takes the counts of another one; [`settle`](Self::settle) has to follow.
    pub(super) fn append(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Puts what was appended into order.
    pub(super) fn settle(&mut self) {
        self.0.sort_by_key(|(mark, _)| *mark);
        self.0.dedup_by(|(later, more), (earlier, sum)| {
            let same = later == earlier;
            if same {
                *sum = sum.saturating_add(*more);
            }
            same
        });
    }

    /// The mark of the first count; 0 if there is none.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.0.first().map_or(0, |(mark, _)| *mark)
    }

    /// The mark of the last count; 0 if there is none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.0.last().map_or(0, |(mark, _)| *mark)
    }

    /// The sum of the counts made at `mark` or later.
    #[must_use]
    pub fn since(&self, mark: u64) -> u64 {
        self.parts_since(mark).fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// The counts made at `mark` or later, with their marks.
    pub(super) fn parts_since(&self, mark: u64) -> impl Iterator<Item = (u64, u64)> {
        let from = self.0.partition_point(|(at, _)| *at < mark);
        self.0[from..].iter().copied()
    }
}
