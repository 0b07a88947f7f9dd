//! The views: what people and scripts see, made from what the store holds.
//!
//! A report that can be asked for is one file and one line in the list of `view.rs`. A table is rows by a
//! [`Group`], of what passes a [`Filter`], in the order of a [`Sort`].

mod change;
pub mod csv;
pub mod cursor;
mod days;
mod filter;
mod group;
mod insight;
pub mod legacy;
mod row;
mod sender;
mod sort;
mod sources;
mod table;
mod tls;
pub(crate) mod view;
mod volume;

pub use change::change;
pub use filter::Filter;
pub use group::{Group, RowName};
pub use insight::{Insight, InsightDetails, insight, insight_details};
pub use row::Row;
pub use sender::{NamedMessages, SenderDetails, SenderFigures, SenderUse};
pub use sort::{Column, Sort};
pub use sources::{DayLines, LineShares, NotUnderstood, SourceRow, SourceState, sources};
pub use table::{Place, Table, TableBuilder, TablePage};
pub use tls::{DayTls, TlsRow, TlsUsage, tls_usage};
pub use view::View;
pub use volume::{DayVolume, SendingVolume, VolumeRow, sending_volume};

// As these were called before.
pub use sender::{NamedMessages as Named, SenderUse as Use};
