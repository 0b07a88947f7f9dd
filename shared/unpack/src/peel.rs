//! One packing after the other, until there is text.

use std::collections::VecDeque;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use crate::archive::{Archive, Member};
use crate::damage::{self, Damage};
use crate::events::{self, Events};
use crate::form::{self, Form, Packing};
use crate::inflate::{Evenly, Inflated, WINDOW_LOG};
use crate::joined::{Bytes, Joined};
use crate::utf16::Utf16;

/// So many packings may stand around a text: a compressed log in a compressed archive in another.
const LAYERS: u32 = 4;
/// Bytes of an archive that are read at once.
const CHUNK: usize = 1 << 16;
/// Bytes of a file by which it is told whether it is text.
const HEAD: usize = 4096;

/// A text without its packings.
pub(crate) struct Peeled {
    pub(crate) text: Bytes,
    /// Whether there were any, or another encoding than UTF-8.
    pub(crate) is_unpacked: bool,
    /// What of an archive was left out, and why.
    pub(crate) left_out: Vec<String>,
}

/// What stands around packed bytes.
#[derive(Clone, Copy)]
struct Around {
    layers: u32,
    /// The memory that is left for the next inflater: see [`WINDOW_LOG`]. All together take less than twice as much as the
    /// first may.
    window_log: u32,
}

/// Takes away the packings of a text.
///
/// # Errors
/// It cannot be read, or is nothing that is read.
pub(crate) fn peel(raw: Bytes) -> io::Result<Peeled> {
    within_others(raw, Around { layers: 0, window_log: WINDOW_LOG })
}

fn within_others(mut raw: Bytes, around: Around) -> io::Result<Peeled> {
    let head = form::told(&mut raw)?;
    let form = Form::of(&head);
    if form == Form::Text {
        return of_text(raw, head);
    }
    let raw: Bytes = Box::new(Cursor::new(head).chain(raw));
    if around.layers == LAYERS && matches!(form, Form::Packed(_) | Form::Tar | Form::Zip) {
        let what = format!("packed more than {LAYERS} times: unpack it first");
        return Err(Damage::new(ErrorKind::InvalidData, what).into());
    }
    match form {
        Form::Text => of_text(raw, Vec::new()),
        Form::Utf16 { is_big } => {
            let peeled = of_text(Box::new(Utf16::new(raw, is_big)), Vec::new())?;
            Ok(Peeled { is_unpacked: true, ..peeled })
        }
        Form::Packed(packing) => {
            let raw = Box::new(Evenly::new(raw));
            let inflated = Inflated::new(packing, raw, around.window_log)?;
            let peeled = within_others(Box::new(inflated), around.by(packing))?;
            Ok(Peeled { is_unpacked: true, ..peeled })
        }
        Form::Tar => of_archive(Archive::of_tar(BufReader::with_capacity(CHUNK, raw))?, around),
        Form::Zip => of_archive(Archive::of_zip(raw)?, around),
        Form::Unread(what) => Err(Damage::new(ErrorKind::InvalidData, what).into()),
    }
}

/// A text that begins so: what events hold if it is one or several, or all of it as it stands.
fn of_text(mut raw: Bytes, mut head: Vec<u8>) -> io::Result<Peeled> {
    // Of JSON, its first names tell it. No more is read of a text that is written just now: no event ends sooner.
    let mut meant = events::meant(&head);
    while meant.is_none() {
        let mut more = vec![0; HEAD];
        let read = match raw.read(&mut more) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        head.extend_from_slice(&more[..read]);
        meant = if read == 0 { Some(false) } else { events::meant(&head) };
    }
    let text: Bytes = Box::new(Cursor::new(head).chain(raw));
    match meant {
        Some(true) => Ok(Peeled::of(Events::new(text))),
        _ => Ok(Peeled { text, is_unpacked: false, left_out: Vec::new() }),
    }
}

