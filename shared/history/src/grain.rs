//! The two files of a day: how finely they tell usage apart, and their columns.

use arrow_schema::{DataType, Field as Column, Schema};
use report::Field;

/// How finely usage is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// By everything.
    Usage,
    /// By sender, domain and TLS version.
    Senders,
}

/// The column of messages, the last in both files.
pub(crate) const MESSAGES: &str = "messages";

impl Grain {
    pub(crate) const ALL: [Self; 2] = [Self::Usage, Self::Senders];

    /// The name of its files and their folder.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Senders => "senders",
        }
    }

    /// What its rows are told apart by, and sorted by: its columns of text, in order.
    pub(crate) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Usage => &[
                Field::Sender,
                Field::Domain,
                Field::Username,
                Field::Mechanism,
                Field::Tls,
                Field::Client,
            ],
            Self::Senders => &[Field::Sender, Field::Domain, Field::Tls],
        }
    }

    pub(crate) fn schema(self) -> Schema {
        let text = |field: &Field| {
            let dictionary =
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Column::new(
                column(*field),
                if repeats(*field) { dictionary } else { DataType::Utf8 },
                false,
            )
        };
        let mut columns: Vec<_> = self.fields().iter().map(text).collect();
        columns.push(Column::new(MESSAGES, DataType::Int64, false));
        Schema::new(columns)
    }
}

/// The name of a field's column. A stored name: it stays.
pub(crate) const fn column(field: Field) -> &'static str {
    match field {
        Field::Sender => "sender",
        Field::Domain => "domain",
        Field::Username => "account",
        Field::Mechanism => "mechanism",
        Field::Tls => "tls",
        Field::Client => "client",
    }
}

/// Whether few values are repeated many times in its column.
pub(crate) const fn repeats(field: Field) -> bool {
    match field {
        Field::Domain | Field::Mechanism | Field::Tls => true,
        Field::Sender | Field::Username | Field::Client => false,
    }
}
