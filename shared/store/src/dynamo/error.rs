//! What can go wrong with the table.

use std::error::Error;

use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use thiserror::Error;

/// The most characters of what others tell about an error.
const TOLD: usize = 300;

/// What can go wrong with the table.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A request failed, after the SDK's own retries.
    #[error("{operation} failed: {detail}")]
    Request {
        /// The operation, as AWS names it.
        operation: &'static str,
        /// Why, in one line for people. The whole chain of causes is logged, at the level of debugging.
        detail: String,
    },
    /// An item does not hold what this program writes.
    #[error("item {key} does not hold {expected}")]
    Item {
        /// Partition and sort key.
        key: String,
        /// What should be there.
        expected: &'static str,
    },
    /// The table was filled with days of another zone.
    #[error(
        "the store counts days in zone {stored}, not {asked}: use zone {stored}, or another store"
    )]
    Zone {
        /// The zone of the days stored.
        stored: String,
        /// The zone configured.
        asked: String,
    },
}

impl StoreError {
    pub(crate) fn request<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        Self::Request { operation, detail: why_failed("the store", error) }
    }

    pub(crate) fn unbuilt(operation: &'static str, error: &BuildError) -> Self {
        Self::Request { operation, detail: line(&error.to_string()) }
    }
}

/// Why a request to a service of AWS's kind failed, in one line for people; `whom` it was for, as in `the store`. The
/// whole chain of causes is logged, at the level of debugging.
pub fn why_failed<E, R>(whom: &str, error: &SdkError<E, R>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    tracing::debug!(whom, error = %DisplayErrorContext(error), "a request failed");
    match error {
        SdkError::ServiceError(refused) => refusal(refused.err()),
        SdkError::DispatchFailure(_) => format!("{whom} was not reached: {}", first_cause(error)),
        SdkError::TimeoutError(_) => format!("{whom} took too long to answer"),
        SdkError::ResponseError(_) => {
            format!("{whom} gave an answer that cannot be read: {}", first_cause(error))
        }
        _ => format!("the request could not be sent: {}", first_cause(error)),
    }
}

/// What the service said, under the name that its manual has for it.
fn refusal(error: &(impl Error + ProvideErrorMetadata + 'static)) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => line(&format!("{code}: {message}")),
        (Some(one), None) | (None, Some(one)) => line(one),
        (None, None) => first_cause(error),
    }
}

/// The end of a chain of causes, which tells most.
fn first_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    line(&cause.to_string())
}

/// A text of others as one line that is not too long.
fn line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(TOLD).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::{fmt, io};

    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::{ConnectorError, ErrorMetadata};
    use aws_sdk_dynamodb::operation::get_item::GetItemError;
    use tracing::field::Field;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use super::*;

    type GetError = SdkError<GetItemError, HttpResponse>;

    fn told(error: &GetError) -> String {
        StoreError::request("GetItem", error).to_string()
    }

    fn refused(code: &str, message: &str) -> GetError {
        let metadata = ErrorMetadata::builder().code(code).message(message).build();
        let status = 400_u16.try_into().expect("a status");
        let response = HttpResponse::new(status, "{\"secret\": 1}".into());
        SdkError::service_error(GetItemError::generic(metadata), response)
    }

    #[test]
    fn each_error_is_one_line_for_people() {
        assert_eq!(
            told(&refused("ThrottlingException", "Rate\n exceeded")),
            "GetItem failed: ThrottlingException: Rate exceeded"
        );
        let away = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
        assert_eq!(
            told(&SdkError::dispatch_failure(ConnectorError::io(away.into()))),
            "GetItem failed: the store was not reached: connection refused"
        );
        assert_eq!(
            told(&SdkError::timeout_error("deadline")),
            "GetItem failed: the store took too long to answer"
        );
        let long = told(&refused("X", &"y\n".repeat(1000)));
        assert!(long.len() < 400 && !long.contains('\n'), "{long}");
    }

    /// Keeps what is logged, and at which level.
    #[derive(Clone, Default)]
    struct Logged(Arc<Mutex<Vec<(Level, String)>>>);

    impl Subscriber for Logged {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut text = String::new();
            event.record(&mut |_: &Field, value: &dyn fmt::Debug| {
                text += &format!("{value:?} ");
            });
            self.0.lock().expect("nobody panicked").push((*event.metadata().level(), text));
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn the_chain_of_causes_is_logged_for_those_who_look_for_faults_only() {
        let logged = Logged::default();
        let away = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
        let error = SdkError::dispatch_failure(ConnectorError::io(away.into()));
        tracing::subscriber::with_default(logged.clone(), || told(&error));
        let logged = logged.0.lock().expect("nobody panicked");
        let [(Level::DEBUG, chain)] = logged.as_slice() else { panic!("{logged:?}") };
        assert!(chain.contains("dispatch failure"), "{chain}");
        assert!(chain.contains("connection refused"), "{chain}");
    }
}
