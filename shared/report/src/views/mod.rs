//! The views: what people and scripts see, made from what the store holds.
//!
//! A report that can be asked for is one file and one line in the list of `view.rs`. A table is rows by a
//! [`Group`], of what passes a [`Filter`], in the order of a [`Sort`]; a [`Scope`] narrows filters to what somebody may know.

mod change;
pub mod csv;
pub mod cursor;
mod days;
mod details;
mod failures;
pub(crate) mod filter;
pub mod filter_text;
pub(crate) mod group;
mod insight;
mod known;
mod labels;
pub mod legacy;
pub mod mechanisms;
mod off;
pub mod plan;
mod row;
mod rows;
pub(crate) mod scope;
mod search;
mod sort;
mod sources;
mod story;
mod table;
mod tls;
mod uses;
pub(crate) mod view;
mod volume;

pub use change::change;
pub use days::DayCounts;
pub use details::{Details, Figures, NamedMessages, Used};
pub use failures::{
    DayFailures, FailedHere, FailedLogins, FailedName, FailedRow, Failures, Successes,
};
pub use filter::{Clients, Filter};
pub use group::{Group, RowName};
pub use insight::{Insight, InsightDetails, insight, insight_details};
pub use known::{
    ClientPlace, CountryName, Known, NetworkName, OWN_NETWORKS, Place as ClientsPlace, Places,
};
pub use labels::{Labels, Noted};
pub use mechanisms::{DayKinds, KindCounts, KindShare, MechanismUsage, mechanism_usage};
pub use off::Off;
pub use plan::{Affected, DayRefused, Everybody, Plan, PlanClient, PlanRow, Refused};
pub use row::{Past, Row};
pub use rows::{TlsRow, VolumeRow};
pub use scope::Scope;
pub use search::{Found, FoundName, FoundNames, FoundNote};
pub use sort::{Column, Sort};
pub use sources::{DayLines, LineShares, NotUnderstood, SourceRow, SourceState, sources};
pub use story::{More, RowOf, Stories, Story};
pub use table::{Place, Table, TableBuilder, TablePage};
pub use tls::{DayTls, TlsUsage, tls_usage};
pub use uses::RowMechanisms;
pub use view::View;
pub use volume::{DayVolume, SendingVolume, sending_volume};
