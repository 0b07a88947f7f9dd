//! Formats: what the records of each mail server prove.
//!
//! A format is one file in this folder, or one folder, and one line in the list at the end of this file.

use std::str::FromStr;

use thiserror::Error;

use crate::format::LogFormat;
use crate::gate::Gate;
use crate::key::Key;
use crate::load::Load;
use crate::proofs::Sink;
use crate::reading::Proofs;
use crate::record::Record;
use crate::saved::{Section, Unreadable};
use crate::time::Timestamps;

/// A name that no format has.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no log format: it must be {list}", list = Format::list())]
pub struct UnknownFormat(pub String);

impl Format {
    /// The names of all, for people: `auto, postfix or exim`.
    #[must_use]
    pub fn list() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.iter().find(|format| format.name() == text);
        found.copied().ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Makes everything that has to know all formats out of their list, `file::Type` each.
macro_rules! formats {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Which format a log has.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum Format {
            /// Found out line by line.
            #[default]
            Auto,
            $(
                #[doc = concat!("`", stringify!($module), "` only.")]
                $name,
            )+
        }

        impl Format {
            /// Every one, that which finds out first.
            pub const ALL: &[Self] = &[Self::Auto, $(Self::$name),+];

            /// The name of every one, and what it is, in a few words.
            pub const CHOICES: &[(&str, &str)] = &[
                ("auto", "Find out line by line"),
                $(($module::$name::NAME, $module::$name::ABOUT)),+
            ];

            /// Its name, as people and settings write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Auto => "auto",
                    $(Self::$name => $module::$name::NAME,)+
                }
            }

