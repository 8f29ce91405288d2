use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// An integer in the arguments of a tool. `5.0` is one too: JSON Schema calls any number with a zero
/// fractional part an integer (Validation 2020-12 section 6.1.1), and some clients send only floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct Integer(i64);

impl From<Integer> for i64 {
    fn from(Integer(number): Integer) -> Self {
        number
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(IntegerVisitor).map(Self)
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        number.try_into().map_err(|_| too_large(Unexpected::Unsigned(number)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i64, E> {
        /// Fifteen digits survive every conversion to and from a float. With more digits it may be a
        /// neighbour of the number that was written (RFC 8259 section 6).
        const LARGEST_EXACT: f64 = 999_999_999_999_999.0;
        if number.fract() != 0.0 {
            return Err(E::invalid_value(Unexpected::Float(number), &self));
        }
        if number.abs() > LARGEST_EXACT {
            return Err(too_large(Unexpected::Float(number)));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it has no fraction, and is within the range of i64"
        )]
        Ok(number as i64)
    }
}

fn too_large<E: Error>(number: Unexpected<'_>) -> E {
    E::invalid_value(number, &"a whole number nearer to zero")
}

#[cfg(test)]
mod tests {
    use super::super::arguments::read;
    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Sample {
        limit: Option<Integer>,
    }

    #[test]
    fn a_number_without_a_fraction_is_an_integer_in_every_notation() {
        for (json, number) in [
            ("5", 5),
            ("5.0", 5),
            ("5e0", 5),
            ("0.5e1", 5),
            ("-0.0", 0),
            ("-5.0", -5),
            ("999999999999999.0", 999_999_999_999_999),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            let json = format!(r#"{{"limit":{json}}}"#);
            let sample: Sample = read(&json).unwrap();
            assert_eq!(sample.limit, Some(Integer(number)), "{json}");
        }
    }

    #[test]
    fn a_number_with_a_fraction_or_too_many_digits_is_rejected() {
        let (whole, nearer) =
            ("it must be a whole number", "it must be a whole number nearer to zero");
        for (json, rule) in [
            ("5.5", whole),
            ("1e-7", whole),
            ("\"5\"", whole),
            ("true", whole),
            ("[5]", whole),
            ("1000000000000000.0", nearer),
            ("-1000000000000000.0", nearer),
            ("9223372036854775807.0", nearer),
            ("9223372036854775808", nearer),
            ("-9223372036854775809", nearer),
            ("99999999999999999999999", nearer),
            ("1e300", nearer),
            ("1e999", "it must be a number nearer to zero"),
        ] {
            let json = format!(r#"{{"limit":{json}}}"#);
            let error = read::<Sample>(&json).unwrap_err();
            assert_eq!(error.sentence(), format!("Invalid argument `limit`: {rule}."), "{json}");
        }
    }
}
