//! What is in a mail, and how it becomes a MIME message.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue, MessageId,
};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};

use crate::failure::SendError;

/// Bytes of a message beside its files: headers with fifty recipients, both texts, the image.
pub(crate) const TEXTS: usize = 256 << 10;

/// A mail with a text in two forms, images in it, and files beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// Names the mail: sent again, it has the same `Message-ID`.
    pub id: String,
    /// When it was written, in seconds since 1970.
    pub date: i64,
    /// Mail addresses: all see each other.
    pub recipients: Vec<String>,
    /// One line.
    pub subject: String,
    /// For programs that show no HTML.
    pub text: String,
    /// The same in HTML; it refers to images as `cid:` and their names.
    pub html: String,
    /// Images in the HTML.
    pub images: Vec<Image>,
    /// Files beside the text.
    pub files: Vec<File>,
}

/// A PNG that is shown in the HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What the HTML calls it, as in `chart`.
    pub name: String,
    /// The PNG.
    pub png: Vec<u8>,
}

/// A file beside the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name: ASCII letters, digits, dots, hyphens and underscores.
    pub name: String,
    /// Its media type, as in `text/csv; charset=utf-8`.
    pub media_type: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A message as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// [`Mail::id`].
    pub id: String,
    /// The envelope sender (RFC 5321, MAIL FROM).
    pub from: String,
    /// The envelope recipients.
    pub recipients: Vec<String>,
    /// Headers and body (RFC 5322).
    pub bytes: Vec<u8>,
}

/// Says that no person wrote the mail, so that nothing answers it by itself (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Names a file. Long names are not cut into the numbered pieces of RFC 2231, which some mail programs do not
/// put together again.
#[derive(Clone)]
struct Attached(String);

impl Attached {
    fn new(name: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        Self(name.chars().map(|c| if plain(c) { c } else { '_' }).collect())
    }
}

impl Header for Attached {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::new(text))
    }

    fn display(&self) -> HeaderValue {
        let (name, encoded) = (&self.0, format!("attachment;\r\n filename=\"{}\"", self.0));
        let raw = format!("attachment; filename=\"{name}\"");
        HeaderValue::dangerous_new_pre_encoded(Self::name(), raw, encoded)
    }
}

impl Mail {
    pub(crate) fn compose(self, from: &Mailbox) -> Result<Message, SendError> {
        let seconds = Duration::from_secs(u64::try_from(self.date).unwrap_or(0));
        let mut builder = lettre::Message::builder()
            .from(from.clone())
            .subject(one_line(&self.subject))
            .date(SystemTime::UNIX_EPOCH + seconds)
            .header(MessageId::from(format!("<{}@{}>", self.id, from.email.domain())))
            .header(AutoSubmitted);
        for recipient in &self.recipients {
            let address = recipient.parse::<Address>().map_err(|error| {
                SendError::Permanent(format!("{recipient} is no mail address: {error}"))
            })?;
            builder = builder.to(Mailbox::new(None, address));
        }
        let mut html = MultiPart::related().singlepart(SinglePart::html(self.html));
        for image in self.images {
            let shown = Attachment::new_inline(image.name);
            html = html.singlepart(shown.body(encoded(image.png), media_type("image/png")?));
        }
        let texts =
            MultiPart::alternative().singlepart(SinglePart::plain(self.text)).multipart(html);
        let mut parts = MultiPart::mixed().multipart(texts);
        for file in self.files {
            let part = SinglePart::builder()
                .header(media_type(file.media_type)?)
                .header(Attached::new(&file.name))
                .body(encoded(file.bytes));
            parts = parts.singlepart(part);
        }
        let message = builder.multipart(parts).map_err(|error| {
            SendError::Permanent(format!("the mail cannot be written: {error}"))
        })?;
        let bytes = message.formatted();
        let (id, from, recipients) = (self.id, from.email.to_string(), self.recipients);
        Ok(Message { id, from, recipients, bytes })
    }
}