            /// What its log does not tell, or not exactly, in a sentence for people; empty if it tells all.
            #[must_use]
            pub const fn cannot_tell(self) -> &'static str {
                match self {
                    Self::Auto => "",
                    $(Self::$name => $module::$name::CANNOT_TELL,)+
                }
            }

            /// See [`LogFormat::refuses`].
            #[inline]
            pub(crate) fn refuses(self, line: &[u8]) -> Option<&'static str> {
                match self {
                    Self::Auto => None,
                    $(Self::$name => $module::$name::refuses(line),)+
                }
            }

            /// The formats that lines may have whose log was said to have this one: all, or this.
            pub(crate) const fn within(self) -> Self {
                match self {
                    Self::Auto => Self::Auto,
                    $(Self::$name if $module::$name::CARRIES_OTHERS => Self::Auto,
                      Self::$name => Self::$name,)+
                }
            }
        }

        static GATE: Gate =
            Gate::of(&[$(($module::$name::PROGRAMS_BEGIN, $module::$name::MESSAGES_BEGIN)),+]);

        /// One reader of each format.
        #[derive(Debug, Default)]
        pub(crate) struct Formats {
            $($module: $module::$name,)+
            /// No format has anything due before this time of the log.
            due: i64,
            /// What all weigh together.
            weight: usize,
        }

        impl Formats {
            /// Hands a record to the first format that takes it, and says which.
            // Long, for the steps of every format are in it: once is enough.
            #[inline(never)]
            pub(crate) fn line<S: Sink>(
                &mut self,
                only: Format,
                record: &Record<'_>,
                proofs: &mut Proofs<'_, S>,
            ) -> Option<Format> {
                if let Some(time) = record.time
                    && self.due <= time
                    && record.is_named()
                {
                    self.settle_due(time, proofs);
                }
                let may_take = GATE.may_take(record);
                $(
                    let takes = may_take & (1 << (Format::$name as u32 - 1)) != 0
                        && match only {
                            Format::Auto | Format::$name => {
                                let before = self.$module.weight();
                                let takes = self.$module.line(record, proofs);
                                self.weight = self.weight - before + self.$module.weight();
                                takes
                            }
                            _ => $module::$name::owns(record),
                        };
                    if takes {
                        self.due = self.due.min(self.$module.due()).min(proofs.relayed.due());
                        if let Some((time, id)) = proofs.relayed_as.take() {
                            self.counted_in_front(Key { host: record.host, id: &id }, time, proofs);
                        }
                        return Some(Format::$name);
                    }
                )+
                None
            }

            /// Settles, in every format, what is due at this time of the log.
            #[cold]
            fn settle_due<S: Sink>(&mut self, time: i64, proofs: &mut Proofs<'_, S>) {
                self.due = i64::MAX;
                $(
                    if self.$module.due() <= time {
                        self.$module.settle_due(time, proofs.arrival, proofs.sink);
                    }
                    self.due = self.due.min(self.$module.due());
                )+
                if proofs.relayed.due() <= time {
                    proofs.relayed.settle_due(time, proofs.arrival, proofs.sink);
                }
                self.due = self.due.min(proofs.relayed.due());
                self.weigh();
            }

            /// See [`LogFormat::counted_in_front`]: the line of the server behind may have come, or be still to come.
            #[cold]
            fn counted_in_front<S: Sink>(
                &mut self,
                key: Key<'_>,
                time: i64,
                proofs: &mut Proofs<'_, S>,
            ) {
                proofs.relayed.advance(time, proofs.arrival, proofs.sink);
                if proofs.relayed.take(key) $(|| self.$module.counted_in_front(key))+ {
                    return self.weigh();
                }
                proofs.relayed.remember(key, time);
                self.due = self.due.min(proofs.relayed.due());
            }

            /// See [`LogFormat::time_of`]: what the first format says that says anything.
            pub(crate) fn time_of(
                only: Format,
                record: &Record<'_>,
                times: &mut Timestamps,
            ) -> Option<i64> {
                let may_take = GATE.may_take(record);
                None
                $(.or_else(|| {
                    let asked = may_take & (1 << (Format::$name as u32 - 1)) != 0
                        && (only == Format::Auto || only == Format::$name);
                    asked.then(|| $module::$name::time_of(record, times)).flatten()
                }))+
            }

            /// See [`LogFormat::lines_are_missing`].
            #[cold]
            pub(crate) fn lines_are_missing(&mut self) {
                $(self.$module.lines_are_missing();)+
                self.weigh();
            }

            /// See [`LogFormat::close`].
            pub(crate) fn close(&mut self, mark: u64, sink: &mut impl Sink) {
                $(self.$module.close(mark, sink);)+
                self.weigh();
            }

            /// Whether the end of the log would settle anything.
            pub(crate) fn waits(&self) -> bool {
                $(self.$module.waits())||+
            }

            /// What all remember: a section each, but none of those that remember nothing.
            pub(crate) fn save(&self) -> Vec<Section> {
                let sections = [$(Section {
                    format: $module::$name::NAME.to_owned(),
                    version: $module::$name::STATE,
                    bytes: self.$module.save(),
                }),+];
                sections.into_iter().filter(|section| !section.bytes.is_empty()).collect()
            }

            /// Goes on from a section. One of a format that is not known here comes back, to be kept.
            pub(crate) fn restore(&mut self, section: Section) -> Result<Option<Section>, Unreadable> {
                let restored = match section.format.as_str() {
                    $($module::$name::NAME => $module::$name::restore(section.version, &section.bytes)
                        .map(|restored| self.$module = restored),)+
                    _ => return Ok(Some(section)),
                };
                self.weigh();
                let Section { format, bytes, .. } = section;
                let unreadable = |reason| Unreadable { section: Some(format), reason, bytes };
                restored.map(|()| None).map_err(unreadable)
            }

            /// About how many bytes all that is remembered takes.
            #[inline]
            pub(crate) fn weight(&self) -> usize {
                self.weight
            }

            fn weigh(&mut self) {
                self.weight = 0 $(+ self.$module.weight())+;
            }

            /// Makes room, from the heaviest on: a format that remembers little is left alone.
            pub(crate) fn evict(&mut self, down_to: usize, mark: u64, sink: &mut impl Sink) {
                let mut heaviest = [$((self.$module.weight(), Format::$name)),+];
                heaviest.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
                for (weight, format) in heaviest {
                    let too_much = self.weight.saturating_sub(down_to);
                    if too_much == 0 {
                        return;
                    }
                    let down_to = weight.saturating_sub(too_much);
                    match format {
                        Format::Auto => {}
                        $(Format::$name => self.$module.evict(down_to, mark, sink),)+
                    }
                    self.weigh();
                }
            }

            /// What is open at present, in all formats.
            pub(crate) fn load(&self) -> Load {
                let mut sum = Load::default();
                for load in [$(self.$module.load()),+] {
                    sum.sessions += load.sessions;
                    sum.messages += load.messages;
                    sum.evicted += load.evicted;
                }
                sum
            }

            /// The latest time among the lines that were joined; 0 if there was none.
            pub(crate) fn clock(&self) -> i64 {
                [$(self.$module.clock()),+].into_iter().fold(0, i64::max)
            }
        }
    };
}

// The list. Records are offered from the first to the last.
formats! {
    postfix::Postfix,
    exim::Exim,
    json::Events,
    exchange::Exchange,
    smtpcsreport::SmtpCsReport,
    entra::Entra,
    sendmail::Sendmail,
    courier::Courier,
    dovecot::Dovecot,
    opensmtpd::OpenSmtpd,
    ses::Ses,
    stalwart::Stalwart,
    kumomta::KumoMta,
    haraka::Haraka,
    mox::Mox,
    maddy::Maddy,
}
