//! What every format that has a memory would write alike.

/// The part of a [`LogFormat`](crate::format::LogFormat) that is its memory's, saved as version `$version`: a format is a
/// memory, or has one in the field `$field` and makes itself of one with `$of`.
macro_rules! remembers {
    ($version:expr) => {
        $crate::memory::remembers!($version, 0, Self);
    };
    ($version:expr, $field:tt, $of:expr) => {
        const STATE: u8 = $version;

        fn settle_due<S: $crate::proofs::Sink>(
            &mut self,
            time: i64,
            arrival: $crate::place::Arrival,
            sink: &mut S,
        ) {
            self.$field.settle_due(time, arrival, sink);
        }

        fn due(&self) -> i64 {
            self.$field.due()
        }

        fn close(&mut self, mark: u64, sink: &mut impl $crate::proofs::Sink) {
            self.$field.close(mark, sink);
        }

        fn waits(&self) -> bool {
            let load = self.$field.load();
            load.sessions + load.messages > 0
        }

        fn save(&self) -> Vec<u8> {
            self.$field.save()
        }

        fn restore(version: u8, bytes: &[u8]) -> Result<Self, $crate::saved::StateError> {
            match version {
                Self::STATE => $crate::memory::Memory::restore(bytes)
                    .map($of)
                    .ok_or($crate::saved::StateError::Damaged),
                found => Err($crate::saved::StateError::Version { found, known: Self::STATE }),
            }
        }

        fn weight(&self) -> usize {
            self.$field.weight()
        }

        fn evict(&mut self, down_to: usize, mark: u64, sink: &mut impl $crate::proofs::Sink) {
            self.$field.evict(down_to, mark, sink);
        }

        fn load(&self) -> $crate::load::Load {
            self.$field.load()
        }

        fn clock(&self) -> i64 {
            self.$field.clock()
        }
    };
}
pub(crate) use remembers;