/// Relays may change line ends and long lines of text; nothing changes Base64.
fn encoded(bytes: Vec<u8>) -> Body {
    let encoding = ContentTransferEncoding::Base64;
    Body::new_with_encoding(bytes, encoding).unwrap_or_else(Body::new)
}

fn media_type(text: &str) -> Result<ContentType, SendError> {
    let wrong = |error| SendError::Permanent(format!("{text} is no media type: {error}"));
    ContentType::parse(text).map_err(wrong)
}

/// A subject is one line, whatever is put into it.
fn one_line(subject: &str) -> String {
    let words = subject.split(|c: char| c.is_control() || c.is_whitespace());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders as _};

    use super::*;

    const NAME: &str =
        "detailed_2026-11-18_2026-11-24_and_a_long_name_that_needs_more_than_a_line.csv.zip";

    fn mail() -> Mail {
        Mail {
            id: "0198".into(),
            date: 1_795_521_600,
            recipients: vec!["ann@example.test".into(), "bob@example.test".into()],
            subject: "Bericht \u{fc}ber \u{1f4e7}\r\nBcc: eve@example.test".into(),
            text: "Ganz einfach: \u{e4}\n".into(),
            html: "<p>\u{e4} <img src=\"cid:chart\">".into(),
            images: vec![Image { name: "chart".into(), png: vec![0x89, b'P', b'N', b'G'] }],
            files: vec![File {
                name: NAME.into(),
                media_type: "text/csv; charset=utf-8",
                bytes: b"a,b\r\n\"x\ny\",\xc3\xa4\r\n".to_vec(),
            }],
        }
    }

    #[test]
    fn another_parser_reads_what_was_written() {
        let from: Mailbox = "Reports <reports@example.org>".parse().expect("a mailbox");
        let message = mail().compose(&from).expect("a message");
        let parsed = MessageParser::default().parse(&message.bytes).expect("a message");
        assert_eq!(parsed.subject(), Some("Bericht \u{fc}ber \u{1f4e7} Bcc: eve@example.test"));
        assert_eq!(parsed.message_id(), Some("0198@example.org"));
        assert_eq!(parsed.date().map(|date| date.to_timestamp()), Some(1_795_521_600));
        let to = parsed.to().expect("recipients");
        let to: Vec<_> = to.iter().filter_map(|address| address.address()).collect();
        assert_eq!(to, ["ann@example.test", "bob@example.test"]);
        assert!(parsed.bcc().is_none());
        let auto = parsed.header("Auto-Submitted").and_then(|value| value.as_text());
        assert_eq!(auto, Some("auto-generated"));
        let text = parsed.body_text(0).expect("a text");
        assert_eq!(text.replace("\r\n", "\n"), "Ganz einfach: \u{e4}\n");
        assert!(parsed.body_html(0).expect("HTML").contains("cid:chart"));
        let header = format!("Content-Disposition: attachment;\r\n filename=\"{NAME}\"\r\n");
        assert!(String::from_utf8_lossy(&message.bytes).contains(&header));
        let file = parsed.attachments().find(|part| part.attachment_name() == Some(NAME));
        assert_eq!(file.expect("a file").contents(), mail().files[0].bytes);
        let image = parsed.parts.iter().find(|part| part.content_id() == Some("chart"));
        assert_eq!(image.expect("an image").contents(), mail().images[0].png);
    }

    #[test]
    fn a_mail_whose_files_keep_to_the_limit_does_too() {
        let from: Mailbox = "reports@example.org".parse().expect("a mailbox");
        let limit = 2 << 20;
        let bytes = vec![0xff; (limit - TEXTS) / 78 * 57];
        let mut mail = mail();
        mail.recipients = (0..50).map(|n| format!("{}{n}@example.test", "x".repeat(60))).collect();
        mail.files[0].bytes = bytes;
        let message = mail.compose(&from).expect("a message");
        assert!(message.bytes.len() <= limit, "{}", message.bytes.len());
    }
}
