//! What is wrong with a form or with filters, beside the field that it is about.

use super::wording;
use crate::api::problem::Problem;

/// What is wrong with what somebody filled in.
pub(super) struct Mistake {
    /// The field at fault; empty if it is none in particular.
    pub(super) field: String,
    pub(super) told: String,
}

impl Mistake {
    pub(super) fn new(problem: &Problem) -> Self {
        match problem {
            Problem::InvalidParameter { parameter, allowed, .. } => {
                // Parts of a field stand in one place: `filter.tls` at `filter`.
                let field = parameter.split('.').next().unwrap_or(parameter);
                Self { field: field.to_owned(), told: wording::sentence(allowed) }
            }
            other => Self { field: String::new(), told: wording::sentence(&other.detail()) },
        }
    }
}

/// What is wrong with a field; with none in particular, if it is empty.
pub(super) fn fault<'m>(wrong: Option<&'m Mistake>, field: &str) -> Option<&'m str> {
    wrong.filter(|wrong| wrong.field == field).map(|wrong| wrong.told.as_str())
}

/// Whether a form should be shown again, with what is wrong with it.
pub(super) fn can_be_mended(problem: &Problem) -> bool {
    match problem {
        Problem::InvalidParameter { .. }
        | Problem::KeyReused
        | Problem::NoMoreToday { .. }
        | Problem::TooManySchedules { .. }
        | Problem::TooManyNotes { .. }
        | Problem::TooManyMutes { .. } => true,
        Problem::NotFound { .. }
        | Problem::MethodNotAllowed { .. }
        | Problem::MediaType { .. }
        | Problem::NoSheet { .. }
        | Problem::TooLarge { .. }
        | Problem::TooSlow { .. }
        | Problem::CrossSite
        | Problem::Unauthorized
        | Problem::SignIn { .. }
        | Problem::Forbidden { .. }
        | Problem::Bound
        | Problem::WrongHost
        | Problem::Busy
        | Problem::AnswerTooLarge { .. }
        | Problem::Unavailable => false,
    }
}
