//! Names of months, as C libraries shorten them.

/// The names of each month, from January on, without the dot that some end in: English, German, French, Spanish,
/// Italian, Portuguese, Dutch, the Nordic languages, Polish, Czech, Slovak, Slovene, Hungarian, Romanian, Turkish,
/// Russian, Ukrainian, Bulgarian, Serbian, Greek, Catalan, Basque, Galician, Estonian, Latvian, Lithuanian, Indonesian.
///
/// As glibc's locales have them (`abmon`). Croatian is not here: its `lip`, `srp` and `lis` are other months than those
/// of Polish and Czech.
const NAMES: [&[&str]; 12] = [
    &[
        "jan", "jän", "janv", "ene", "gen", "sty", "tammi", "led", "ian", "oca", "янв", "січ",
        "яну", "јан", "ιαν", "urt", "xan", "jaan", "saus",
    ],
    &[
        "feb", "févr", "fév", "fev", "febr", "lut", "helmi", "úno", "şub", "фев", "лют", "феб",
        "φεβ", "ots", "veebr", "vas",
    ],
    &[
        "mar", "mär", "mars", "mrt", "maalis", "bře", "márc", "мар", "бер", "μαρ", "μάρ", "març",
        "märts", "kov",
    ],
    &[
        "apr", "avril", "avr", "abr", "april", "kwi", "huhti", "dub", "ápr", "nis", "апр", "кві",
        "απρ", "api", "bal",
    ],
    &[
        "may", "mai", "mag", "mei", "maj", "touko", "kvě", "máj", "maí", "мая", "май", "тра",
        "мај", "μαΐ", "μάι", "maig", "geg",
    ],
    &[
        "jun", "juin", "giu", "cze", "juni", "kesä", "čen", "jún", "iun", "haz", "июн", "чер",
        "юни", "јун", "ιουν", "ιούν", "juny", "eka", "xuñ", "juuni", "birž", "jūn",
    ],
    &[
        "jul", "juil", "jui", "lug", "lip", "juli", "heinä", "čec", "júl", "iul", "tem", "июл",
        "лип", "юли", "јул", "ιουλ", "ιούλ", "uzt", "xul", "juuli", "liep", "jūl",
    ],
    &[
        "aug", "août", "aoû", "ago", "sie", "elo", "srp", "avg", "ağu", "авг", "сер", "αυγ", "αύγ",
        "ag", "abu", "rugp", "ágú", "agu",
    ],
    &[
        "sep", "sept", "set", "wrz", "syys", "zář", "szept", "eyl", "сен", "вер", "сеп", "σεπ",
        "ira", "rugs",
    ],
    &["oct", "okt", "ott", "out", "paź", "loka", "říj", "eki", "окт", "жов", "οκτ", "urr", "spal"],
    &[
        "nov", "lis", "marras", "kas", "ноя", "лис", "ное", "нов", "νοε", "νοέ", "aza", "lapkr",
        "nóv",
    ],
    &[
        "dec", "dez", "déc", "dic", "des", "gru", "joulu", "pro", "ara", "дек", "гру", "дец",
        "δεκ", "abe", "dets", "gruod",
    ],
];

/// The month with this name, from 1 on; Chinese, Japanese and Korean ones have its number.
pub(super) fn month(name: &[u8]) -> Option<u32> {
    let name = std::str::from_utf8(name).ok()?;
    if let Some(number) = name.strip_suffix(['月', '월']) {
        return number.parse().ok().filter(|month| (1..=12).contains(month));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_ascii() {
        return position(|known| known.eq_ignore_ascii_case(name));
    }
    let lower = name.to_lowercase();
    position(|known| known == lower)
}

fn position(is: impl Fn(&str) -> bool) -> Option<u32> {
    let month = NAMES.iter().position(|names| names.iter().any(|known| is(known)))?;
    u32::try_from(month + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_months() {
        let mut all = std::collections::BTreeSet::new();
        for name in NAMES.iter().copied().flatten() {
            assert!(all.insert(*name), "{name}");
            assert_eq!(name.to_lowercase(), **name);
        }
    }

    #[test]
    fn months_are_known_in_the_languages_of_journalctl() {
        for (name, expected) in [
            ("Nov", 11),
            ("nov.", 11),
            ("déc.", 12),
            ("Mär", 3),
            ("Şub", 2),
            ("Μαΐ", 5),
            ("paź", 10),
            ("11月", 11),
            ("1월", 1),
        ] {
            assert_eq!(month(name.as_bytes()), Some(expected), "{name}");
        }
        for name in ["", ".", "月", "13月", "Novem", "mail", "nov..", "\u{fffd}"] {
            assert_eq!(month(name.as_bytes()), None, "{name}");
        }
        assert_eq!(month(b"n\xffv"), None);
    }
}
