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
