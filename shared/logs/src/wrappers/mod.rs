//! Wrappers: what a mail server's log lines are put into on their way.
//!
//! A wrapper is one file in this folder and one line in the list at the end of this file. Wrappers stand in each
//! other in any order: what one takes out is offered to all again.

use crate::record::Record;
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
            /// What the first wrapper finds that finds anything.
            #[inline]
            pub(crate) fn unwrap<'a>(
                &mut self,
                record: &Record<'a>,
                reference: i64,
                times: &mut Timestamps,
            ) -> Unwrapped<'a> {
                $(match self.$module.unwrap(record, reference, times) {
                    Unwrapped::Not => {}
                    found => return found,
                })+
                Unwrapped::Not
            }

            /// See [`Wrapper::unwrap_alike`].
            #[inline]
            pub(crate) fn unwrap_alike<'a>(
                &self,
                line: &'a [u8],
                reference: i64,
            ) -> Option<Record<'a>> {
                None$(.or_else(|| self.$module.unwrap_alike(line, reference)))+
            }
        }
    };
}

// The list. Messages are offered from the first to the last.
wrappers! {
    json::Json,
    syslog::Syslog,
}
