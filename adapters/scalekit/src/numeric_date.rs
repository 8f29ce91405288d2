//! Instants in claims.

use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

/// 9999-12-30T00:00:00Z since 1970. The last two days of that year are left out, because
/// [`jiff::Timestamp`] does not have them and could not show them.
const FAR_AWAY: Duration = Duration::from_hours(70_389_480);

/// Reads a `NumericDate` (RFC 7519 section 2): seconds since 1970, whole or not, truncated to
/// milliseconds. Whatever is later than the year 9999 is far away: some issuers write such a number for
/// "never", and RFC 7519 has no greatest one. `None` for what is no number, and for negative ones.
pub(crate) fn numeric_date(json: &RawValue) -> Option<SystemTime> {
    let text = json.get();
    // Of the JSON values, only numbers begin like this. One that is too large for the type is infinite.
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let seconds: f64 = text.parse().ok().filter(|seconds| is_number && *seconds >= 0.0)?;
    let since_1970 = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).min(FAR_AWAY);
    let millis = u64::try_from(since_1970.as_millis()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Milliseconds since 1970.
    fn read(json: &str) -> Option<u128> {
        let raw = serde_json::from_str(json).expect("a JSON value");
        let instant = numeric_date(raw)?;
        Some(instant.duration_since(SystemTime::UNIX_EPOCH).expect("not before 1970").as_millis())
    }

    #[test]
    fn seconds_are_read_up_to_the_year_9999_and_later_ones_are_far_away() {
        let far_away = Some(253_402_128_000_000);
        for (json, millis) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("0.0009", Some(0)),
            ("1.7953400005e9", Some(1_795_340_000_500)),
            ("253402127999.5", Some(253_402_127_999_500)),
            ("253402128000", far_away),
            ("253402300799", far_away),
            ("253402300800", far_away),
            ("9007199254740993", far_away),
            ("18446744073709551616", far_away),
            ("1e300", far_away),
            ("1e400", far_away),
            ("-1", None),
            ("-0.5", None),
            ("-1e400", None),
            ("true", None),
            ("\"1795340000\"", None),
            ("[1795340000]", None),
            ("{}", None),
        ] {
            assert_eq!(read(json), millis, "{json}");
        }
    }

    /// Numbers around the edges: of the type, of the calendar, and of whole and half seconds.
    fn any_number() -> impl Strategy<Value = f64> {
        let edges = prop::sample::select(vec![
            0.0,
            1_795_340_000.0,
            253_402_128_000.0,
            253_402_214_400.0,
            253_402_300_800.0,
            9_007_199_254_740_992.0,
            18_446_744_073_709_551_616.0,
            f64::MAX,
        ]);
        let near = (edges, -3.0..3.0_f64).prop_map(|(edge, offset)| edge + offset);
        prop_oneof![near, any::<f64>(), 0.0..1e12_f64]
            .prop_filter("JSON", |number| number.is_finite())
    }

    proptest! {
        #[test]
        fn a_later_number_is_never_an_earlier_instant(one in any_number(), other in any_number()) {
            let (early, late) = if one < other { (one, other) } else { (other, one) };
            let [from_early, from_late] =
                [early, late].map(|number| read(&serde_json::to_string(&number).expect("JSON")));
            prop_assert_eq!(from_early.is_some(), early >= 0.0, "{}", early);
            prop_assert!(from_early.is_none() || from_early <= from_late, "{} {}", early, late);
        }

        #[test]
        fn whole_and_decimal_seconds_are_exact(millis in 0..253_402_128_000_000_u64) {
            let decimal = format!("{}.{:03}", millis / 1000, millis % 1000);
            let seen = read(&decimal).expect("an instant");
            // A binary fraction may be a little less than the decimal one that was written.
            prop_assert!(seen == u128::from(millis) || seen + 1 == u128::from(millis), "{decimal}");
            let whole = (millis / 1000).to_string();
            prop_assert_eq!(read(&whole), Some(u128::from(millis / 1000 * 1000)));
        }
    }
}
