//! One setting, wherever it comes from.

use std::ffi::OsString;
use std::path::PathBuf;

use thiserror::Error;

/// A setting, under the names that sources know it by. Empty texts are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Among a function's variables, as in `LOG_ZONE`.
    pub variable: &'static str,
    /// On the command line, without dashes, as in `log-zone`.
    pub flag: &'static str,
    /// What its value is called in a command's help, as in `ZONE`.
    pub value: &'static str,
    /// What it is when no source has it.
    pub default: &'static str,
    /// All values that there are, with what each means; none if they cannot be listed.
    pub choices: &'static [(&'static str, &'static str)],
    /// Whether it may be given several times.
    pub repeats: bool,
    /// Whether it may be given without a value, which is an empty one then, or with several.
    pub many: bool,
    /// What it must be, as it follows `it must be`; not needed where there are choices.
    pub expected: &'static str,
    /// What it does, for a command's help.
    pub help: &'static str,
    /// Under which heading it stands there.
    pub heading: &'static str,
}

impl Setting {
    /// One without anything, to be filled in.
    pub const EMPTY: Self = Self {
        variable: "",
        flag: "",
        value: "",
        default: "",
        choices: &[],
        repeats: false,
        many: false,
        expected: "",
        help: "",
        heading: "",
    };

    /// What it must be, for people.
    pub(super) fn expected(&self) -> String {
        let names: Vec<_> = self.choices.iter().map(|(name, _)| *name).collect();
        match names.split_last() {
            Some((last, others @ [_, ..])) => format!("{} or {last}", others.join(", ")),
            Some((only, [])) => (*only).to_owned(),
            None => self.expected.to_owned(),
        }
    }
}

/// Where settings come from: the environment, a command line, a file.
pub trait Source {
    /// What a setting is called here, as in `--log-zone`; none if it cannot be set here.
    fn name(&self, setting: &Setting) -> Option<String>;

    /// What was given; nothing if it was not set.
    fn values(&self, setting: &Setting) -> Vec<OsString>;
}

/// A function's variables. One that is empty is not set.
#[derive(Clone, Copy, Debug)]
pub struct Environment;

impl Source for Environment {
    fn name(&self, setting: &Setting) -> Option<String> {
        (!setting.variable.is_empty()).then(|| setting.variable.to_owned())
    }

    fn values(&self, setting: &Setting) -> Vec<OsString> {
        // A setting without a name here is asked for under the empty one, which never is set.
        let value = std::env::var_os(setting.variable);
        value.filter(|value| !value.is_empty()).into_iter().collect()
    }
}

/// A setting that is missing or makes no sense, by the name that it has where it was, or can be, set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// It must be set.
    #[error("{name} is not set: it must be {expected}")]
    Missing {
        /// The setting.
        name: String,
        /// What it should look like.
        expected: String,
    },
    /// Its value cannot be used.
    #[error("{name}={value} cannot be used: it must be {expected}")]
    Invalid {
        /// The setting.
        name: String,
        /// As set.
        value: String,
        /// What it should look like.
        expected: String,
    },
    /// It does nothing without another one.
    #[error("{name} does nothing without {needs}: set both, or none")]
    Alone {
        /// The setting.
        name: String,
        /// The other.
        needs: String,
    },
    /// It contradicts another one.
    #[error("{name} cannot be used with {other}: leave one of them out")]
    Both {
        /// The setting.
        name: String,
        /// The other.
        other: String,
    },
}

/// What all sources together say: of several that have a setting, the last one counts.
///
/// A file goes before the environment, and the environment before the command line.
pub struct Settings<'a>(Vec<&'a dyn Source>);

/// What counts of a setting.
struct Given {
    /// What it is called where it was set.
    name: String,
    values: Vec<OsString>,
}

impl<'a> Settings<'a> {
    /// What these say, the weakest first.
    #[must_use]
    pub fn of(sources: impl IntoIterator<Item = &'a dyn Source>) -> Self {
        Self(sources.into_iter().collect())
    }

    /// Reads a section.
    ///
    /// # Errors
    /// The first setting of it that is missing or makes no sense.
    pub fn read<S: Section>(&self) -> Result<S, ConfigError> {
        S::read(self)
    }

    fn given(&self, setting: &Setting) -> Option<Given> {
        self.0.iter().rev().find_map(|source| {
            let (name, values) = (source.name(setting)?, source.values(setting));
            (!values.is_empty()).then_some(Given { name, values })
        })
    }

