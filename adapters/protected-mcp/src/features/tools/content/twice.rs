//! JSON that is written twice in one pass: as it is, and as the inside of a JSON string.
//!
//! `serde_json` hands its output to a formatter in pieces of a character or two, and each would go to both places
//! by itself. This writes a name with its punctuation, or a text without escapes, as one piece. Numbers and the
//! names of maps are left to `serde_json`.

use std::fmt::{self, Display, Write as _};

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Result, Value};

/// As what `serde_json`'s `RawValue` introduces itself: a struct of this name, whose only field is a text of JSON.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

#[derive(Default)]
pub(super) struct Twice {
    pub(super) json: Vec<u8>,
    /// `json` again, escaped for the inside of a JSON string.
    pub(super) text: Vec<u8>,
}

impl Twice {
    /// With room for about so many bytes of JSON.
    pub(super) fn with_capacity(size: usize) -> Self {
        Self { json: Vec::with_capacity(size), text: Vec::with_capacity(size * 5 / 4) }
    }

    /// What is the same in both.
    fn plain(&mut self, piece: &[u8]) {
        self.json.extend_from_slice(piece);
        self.text.extend_from_slice(piece);
    }

    fn quotation_mark(&mut self) {
        self.json.push(b'"');
        self.text.extend_from_slice(br#"\""#);
    }

    fn string(&mut self, string: &str) {
        self.quotation_mark();
        self.inside(string);
        self.quotation_mark();
    }

    /// What stands between the quotation marks of a string, or a part of it.
    fn inside(&mut self, part: &str) {
        if has_escapes(part.as_bytes()) {
            self.escaped(part);
        } else {
            self.plain(part.as_bytes());
        }
    }

    #[cold]
    fn escaped(&mut self, part: &str) {
        let mut rest = part.as_bytes();
        while let Some(plain) = rest.iter().position(|byte| must_be_escaped(*byte)) {
            self.plain(&rest[..plain]);
            self.escape(rest[plain]);
            rest = &rest[plain + 1..];
        }
        self.plain(rest);
    }

    /// As `serde_json` does.
    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\x08' => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            b'\x0c' => b'f',
            b'\r' => b'r',
            _ => {
                let digit = |it: u8| b"0123456789abcdef"[usize::from(it)];
                let escape = [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0xf)];
                return self.any(&escape);
            }
        };
        self.any(&[b'\\', short]);
    }

    /// Any JSON.
    fn any(&mut self, json: &[u8]) {
        self.json.extend_from_slice(json);
        escape(json, &mut self.text);
    }

    /// A number, or anything else without quotation marks.
    fn number(&mut self, number: &impl Serialize) -> Result<()> {
        let start = self.json.len();
        serde_json::to_writer(&mut self.json, number)?;
        self.text.extend_from_slice(&self.json[start..]);
        Ok(())
    }

    /// The name of a field, and what stands before and after it.
    fn name(&mut self, is_first: bool, name: &str) {
        // At once, so that what follows need not grow them.
        self.json.reserve(name.len() + 4);
        self.text.reserve(name.len() + 6);
        if is_first {
            self.quotation_mark();
        } else {
            self.json.extend_from_slice(br#",""#);
            self.text.extend_from_slice(br#",\""#);
        }
        self.inside(name);
        self.json.extend_from_slice(br#"":"#);
        self.text.extend_from_slice(br#"\":"#);
    }

    /// The name of a member of a map, which may be a number.
    fn member(&mut self, name: &(impl Serialize + ?Sized)) -> Result<()> {
        let start = self.json.len();
        serde_json::to_writer(&mut self.json, name)?;
        match self.json.get(start) {
            Some(b'"') => {}
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.json.insert(start, b'"');
                self.json.push(b'"');
            }
            _ => return Err(Error::custom("the name of a member must be a string")),
        }
        escape(&self.json[start..], &mut self.text);
        Ok(())
    }

    /// An object of one member, whose value is to be written and closed.
    fn variant(&mut self, variant: &str) {
        self.plain(b"{");
        self.name(true, variant);
    }

    fn list(&mut self, end: &'static [u8]) -> Parts<'_> {
        self.plain(b"[");
        Parts { twice: self, is_first: true, end }
    }

    fn object(&mut self, end: &'static [u8]) -> Parts<'_> {
        self.plain(b"{");
        Parts { twice: self, is_first: true, end }
    }
}

/// Whether a string has a byte that must be escaped.
fn has_escapes(string: &[u8]) -> bool {
    // Chunks of a fixed size and without a way out become a few instructions each. The last one may overlap.
    fn any<const N: usize>(chunk: &[u8; N]) -> bool {
        chunk.iter().fold(false, |any, byte| any | must_be_escaped(*byte))
    }
    let (chunks, rest) = string.as_chunks::<16>();
    if chunks.iter().any(any) {
        return true;
    }
    match (string.last_chunk::<16>(), string.first_chunk::<8>(), string.last_chunk::<8>()) {
        _ if rest.is_empty() => false,
        (Some(last), ..) => any(last),
        (None, Some(first), Some(last)) => any(first) | any(last),
        (None, ..) => rest.iter().any(|byte| must_be_escaped(*byte)),
    }
}

fn must_be_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Escapes JSON for the inside of a JSON string.
fn escape(json: &[u8], text: &mut Vec<u8>) {
    for byte in json {
        match byte {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            // Raw JSON may have whitespace between its tokens.
            b'\n' => text.extend_from_slice(br"\n"),
            b'\r' => text.extend_from_slice(br"\r"),
            b'\t' => text.extend_from_slice(br"\t"),
            plain => text.push(*plain),
        }
    }
}

macro_rules! numbers {
    ($($method:ident($type:ty)),*) => {$(
        fn $method(self, number: $type) -> Result<()> {
            self.number(&number)
        }
    )*};
}

impl<'a> Serializer for &'a mut Twice {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Fields<'a>;

    numbers!(serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64));
    numbers!(serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64));
    numbers!(serialize_i128(i128), serialize_u128(u128), serialize_f32(f32), serialize_f64(f64));

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.plain(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.string(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        self.string(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.plain(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.variant(variant);
        value.serialize(&mut *self)?;
        self.plain(b"}");
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>> {
        self.variant(variant);
        Ok(self.list(b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>> {
        Ok(self.object(b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'a>> {
        Ok(if name == RAW_VALUE { Fields::Raw(self) } else { Fields::Of(self.object(b"}")) })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields<'a>> {
        self.variant(variant);
        Ok(Fields::Of(self.object(b"}}")))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<()> {
        self.quotation_mark();
        write!(Inside(self), "{value}").map_err(Error::custom)?;
        self.quotation_mark();
        Ok(())
    }
}

/// The inside of a string.
struct Inside<'a>(&'a mut Twice);

impl fmt::Write for Inside<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0.inside(part);
        Ok(())
    }
}

/// A list or an object that is being written.
pub(super) struct Parts<'a> {
    twice: &'a mut Twice,
    is_first: bool,
    end: &'static [u8],
}

impl Parts<'_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.twice.plain(b",");
        }
    }

    fn item(&mut self, item: &(impl Serialize + ?Sized)) -> Result<()> {
        self.separate();
        item.serialize(&mut *self.twice)
    }

    fn finish(self) {
        self.twice.plain(self.end);
    }
}

macro_rules! lists {
    ($($trait:ident::$method:ident),*) => {$(
        impl $trait for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<()> {
                self.item(item)
            }

            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

lists!(SerializeSeq::serialize_element, SerializeTuple::serialize_element);
lists!(SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field);

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.separate();
        self.twice.member(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.twice.plain(b":");
        value.serialize(&mut *self.twice)
    }

    fn end(self) -> Result<()> {
        self.finish();
        Ok(())
    }
}

/// A struct that is being written.
pub(super) enum Fields<'a> {
    Of(Parts<'a>),
    Raw(&'a mut Twice),
}

impl Fields<'_> {
    fn field(&mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> Result<()> {
        match self {
            Self::Of(Parts { twice, is_first, .. }) => {
                twice.name(std::mem::take(is_first), name);
                value.serialize(&mut **twice)
            }
            Self::Raw(twice) => match serde_json::to_value(value)? {
                Value::String(json) => {
                    twice.any(json.as_bytes());
                    Ok(())
                }
                _ => Err(Error::custom("raw JSON must be a text")),
            },
        }
    }

    fn finish(self) {
        if let Self::Of(fields) = self {
            fields.finish();
        }
    }
}

macro_rules! structs {
    ($($trait:ident),*) => {$(
        impl $trait for Fields<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<()> {
                self.field(name, value)
            }

            fn end(self) -> Result<()> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);
