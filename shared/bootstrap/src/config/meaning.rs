//! What names in logs mean, where they do not tell it themselves.

use report::Kinds;

use super::setting::{ConfigError, Section, Setting, Settings};

const KINDS: Setting = Setting {
    variable: "MECHANISM_KINDS",
    flag: "mechanism-kinds",
    value: "NAME=KIND,...",
    expected: "names with basic, challenge, oauth, certificate, kerberos or unknown, as in corp_auth=basic,token=oauth",
    help: "Kinds of mechanisms, or of Exim's authenticators, whose names do not tell it: corp_auth=basic,token=oauth",
    ..Setting::EMPTY
};

const GEO: Setting = Setting {
    variable: "GEO_FILES",
    flag: "geo",
    value: "FILE",
    repeats: true,
    expected: "names of files with commas between",
    help: "A database (.mmdb) that tells the countries or networks of client addresses; may be given several times",
    ..Setting::EMPTY
};

/// What names in logs mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Which mechanisms are of which kind.
    pub kinds: Kinds,
    /// Names of databases that tell where addresses are; on AWS, of objects below `geo/` in the bucket of archives.
    pub geo: Vec<String>,
}

/// The same of mechanisms alone, for those who tell no addresses' places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mechanisms {
    /// Which mechanisms are of which kind.
    pub kinds: Kinds,
}

impl Section for Mechanisms {
    fn settings() -> Vec<&'static Setting> {
        vec![&KINDS]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { kinds: settings.parsed(&KINDS, Kinds::read)?.unwrap_or_default() })
    }
}

impl Section for Meaning {
    fn settings() -> Vec<&'static Setting> {
        vec![&KINDS, &GEO]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let names = settings.text(&GEO)?.unwrap_or_default();
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self {
            kinds: settings.read::<Mechanisms>()?.kinds,
            geo: names.map(str::to_owned).collect(),
        })
    }
}
