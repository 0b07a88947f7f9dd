//! The files of a day: what they count, how finely they tell it apart, and their columns.

use arrow_schema::{DataType, Field as Column, Schema};
use report::Field;

/// What is counted, and how finely it is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// By everything.
    Usage,
    /// By sender, domain and TLS version.
    Senders,
    /// Failed logins, by account, client and hour.
    Failures,
    /// What is counted of accounts besides their messages.
    Finer,
}

impl Grain {
    pub(crate) const ALL: [Self; 4] = [Self::Usage, Self::Senders, Self::Failures, Self::Finer];

    /// The name of its files and their folder.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Senders => "senders",
            Self::Failures => "failures",
            Self::Finer => "finer",
        }
    }

    /// The column of what is counted, the last in each file.
    pub(crate) const fn count(self) -> &'static str {
        match self {
            Self::Usage | Self::Senders => "messages",
            Self::Failures => "failures",
            Self::Finer => "count",
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
            Self::Failures => &[Field::Username, Field::Client],
            Self::Finer => &[Field::Username],
        }
    }

    /// The column of text between these and the count that is no field of usage; few values are repeated in it.
    pub(crate) const fn further(self) -> Option<&'static str> {
        match self {
            Self::Usage | Self::Senders => None,
            Self::Failures => Some(HOUR),
            Self::Finer => Some(WHAT),
        }
    }

    /// The columns of its file: of one of failed logins, before hours were counted, without these.
    pub(crate) fn schema(self, has_hours: bool) -> Schema {
        let dictionary =
            || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let text = |field: &Field| {
            let kind = if repeats(*field) { dictionary() } else { DataType::Utf8 };
            Column::new(column(*field), kind, false)
        };
        let mut columns: Vec<_> = self.fields().iter().map(text).collect();
        let further = self.further().filter(|further| has_hours || *further != HOUR);
        columns.extend(further.map(|further| Column::new(further, dictionary(), false)));
        columns.push(Column::new(self.count(), DataType::Int64, false));
        Schema::new(columns)
    }
}

/// The column of the hour in which logins failed, in two digits; empty where hours were not counted. A stored name: it stays.
pub(crate) const HOUR: &str = "hour";

/// The column of what is counted, by its stored name. A stored name: it stays.
pub(crate) const WHAT: &str = "what";

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
