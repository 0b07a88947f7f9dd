//! Text cut into what may hold records: JSON objects, or the elements of the list in one. The rest is left as it stands.

use super::told::meant;

/// The longest unit that is looked into: a record of 10 MiB in base64, and what stands beside it.
const LONGEST: usize = 16 << 20;

/// Cuts a text, however its bytes come.
#[derive(Debug, Default)]
pub(super) struct Units {
    place: Place,
    /// Whether an array stands around the objects.
    in_array: bool,
    object: Object,
    /// What of the present unit has come.
    unit: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Behind a line's or an object's end.
    #[default]
    Between,
    /// Behind a bracket, which may begin an array of objects, or a line.
    Bracket,
    /// Within a line of another kind.
    Line,
    Object,
}

/// An object, as far as it has come.
#[derive(Debug, Default)]
struct Object {
    /// Containers that are open.
    depth: usize,
    is_text: bool,
    /// Behind a backslash.
    is_escaped: bool,
    /// The next text is a name of the outermost object.
    is_name: bool,
    /// Where its last name begins and ends in the unit.
    name: (usize, usize),
    part: Part,
    /// What stands before the list, until its first element tells whether these are records.
    front: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// No list has come: all of it is one unit.
    #[default]
    Whole,
    List,
    /// Behind the list.
    Rest,
    /// Nothing that is looked for: it is left as it stands, until so many containers are open.
    Other(usize),
}

/// What was found in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// More must come.
    Nothing,
    /// A whole object.
    Object(Vec<u8>),
    /// An element of a list; of the first, also what stands before it. If that is no record: [`Units::is_other`].
    Element(Vec<u8>, Option<Vec<u8>>),
}

impl Units {
    /// Reads on, up to the end of a unit: how much was read, and what was found. What belongs to none is written `out`.
    pub(super) fn read(&mut self, text: &[u8], out: &mut Vec<u8>) -> (usize, Found) {
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            match self.place {
                Place::Object => {
                    let (read, found) = self.object(rest, out);
                    at += read;
                    if found != Found::Nothing {
                        return (at, found);
                    }
                }
                Place::Line => {
                    let end = memchr::memchr(b'\n', rest);
                    let line = &rest[..end.map_or(rest.len(), |end| end + 1)];
                    out.extend_from_slice(line);
                    at += line.len();
                    if end.is_some() {
                        self.place = Place::Between;
                    }
                }
                Place::Between | Place::Bracket => at += usize::from(self.between(rest[0], out)),
            }
        }
        (at, Found::Nothing)
    }

    /// Reads a byte between objects; false if it belongs to what begins there.
    fn between(&mut self, byte: u8, out: &mut Vec<u8>) -> bool {
        let is_bracket = self.place == Place::Bracket;
        match byte {
            b'{' => {
                self.in_array |= is_bracket;
                self.unit.clear();
                (self.place, self.object) = (Place::Object, Object::default());
                return false;
            }
            b'[' if !is_bracket => {
                self.place = Place::Bracket;
                self.unit.push(byte);
            }
            b' ' | b'\t' | b'\r' | b'\n' if is_bracket => self.unit.push(byte),
            // White space, and a byte order mark.
            b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf if !is_bracket => out.push(byte),
            b',' if self.in_array && !is_bracket => {}
            b']' if self.in_array && !is_bracket => self.in_array = false,
            _ => {
                out.append(&mut self.unit);
                self.place = Place::Line;
                return false;
            }
        }
        true
    }

    /// Says that what was found last is none of a list's records: the rest of the object is left as it stands.
    pub(super) fn is_other(&mut self) {
        self.object.part = Part::Other(0);
    }

    /// Whether the text ends within an event; if not, what of it was read and not written out yet.
    pub(super) fn end(&mut self) -> Result<Vec<u8>, ()> {
        let mut rest = self.object.front.take().unwrap_or_default();
        let has_list =
            self.object.part == Part::Rest || (self.object.part == Part::List && rest.is_empty());
        rest.append(&mut self.unit);
        if self.place == Place::Object && (has_list || meant(&rest) == Some(true)) {
            return Err(());
        }
        Ok(rest)
    }

    /// Reads on in an object.
    fn object(&mut self, text: &[u8], out: &mut Vec<u8>) -> (usize, Found) {
        let mut at = 0;
        while at < text.len() {
            if self.object.is_text && !self.object.is_escaped {
                let rest = &text[at..];
                let end = memchr::memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
                self.keep(&rest[..end], out);
                at += end;
            }
            if let Some(&byte) = text.get(at) {
                at += 1;
                let found = self.byte(byte, out);
                if found != Found::Nothing || self.place != Place::Object {
                    return (at, found);
                }
            }
            if self.unit.len() > LONGEST {
                let depth = if self.object.part == Part::List { 2 } else { 0 };
                self.leave(out, depth);
            }
        }
        (at, Found::Nothing)
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) -> Found {
        self.keep(&[byte], out);
        let Self { object, unit, .. } = self;
        if object.is_text {
            if byte == b'\n' {
                // No text goes on behind a line's end: it is no object at all.
                self.leave(out, 0);
                self.place = Place::Between;
                return Found::Nothing;
            }
            object.text(byte, unit.len());
            return Found::Nothing;
        }
        match byte {
            b'"' => {
                object.is_text = true;
                object.name.0 = if object.is_name { unit.len() } else { object.name.0 };
            }
            b',' => object.is_name = object.depth == 1,
            b'{' | b'[' => {
                object.depth += 1;
                object.is_name = object.depth == 1;
                let name = unit.get(object.name.0..object.name.1);
                let is_list = byte == b'[' && object.depth == 2 && object.part == Part::Whole;
                if is_list && matches!(name, Some(b"Records" | b"records")) {
                    object.part = Part::List;
                    object.front = Some(std::mem::take(unit));
                }
            }
            b'}' | b']' => return self.closed(out),
            _ => {}
        }
        Found::Nothing
    }

    /// Keeps what was read if it belongs to a unit.
    fn keep(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Self { object, unit, .. } = self;
        match object.part {
            Part::Other(_) => out.extend_from_slice(bytes),
            Part::Rest => {}
            // Between elements.
            Part::List
                if object.depth == 2 && object.front.is_none() && !matches!(bytes, b"{" | b"[") => {
            }
            Part::Whole | Part::List => unit.extend_from_slice(bytes),
        }
    }

    /// A container was closed: what is whole with it.
    fn closed(&mut self, out: &mut Vec<u8>) -> Found {
        let Self { object, unit, .. } = self;
        object.depth -= 1;
        let depth = object.depth;
        if depth == 0 {
            self.place = Place::Between;
        }
        match object.part {
            Part::Whole if depth == 0 => return Found::Object(std::mem::take(unit)),
            Part::List if depth == 2 => {
                return Found::Element(std::mem::take(unit), object.front.take());
            }
            Part::List if depth == 1 => {
                if object.front.is_some() && unit.trim_ascii() != b"]" {
                    self.leave(out, 0);
                } else {
                    object.part = Part::Rest;
                    object.front = None;
                    unit.clear();
                }
            }
            Part::Other(until) if depth <= until => {
                out.push(b'\n');
                object.part = if until > 0 { Part::List } else { object.part };
            }
            Part::Whole | Part::List | Part::Rest | Part::Other(_) => {}
        }
        Found::Nothing
    }

    /// Leaves the unit and what follows as it stands, until so many containers are open.
    fn leave(&mut self, out: &mut Vec<u8>, depth: usize) {
        out.append(&mut self.object.front.take().unwrap_or_default());
        out.append(&mut self.unit);
        self.object.part = Part::Other(depth);
    }
}