    /// What a setting is called where it was set, or else where it would count most.
    fn name(&self, setting: &Setting) -> String {
        let given = self.given(setting).map(|given| given.name);
        let named = || self.0.iter().rev().find_map(|source| source.name(setting));
        given.or_else(named).unwrap_or_else(|| setting.flag.to_owned())
    }

    /// Whether any source has it.
    pub(super) fn has(&self, setting: &Setting) -> bool {
        self.given(setting).is_some()
    }

    /// That it must be set.
    pub(super) fn missing(&self, setting: &Setting) -> ConfigError {
        ConfigError::Missing { name: self.name(setting), expected: setting.expected() }
    }

    /// That `value` of it cannot be used.
    pub(crate) fn invalid(&self, setting: &Setting, value: String) -> ConfigError {
        ConfigError::Invalid { name: self.name(setting), value, expected: setting.expected() }
    }

    /// Fails if a setting is there without another one that it needs.
    pub(super) fn needs(&self, setting: &Setting, needed: &Setting) -> Result<(), ConfigError> {
        if self.has(setting) && !self.has(needed) {
            let (name, needs) = (self.name(setting), self.name(needed));
            return Err(ConfigError::Alone { name, needs });
        }
        Ok(())
    }

    /// Fails if two settings are there that contradict each other.
    pub(super) fn excludes(&self, setting: &Setting, other: &Setting) -> Result<(), ConfigError> {
        if self.has(setting) && self.has(other) {
            let (name, other) = (self.name(setting), self.name(other));
            return Err(ConfigError::Both { name, other });
        }
        Ok(())
    }

    /// Its text, or its default; several with commas between.
    pub(super) fn text(&self, setting: &Setting) -> Result<Option<String>, ConfigError> {
        let Some(Given { values, .. }) = self.given(setting) else {
            return Ok(Some(setting.default.to_owned()).filter(|default| !default.is_empty()));
        };
        let unreadable = |value: OsString| self.invalid(setting, value.to_string_lossy().into());
        let texts = values.into_iter().map(OsString::into_string);
        let texts: Result<Vec<_>, _> = texts.collect();
        Ok(Some(texts.map_err(unreadable)?.join(",")))
    }

    /// What `read` makes of its text.
    pub(super) fn parsed<T>(
        &self,
        setting: &Setting,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(setting)? else { return Ok(None) };
        match read(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(self.invalid(setting, text)),
        }
    }

    /// The same of one that must be set, or has a default.
    pub(super) fn required<T>(
        &self,
        setting: &Setting,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.parsed(setting, read)?.ok_or_else(|| self.missing(setting))
    }

    /// Its texts, of one that may have many; none if it was not given.
    pub(super) fn texts(&self, setting: &Setting) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(Given { values, .. }) = self.given(setting) else { return Ok(None) };
        let unreadable = |value: OsString| self.invalid(setting, value.to_string_lossy().into());
        let texts = values.into_iter().map(OsString::into_string).collect::<Result<Vec<_>, _>>();
        let texts = texts.map_err(unreadable)?.into_iter();
        Ok(Some(texts.filter(|text| !text.is_empty()).collect()))
    }

    /// Files or folders, or the default one.
    pub(super) fn paths(&self, setting: &Setting) -> Vec<PathBuf> {
        let default = Some(setting.default).filter(|default| !default.is_empty());
        let given = self.given(setting).map(|given| given.values);
        let paths = given.unwrap_or_else(|| default.into_iter().map(OsString::from).collect());
        paths.into_iter().map(PathBuf::from).collect()
    }

    /// One file or folder.
    pub(super) fn path(&self, setting: &Setting) -> Option<PathBuf> {
        self.paths(setting).pop()
    }
}

/// Settings that belong together.
pub trait Section: Sized {
    /// All of them.
    fn settings() -> Vec<&'static Setting>;

    /// Reads them.
    ///
    /// # Errors
    /// The first one that is missing or makes no sense.
    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError>;
}

/// Declares a section that is made of others: a branch of the tree.
#[macro_export]
macro_rules! sections {
    ($(#[$about:meta])* $public:vis struct $name:ident {
        $($(#[$help:meta])* $shown:vis $field:ident: $section:ty,)+
    }) => {
        $(#[$about])*
        $public struct $name {
            $($(#[$help])* $shown $field: $section,)+
        }

        impl $crate::Section for $name {
            fn settings() -> Vec<&'static $crate::Setting> {
                [$(<$section as $crate::Section>::settings()),+].concat()
            }

            fn read(settings: &$crate::Settings<'_>) -> Result<Self, $crate::ConfigError> {
                Ok(Self { $($field: settings.read()?),+ })
            }
        }
    };
}
