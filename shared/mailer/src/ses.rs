//! Amazon SES, version 2 of its interface.
//!
//! Messages go there raw: the same bytes as everywhere else, with an image in the HTML, which SES's own form
//! for attachments would have to be told about in another way.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sesv2::config::Builder;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};
use aws_sdk_sesv2::{Client, Config};
use aws_types::SdkConfig;

use crate::failure::{SendError, chain};
use crate::message::Message;
use crate::transport::Transport;

/// The most bytes of a message that SES takes, encoded.
pub const SES_LIMIT: usize = 40_000_000;
/// How long a message may take, and the bytes for each of which there is more time: 0.8 Mbit a second.
const PATIENCE: Duration = Duration::from_secs(30);
const BYTES_A_SECOND: usize = 100_000;
/// The pauses between attempts when SES says that too much is sent at once.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// SES in one region.
#[derive(Clone, Debug)]
pub struct Ses {
    client: Client,
    configuration_set: Option<String>,
    limit: usize,
}

impl Ses {
    /// SES with the region, credentials and HTTP client of `config`, at `endpoint` if that is another one; mail
    /// is sent under a configuration set if one is given, and has `limit` bytes at most.
    ///
    /// The SDK makes no attempts of its own: it would also repeat what may have been accepted.
    #[must_use]
    pub fn new(
        config: &SdkConfig,
        endpoint: Option<String>,
        configuration_set: Option<String>,
        limit: usize,
    ) -> Self {
        let mut config: Builder =
            Config::from(config).to_builder().retry_config(RetryConfig::disabled());
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint);
        }
        let client = Client::from_conf(config.build());
        Self { client, configuration_set, limit: limit.min(SES_LIMIT) }
    }
}

#[async_trait]
impl Transport for Ses {
    fn limit(&self) -> usize {
        self.limit
    }

    async fn send(&self, message: Message) -> Result<String, SendError> {
        let patience =
            PATIENCE + Duration::from_secs((message.bytes.len() / BYTES_A_SECOND) as u64);
        let raw = RawMessage::builder().data(Blob::new(message.bytes)).build();
        let raw = raw.map_err(|error| SendError::Permanent(error.to_string()))?;
        let recipients = Some(message.recipients);
        let email = self
            .client
            .send_email()
            .from_email_address(message.from)
            .destination(Destination::builder().set_to_addresses(recipients).build())
            .content(EmailContent::builder().raw(raw).build())
            .set_configuration_set_name(self.configuration_set.clone());
        let mut pauses = PAUSES.into_iter();
        loop {
            // Of the attempt, too: a large message takes longer than what other clients give one.
            let timeouts = TimeoutConfig::builder()
                .operation_timeout(patience)
                .operation_attempt_timeout(patience)
                .build();
            let attempt = email.clone().customize();
            let attempt = attempt.config_override(Config::builder().timeout_config(timeouts));
            let error = match attempt.send().await {
                Ok(sent) => return Ok(sent.message_id.unwrap_or_default()),
                Err(error) => error,
            };
            match pauses.next().filter(|_| is_throttled(&error)) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(told(&error)),
            }
        }
    }
}

/// Whether SES said that it did not take the mail because too much comes at once.
fn is_throttled(error: &SdkError<SendEmailError>) -> bool {
    matches!(error.as_service_error(), Some(SendEmailError::TooManyRequestsException(_)))
}

fn told(error: &SdkError<SendEmailError>) -> SendError {
    let SdkError::ServiceError(service) = error else {
        return SendError::Temporary(format!("SES did not answer: {}", chain(error)));
    };
    let (status, error) = (service.raw().status().as_u16(), service.err());
    let code = error.code().unwrap_or("an error without a name");
    let message = error.message().unwrap_or_default();
    let answered = match message {
        "" => format!("SES answered {code}"),
        message => format!("SES answered {code}: {message}"),
    };
    let reason = match mend(code, message) {
        Some(mend) => format!("{mend}; {answered}"),
        None => answered,
    };
    if is_temporary(error, code, status) {
        SendError::Temporary(reason)
    } else {
        SendError::Permanent(reason)
    }
}

