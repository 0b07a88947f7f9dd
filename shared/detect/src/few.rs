//! Short lists.

use std::cmp::Ordering;
use std::slice;

/// A list in order, of which most have one: that needs no room elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Few<T> {
    first: Option<T>,
    more: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { first: None, more: Vec::new() }
    }
}

impl<T> Few<T> {
    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.into_iter()
    }

    /// The one that compares as equal, which may be new.
    pub(crate) fn find(
        &mut self,
        mut compare: impl FnMut(&T) -> Ordering,
        new: impl FnOnce() -> T,
    ) -> &mut T {
        match self.first.as_ref().map_or(Ordering::Greater, &mut compare) {
            Ordering::Equal => self.first.get_or_insert_with(new),
            Ordering::Less => find(&mut self.more, compare, new),
            Ordering::Greater => {
                self.more.splice(0..0, self.first.take());
                self.first.insert(new())
            }
        }
    }
}

/// The one of a list in order that compares as equal, which may be new.
pub(crate) fn find<T>(
    list: &mut Vec<T>,
    compare: impl FnMut(&T) -> Ordering,
    new: impl FnOnce() -> T,
) -> &mut T {
    let at = list.binary_search_by(compare).unwrap_or_else(|at| {
        if list.is_empty() {
            // Most get no second one.
            list.reserve_exact(1);
        }
        list.insert(at, new());
        at
    });
    &mut list[at]
}

impl<'f, T> IntoIterator for &'f Few<T> {
    type Item = &'f T;
    type IntoIter = std::iter::Chain<std::option::Iter<'f, T>, slice::Iter<'f, T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.iter().chain(&self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_in_order_and_each_is_there_once() {
        for names in ["", "b", "bb", "ab", "ba", "cabbac", "fedcba", "abcdef"] {
            let mut few = Few::default();
            for name in names.chars() {
                let (_, times) =
                    few.find(|(known, _): &(char, usize)| known.cmp(&name), || (name, 0));
                *times += 1;
            }
            let mut expected: Vec<_> = names.chars().collect();
            expected.sort_unstable();
            let told = few.iter().flat_map(|(name, times)| std::iter::repeat_n(*name, *times));
            assert_eq!(told.collect::<Vec<_>>(), expected);
            expected.dedup();
            assert_eq!(few.iter().count(), expected.len());
        }
    }
}
