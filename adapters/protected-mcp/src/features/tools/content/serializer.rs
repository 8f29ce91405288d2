//! What serde knows about a value, written [twice](Twice).

use std::fmt::{self, Display, Write as _};

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Result};

use super::twice::Twice;

/// As what `serde_json`'s `RawValue` introduces itself: a struct of this name, whose only field is a text of JSON.
pub(super) const RAW_VALUE: &str = "$serde_json::private::RawValue";

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
        if self.is_raw {
            self.any(value.as_bytes());
        } else {
            self.string(value);
        }
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
        Ok(Parts::list(self, b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>> {
        Ok(Parts::list(self, b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>> {
        Ok(Parts::list(self, b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>> {
        self.variant(variant);
        Ok(Parts::list(self, b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>> {
        Ok(Parts::object(self, b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'a>> {
        Ok(if name == RAW_VALUE {
            Fields::Raw(self)
        } else {
            Fields::Of(Parts::object(self, b"}"))
        })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields<'a>> {
        self.variant(variant);
        Ok(Fields::Of(Parts::object(self, b"}}")))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<()> {
        if self.is_raw {
            return self.both(value);
        }
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

impl<'a> Parts<'a> {
    fn list(twice: &'a mut Twice, end: &'static [u8]) -> Self {
        twice.plain(b"[");
        Self { twice, is_first: true, end }
    }

    fn object(twice: &'a mut Twice, end: &'static [u8]) -> Self {
        twice.plain(b"{");
        Self { twice, is_first: true, end }
    }
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
            Self::Raw(twice) => {
                twice.is_raw = true;
                let written = value.serialize(&mut **twice);
                twice.is_raw = false;
                written
            }
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
