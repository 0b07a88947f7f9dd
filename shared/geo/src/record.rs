//! What a record tells, whichever vendor's it is.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::about::{Country, Network};

/// The fields of all vendors' records, by their names in the files.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Record<'a> {
    /// MaxMind, DB-IP: a map. IPinfo: the code beside a `country_name`, or the name beside a `country_code`.
    #[serde(borrow)]
    country: Field<'a, Place<'a>>,
    #[serde(borrow)]
    country_code: Field<'a>,
    #[serde(borrow)]
    country_name: Field<'a>,
    #[serde(borrow)]
    autonomous_system_number: Field<'a>,
    #[serde(borrow)]
    autonomous_system_organization: Field<'a>,
    /// Where databases of internet providers have it.
    #[serde(borrow)]
    traits: Field<'a, Traits<'a>>,
    /// IPinfo.
    #[serde(borrow)]
    asn: Field<'a>,
    #[serde(borrow)]
    as_name: Field<'a>,
    /// IPinfo's, beside an `asn`, where it is not `as_name`.
    #[serde(borrow)]
    name: Field<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Place<'a> {
    #[serde(borrow)]
    iso_code: Field<'a>,
    #[serde(borrow)]
    names: Field<'a, Names<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    #[serde(borrow)]
    en: Field<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Traits<'a> {
    #[serde(borrow)]
    autonomous_system_number: Field<'a>,
    #[serde(borrow)]
    autonomous_system_organization: Field<'a>,
}

impl<'a> Record<'a> {
    /// Where it says that its addresses are.
    pub(crate) fn country(&self) -> Option<Country<'a>> {
        let place = &self.country;
        let name = self.country_name.text;
        let forms = [
            (place.map.iso_code.text, place.map.names.map.en.text),
            (self.country_code.text, if name.is_empty() { place.text } else { name }),
            (place.text, name),
        ];
        forms.into_iter().find_map(|(code, name)| Country::named(code, name))
    }

    /// Whose it says that they are.
    pub(crate) fn network(&self) -> Option<Network<'a>> {
        let traits = &self.traits.map;
        let name = if self.as_name.text.is_empty() { &self.name } else { &self.as_name };
        let forms = [
            (&self.autonomous_system_number, &self.autonomous_system_organization),
            (&traits.autonomous_system_number, &traits.autonomous_system_organization),
            (&self.asn, name),
        ];
        forms.into_iter().find_map(|(number, name)| Network::named(number.number()?, name.text))
    }
}

/// What a field holds, of whatever type it is. What is of no use here is passed over, and no error: then the fields
/// beside it still tell something.
struct Field<'a, T = Nothing> {
    text: &'a str,
    number: Option<u32>,
    map: T,
}

/// For a field that should be no map.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Nothing {}

impl<T: Default> Default for Field<'_, T> {
    fn default() -> Self {
        Self { text: "", number: None, map: T::default() }
    }
}

impl<T> Field<'_, T> {
    /// The number of an autonomous system: `15169`, `"AS15169"` or `"15169"`.
    fn number(&self) -> Option<u32> {
        let digits = self.text.strip_prefix("AS").unwrap_or(self.text);
        self.number.or_else(|| digits.parse().ok())
    }
}

impl<'de: 'a, 'a, T: Default + Deserialize<'de>> Deserialize<'de> for Field<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything(PhantomData))
    }
}

struct Anything<'a, T>(PhantomData<Field<'a, T>>);

impl<'de: 'a, 'a, T: Default + Deserialize<'de>> Visitor<'de> for Anything<'a, T> {
    type Value = Field<'a, T>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Field { text, ..Field::default() })
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Field { number: number.try_into().ok(), ..Field::default() })
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Field { number: number.try_into().ok(), ..Field::default() })
    }

    fn visit_u128<E>(self, number: u128) -> Result<Self::Value, E> {
        Ok(Field { number: number.try_into().ok(), ..Field::default() })
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Field::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Field::default())
    }

    fn visit_borrowed_bytes<E>(self, _: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Field::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let map = T::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Field { map, ..Field::default() })
    }
}