impl Object {
    /// A byte of a text; `read` bytes of the unit have come with it.
    fn text(&mut self, byte: u8, read: usize) {
        if std::mem::take(&mut self.is_escaped) {
            return;
        }
        self.is_escaped = byte == b'\\';
        if byte == b'"' {
            self.is_text = false;
            if std::mem::take(&mut self.is_name) {
                self.name.1 = read - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a text that comes in pieces of so many bytes; a list is one of records if it has `data`.
    fn found(text: &str, step: usize) -> (Vec<String>, String) {
        let string = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let (mut units, mut out, mut found) = (Units::default(), Vec::new(), Vec::new());
        for mut piece in text.as_bytes().chunks(step) {
            while !piece.is_empty() {
                let (read, unit) = units.read(piece, &mut out);
                piece = &piece[read..];
                match unit {
                    Found::Nothing => {}
                    Found::Object(unit) => found.push(string(unit)),
                    Found::Element(unit, _) if string(unit.clone()).contains("data") => {
                        found.push(string(unit).trim().to_owned());
                    }
                    Found::Element(unit, front) => {
                        out.extend(front.into_iter().flatten().chain(unit));
                        units.is_other();
                    }
                }
            }
        }
        out.extend(units.end().expect("a whole text"));
        (found, string(out))
    }

    #[test]
    fn objects_and_elements_are_found_however_they_come_and_the_rest_is_left() {
        let list = r#"{"a":[{"Records":[1]}],"b":"\"[{","records":[ {"data":"]}\\"}, 7,
            {"data":[{}]} ],"c":{"data":1}}"#;
        let text = format!(
            "[core] a line\n{{\"a\":{{}}}}{list}\n[ {{\"b\":\"\n[\n{{\"c\":1}},{{\"d\":2}}]\n{}\n{}\nend",
            r#"{"Records":[{"s3":[1]},{"data":2}],"x":1}"#, r#"{"Records":["a", 1]}"#,
        );
        let units =
            [r#"{"a":{}}"#, r#"{"data":"]}\\"}"#, r#"{"data":[{}]}"#, r#"{"c":1}"#, r#"{"d":2}"#];
        for step in [1, 2, 7, usize::MAX] {
            let (found, rest) = found(&text, step);
            assert_eq!(found, units, "{step}");
            assert!(rest.starts_with("[core] a line\n\n{\"b\":\"\n"), "{rest}");
            assert!(rest.contains("{\"Records\":[{\"s3\":[1]},{\"data\":2}],\"x\":1}"), "{rest}");
            assert!(rest.contains("{\"Records\":[\"a\", 1]}") && rest.ends_with("end"), "{rest}");
        }
    }
}