impl Around {
    /// What stands around bytes that are packed like this as well.
    fn by(self, packing: Packing) -> Self {
        let takes_window = match packing {
            Packing::Xz | Packing::Zstd => 1,
            Packing::Gzip | Packing::Bzip2 | Packing::Lz4 => 0,
        };
        Self { layers: self.layers + 1, window_log: self.window_log - takes_window }
    }

    fn by_archive(self) -> Self {
        Self { layers: self.layers + 1, ..self }
    }
}

impl Peeled {
    fn of(text: impl Read + Send + 'static) -> Self {
        Self { text: Box::new(text), is_unpacked: true, left_out: Vec::new() }
    }
}

/// The texts of an archive's files, one behind the other.
fn of_archive(mut archive: Archive, around: Around) -> io::Result<Peeled> {
    let around = around.by_archive();
    let mut members = VecDeque::with_capacity(archive.members.len());
    for member in std::mem::take(&mut archive.members) {
        match look(&member, around)? {
            Ok(left_out) => {
                archive.left_out.extend(left_out);
                members.push_back(member);
            }
            Err(why) => archive.leave_out(&member.name, &why),
        }
    }
    let Archive { left_out, damage, .. } = archive;
    if members.is_empty() {
        let what = match (damage, left_out.first()) {
            (Some(damage), _) => return Err(damage.into()),
            (None, Some(first)) => format!("an archive without a log in it: {first}"),
            (None, None) => "an archive without a file in it".to_owned(),
        };
        return Err(Damage::new(ErrorKind::InvalidData, what).into());
    }
    let texts = Texts { joined: Some(Joined::new(Members { members, around })), damage };
    Ok(Peeled { left_out, ..Peeled::of(texts) })
}

/// Looks at how a file begins: what is left out of it if it is an archive itself, or why it is left out.
fn look(member: &Member, around: Around) -> io::Result<Result<Vec<String>, String>> {
    let mut text = match within_others(Box::new(member.bytes.read()?), around) {
        Ok(text) => text,
        Err(error) if Damage::is(&error) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    let mut head = Vec::new();
    // If it is damaged, whoever reads it is told.
    let read = text.text.by_ref().take(HEAD as u64).read_to_end(&mut head);
    Ok(match head.as_slice() {
        [] if read.is_ok() => Err("it is empty".to_owned()),
        _ if form::is_binary(&head) => Err("it is no text".to_owned()),
        _ => Ok(text.left_out.iter().map(|one| format!("{}: {one}", member.name)).collect()),
    })
}

/// The texts of an archive's files, one behind the other, and what is to be told at their end.
struct Texts {
    /// None behind damage: nothing goes on there.
    joined: Option<Joined<Members>>,
    damage: Option<Damage>,
}

/// Opens an archive's files.
struct Members {
    members: VecDeque<Member>,
    around: Around,
}

/// The text of a file, whose errors name it.
struct Named {
    name: String,
    text: Bytes,
}

impl Iterator for Members {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let Member { name, bytes } = self.members.pop_front()?;
        let text = bytes.read().and_then(|raw| within_others(Box::new(raw), self.around));
        Some(match text {
            Ok(Peeled { text, .. }) => Ok(Box::new(Named { name, text })),
            Err(error) => Err(within(&name, error)),
        })
    }
}

impl Read for Named {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.text.read(to).map_err(|error| within(&self.name, error))
    }
}

impl Read for Texts {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.joined.as_mut().map_or(Ok(0), |joined| joined.read(to));
        match read {
            Ok(0) if !to.is_empty() => {
                self.damage.clone().map_or(Ok(0), |damage| Err(damage.into()))
            }
            Ok(read) => Ok(read),
            Err(error) => {
                if error.kind() != ErrorKind::Interrupted {
                    self.damage = Some(damage::again(&error));
                    self.joined = None;
                }
                Err(error)
            }
        }
    }
}

/// An error of a file of an archive.
fn within(name: &str, error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::Interrupted => error,
        _ => damage::again(&error).within(name).into(),
    }
}
