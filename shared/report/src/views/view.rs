//! The list of reports.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{tls, volume};
use crate::counting::tls::TlsCounts;

/// Each line is a report, and the module that has its `NAME`, its `TITLE`, and what its table has between the
/// rows' names and their message counts: the heads of the `columns` and a row's `cells`.
macro_rules! views {
    ($($(#[$about:meta])* $view:ident = $module:ident,)+) => {
        /// A report that people look at, download, or have mailed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum View {
            $($(#[$about])* $view,)+
        }

        impl View {
            /// All of them.
            pub const ALL: [Self; [$($module::NAME),+].len()] = [$(Self::$view),+];

            /// The name in paths, files and requests.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$view => $module::NAME,)+
                }
            }

            /// What people call it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$view => $module::TITLE,)+
                }
            }

            pub(super) fn columns(self) -> Vec<String> {
                match self {
                    $(Self::$view => $module::columns(),)+
                }
            }

            pub(super) fn cells(self, counts: &TlsCounts) -> Vec<String> {
                match self {
                    $(Self::$view => $module::cells(counts),)+
                }
            }
        }
    };
}

views! {
    /// Messages: per day, and by group.
    SendingVolume = volume,
    /// TLS versions: per day, and by group.
    TlsUsage = tls,
}

impl View {
    /// The view with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    #[test]
    fn views_are_stored_by_their_names() {
        for view in View::ALL {
            let name: StrDeserializer<'_, Error> = view.name().into_deserializer();
            assert_eq!(View::deserialize(name), Ok(view));
            assert_eq!(View::from_name(view.name()), Some(view));
            assert_eq!(view.columns().len(), view.cells(&TlsCounts::default()).len());
        }
    }
}
