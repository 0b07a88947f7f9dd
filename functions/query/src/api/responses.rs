//! The answers that are no success, as the interface's description tells them: each from the problem itself, so
//! that no status is declared that is not sent.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema as _};

use super::problem::{MEDIA_TYPE, Problem, ProblemDetails};
use crate::visitor::Role;

/// Answers by their status.
pub(crate) type Answers = BTreeMap<String, RefOr<Response>>;

/// What an operation does, with the problems that can come of it.
macro_rules! does {
    ($($(#[$doc:meta])* $name:ident: $($problem:expr),+;)+) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl IntoResponses for $name {
            fn responses() -> Answers {
                told(&[$($problem),+])
            }
        }
    )+};
}

does! {
    /// It reads parameters, strictly.
    ReadsParameters: Problem::parameter("", "", "");
    /// It reads a body, strictly.
    ReadsBody: Problem::parameter("", "", ""), Problem::TooLarge { most: 0 },
        Problem::TooSlow { seconds: 0 }, Problem::MediaType { given: String::new() };
    /// It reads a CSV file, strictly.
    ReadsSheet: Problem::parameter("", "", ""), Problem::TooLarge { most: 0 },
        Problem::TooSlow { seconds: 0 }, Problem::NoSheet { given: String::new() };
    /// It asks the store.
    AsksStore: Problem::Unavailable;
    /// It asks the store for what can be long, and only so many may do so at once.
    AsksStoreInTurns: Problem::Unavailable, Problem::Busy, Problem::AnswerTooLarge { compressed: false };
    /// It tells what can be long.
    TellsMuch: Problem::AnswerTooLarge { compressed: false };
    /// It looks for what the path names.
    Finds: Problem::NotFound { path: String::new() };
    /// It places a report request, once for each key.
    Places: Problem::KeyReused, Problem::NoMoreToday { limit: 0, retry_after: 0 };
    /// It makes a schedule.
    Schedules: Problem::TooManySchedules { most: 0 };
    /// It writes a note.
    WritesNotes: Problem::TooManyNotes { most: 0 };
    /// It mutes alerts.
    Mutes: Problem::TooManyMutes { most: 0 };
    /// It lets in whom the provider knows, to do what their role allows.
    LetsIn: Problem::Unauthorized, Problem::Forbidden { needed: Role::Manager };
}

/// Each status once: the problems that share it are told together.
fn told(problems: &[Problem]) -> Answers {
    let mut titles = BTreeMap::<String, Vec<&str>>::new();
    for problem in problems {
        titles.entry(problem.status().as_str().to_owned()).or_default().push(problem.title());
    }
    let waits = problems.iter().find(|problem| matches!(problem, Problem::NoMoreToday { .. }));
    let waits = waits.map(|problem| problem.status().as_str().to_owned());
    let answer = |(status, titles): (String, Vec<&str>)| {
        let response = described(&titles.join("; "), Some(&status) == waits.as_ref());
        (status, RefOr::T(response))
    };
    titles.into_iter().map(answer).collect()
}

fn described(title: &str, waits: bool) -> Response {
    let body = RefOr::Ref(Ref::from_schema_name(ProblemDetails::name()));
    let content = ContentBuilder::new().schema(Some(body)).build();
    let response = ResponseBuilder::new().description(title).content(MEDIA_TYPE, content);
    if !waits {
        return response.build();
    }
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    let header = HeaderBuilder::new()
        .schema(Some(seconds))
        .description(Some("Seconds until more can be asked for"));
    response.header("Retry-After", header.build()).build()
}
