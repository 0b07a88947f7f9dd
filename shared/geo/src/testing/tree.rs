//! The search tree: a node for each bit in which networks differ.

/// Where a record leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Record {
    #[default]
    Nowhere,
    Node(usize),
    /// Bytes from the beginning of the data.
    Data(u32),
}

/// Bytes of zeros before the data, which records count too.
const SEPARATOR: u32 = 16;

/// A tree with its root.
#[derive(Debug)]
pub(super) struct Tree(Vec<[Record; 2]>);

impl Default for Tree {
    fn default() -> Self {
        Self(vec![[Record::Nowhere; 2]])
    }
}

impl Tree {
    /// Lets the network of the first `bits` of `path` lead to data. A network of no bits is both halves of the tree.
    pub(super) fn insert(&mut self, path: u128, bits: u32, data: u32) {
        if bits == 0 {
            self.0 = vec![[Record::Data(data); 2]];
        } else {
            self.set(path, bits, Record::Data(data));
        }
    }

    /// Lets other networks lead to where one does.
    pub(super) fn alias(&mut self, path: u128, bits: u32, others: &[(u128, u32)]) {
        let (node, side) = self.place(path, bits);
        let target = self.0[node][side];
        for (path, bits) in others {
            self.set(*path, *bits, target);
        }
    }

    fn set(&mut self, path: u128, bits: u32, record: Record) {
        let (node, side) = self.place(path, bits);
        self.0[node][side] = record;
    }

    /// The node and the side of it that is the last of so many bits, made if it is not there.
    fn place(&mut self, path: u128, bits: u32) -> (usize, usize) {
        let mut node = 0;
        for depth in 0..bits {
            let side = usize::from(path << depth >> 127 == 1);
            if depth + 1 == bits {
                return (node, side);
            }
            let next = self.0.len();
            node = match self.0[node][side] {
                Record::Node(next) => next,
                whole => {
                    // What the larger network leads to, both of its halves do.
                    self.0[node][side] = Record::Node(next);
                    self.0.push([whole; 2]);
                    next
                }
            };
        }
        (node, 0)
    }

    /// The records as numbers: of a node, the number of nodes for nowhere, or beyond it.
    ///
    /// # Panics
    /// If there are too many.
    pub(super) fn records(&self) -> Vec<[u32; 2]> {
        let number = |number: usize| u32::try_from(number).expect("a number of 32 bits");
        let count = number(self.0.len());
        let record = |record: Record| match record {
            Record::Nowhere => count,
            Record::Node(node) => number(node),
            Record::Data(offset) => count + SEPARATOR + offset,
        };
        self.0.iter().map(|sides| sides.map(record)).collect()
    }
}
