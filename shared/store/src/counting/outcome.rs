//! What writing came to.

/// What writing a tally came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Items written.
    pub items: u64,
    /// Messages and failed authentications that the store had already.
    pub duplicates: u64,
    /// Messages and failed authentications of days that were rebuilt from their archives: these are not counted.
    pub rebuilt: u64,
    /// Write capacity units consumed.
    pub write_units: f64,
}

impl<'o> std::iter::Sum<&'o Self> for Outcome {
    fn sum<I: Iterator<Item = &'o Self>>(outcomes: I) -> Self {
        outcomes.fold(Self::default(), |mut sum, outcome| {
            sum.add(outcome);
            sum
        })
    }
}

impl Outcome {
    /// Adds another outcome to this.
    pub fn add(&mut self, other: &Self) {
        self.items += other.items;
        self.duplicates += other.duplicates;
        self.rebuilt += other.rebuilt;
        self.write_units += other.write_units;
    }
}
