//! Wrappers: what a mail server's log lines are put into on their way.
//!
//! A wrapper is one file in this folder and one line in the list at the end of this file. Wrappers stand in each
//! other in any order: what one takes out is offered to all again.

mod colours;
pub(crate) mod cri;
mod header;
mod level;
mod within;

pub(crate) use self::csv::Cells;

use crate::record::Record;
use crate::saved::Section;
use crate::time::Timestamps;
use crate::wrapper::{Unwrapped, Wrapper};

/// Makes one type of all wrappers out of their list, `file::Type` each.
macro_rules! wrappers {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        $(mod $module;)+

        /// One of each wrapper.
        #[derive(Debug, Default)]
        pub(crate) struct Wrappers {
            $($module: $module::$name,)+
        }

        impl Wrappers {
            /// The name of every one, for people.
            pub(crate) const NAMES: &[&str] = &[$(stringify!($module)),+];

            /// What the first wrapper finds that finds anything, and its place among the [names](Self::NAMES).
            #[inline]
            pub(crate) fn unwrap<'a>(
                &mut self,
                record: &Record<'a>,
                reference: i64,
                times: &mut Timestamps,
            ) -> (Unwrapped<'a>, usize) {
                let number = 0;
                $(
                    match self.$module.unwrap(record, reference, times) {
                        Unwrapped::Not => {}
                        found => return (found, number),
                    }
                    let number = number + 1;
                )+
                (Unwrapped::Not, number)
            }

            /// See [`Wrapper::unwrap_alike`].
            #[inline]
            pub(crate) fn unwrap_alike<'a>(
                &self,
                line: &'a [u8],
                reference: i64,
            ) -> Option<(Record<'a>, usize)> {
                let number = 0;
                $(
                    if let Some(record) = self.$module.unwrap_alike(line, reference) {
                        return Some((record, number));
                    }
                    let number = number + 1;
                )+
                let _ = number;
                None
            }

            /// What wrappers remember between batches: a section each, but none of those that remember nothing.
            pub(crate) fn save(&self) -> Vec<Section> {
                let sections = [$(Section {
                    format: stringify!($module).to_owned(),
                    version: 1,
                    bytes: self.$module.save(),
                }),+];
                sections.into_iter().filter(|section| !section.bytes.is_empty()).collect()
            }

            /// Goes on from a section; false if it is no wrapper's.
            pub(crate) fn restore(&mut self, section: &Section) -> bool {
                match section.format.as_str() {
                    $(stringify!($module) if $module::$name::REMEMBERS => {
                        self.$module.restore(&section.bytes);
                        true
                    })+
                    _ => false,
                }
            }
        }
    };
}

// The list. Messages are offered from the first to the last.
wrappers! {
    json::Json,
    fluent::Fluent,
    csv::Csv,
    syslog::Syslog,
    front::Front,
}

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tests;