/// What somebody has to do before SES takes the mail; none where its own words must do. It stands first: what is kept of a
/// reason may be its beginning.
fn mend(code: &str, message: &str) -> Option<&'static str> {
    // Some services leave the end of the name away.
    if code.starts_with("AccessDenied") {
        return Some(
            "the report function is not allowed to send this: as long as the account is in the SES sandbox, verify the \
             recipients in SES or ask for production access; otherwise let its role send from MAIL_FROM, to identity/* and \
             with the configuration set",
        );
    }
    // So is an unverified sender refused, or a recipient while the account is in the sandbox.
    (code == "MessageRejected" && message.contains("not verified")).then_some(
        "verify in SES what its answer names; recipients only have to be while the account is in the sandbox, which ends with \
         production access",
    )
}

fn is_temporary(error: &SendEmailError, code: &str, status: u16) -> bool {
    match error {
        // Also for a used-up daily quota: whoever sends goes on trying for longer than a day.
        SendEmailError::TooManyRequestsException(_) | SendEmailError::LimitExceededException(_) => {
            true
        }
        SendEmailError::AccountSuspendedException(_)
        | SendEmailError::SendingPausedException(_)
        | SendEmailError::MailFromDomainNotVerifiedException(_)
        | SendEmailError::MessageRejected(_)
        | SendEmailError::BadRequestException(_)
        | SendEmailError::NotFoundException(_) => false,
        _ => {
            status == 429
                || status >= 500
                || code.starts_with("Throttl")
                || code.contains("Expired")
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::config::http::HttpResponse;
    use aws_sdk_sesv2::error::ErrorMetadata;
    use aws_sdk_sesv2::types::error::MessageRejected;

    use super::*;

    fn answered(status: u16, error: SendEmailError) -> SendError {
        let status = status.try_into().expect("a status");
        told(&SdkError::service_error(error, HttpResponse::new(status, "{}".into())))
    }

    fn named(status: u16, code: &str, message: &str) -> SendError {
        let metadata = ErrorMetadata::builder().code(code).message(message).build();
        answered(status, SendEmailError::generic(metadata))
    }

    #[test]
    fn who_may_not_send_is_told_what_to_do_first() {
        let message = "User: arn:aws:sts::123456789012:assumed-role/report/report is not authorized to perform: ses:SendEmail \
            on resource: arn:aws:ses:eu-west-1:123456789012:identity/ann@example.org";
        for code in ["AccessDenied", "AccessDeniedException"] {
            let SendError::Permanent(told) = named(403, code, message) else { panic!("{code}") };
            assert!(told.starts_with("the report function is not allowed to send"), "{told}");
            assert!(told.ends_with(&format!("; SES answered {code}: {message}")), "{told}");
            let kept: String = told.chars().take(400).collect();
            assert!(kept.contains("sandbox") && kept.contains("verify the recipients"), "{kept}");
        }
        let message = "Email address is not verified. The following identities failed the check in region EU-WEST-1: \
            ann@example.org";
        let metadata = ErrorMetadata::builder().code("MessageRejected").message(message).build();
        let rejected = MessageRejected::builder().message(message).meta(metadata).build();
        let SendError::Permanent(told) = answered(400, SendEmailError::MessageRejected(rejected))
        else {
            panic!("it is tried again")
        };
        assert!(told.starts_with("verify in SES") && told.ends_with("ann@example.org"), "{told}");
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_and_nothing_is_made_up_about_the_rest() {
        assert_eq!(
            named(503, "ServiceUnavailable", "later"),
            SendError::Temporary("SES answered ServiceUnavailable: later".to_owned())
        );
        assert_eq!(
            named(400, "MessageRejected", "a virus"),
            SendError::Permanent("SES answered MessageRejected: a virus".to_owned())
        );
    }
}
