//! Reading the arguments of a tool.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_path_to_error::Segment;

use super::super::failure::Failure;
use super::schema;
use crate::jsonrpc::{Members, broken_character, excerpt, half_surrogate, repeated_member};

/// The most arguments that one answer complains of: each takes another reading of all of them.
const MOST_VIOLATIONS: usize = 16;

/// The largest arguments that are read more than once to find every violation, in bytes.
const LARGEST_READ_AGAIN: usize = 256 * 1024;

/// How much of an argument's name and of a rule is repeated, in characters: the name may be invented by
/// the caller.
const LONGEST_NAME: usize = 64;
const LONGEST_RULE: usize = 300;

const UNKNOWN: &str = "there is no such argument";
const GIVEN_TWICE: &str = "it is given twice";

/// Reads arguments, the JSON text of an object.
pub(super) fn read<T>(json: &str) -> Result<T, Failure>
where
    T: for<'de> Deserialize<'de> + JsonSchema,
{
    serde_json::from_str(json).map_err(|_| explain::<T>(json))
}

/// Refuses arguments with a member that is given twice, at any depth.
pub(super) fn check_repeated(json: &str) -> Result<(), Failure> {
    let Some(name) = repeated_member(json) else { return Ok(()) };
    Err(Failure::invalid_argument(&excerpt(&name, LONGEST_NAME), GIVEN_TWICE))
}

/// Finds every argument that breaks a rule. Only a call that failed pays for that.
///
/// serde stops at the first error, so the argument that it is about is taken out and the rest is read
/// again, until only arguments are missing. Which those are is in the schema.
fn explain<T>(json: &str) -> Failure
where
    T: for<'de> Deserialize<'de> + JsonSchema,
{
    let Ok(Members(mut members)) = serde_json::from_str(json) else {
        let rule = half_surrogate(json).map(broken_character);
        let rule = rule.unwrap_or_else(|| "they cannot be read".to_owned());
        return Failure::invalid_argument("arguments", rule);
    };
    let required = required::<T>();
    let given: Vec<String> = members.iter().map(|(name, _)| name.clone().into_owned()).collect();
    let most = if json.len() > LARGEST_READ_AGAIN { 1 } else { MOST_VIOLATIONS };
    let mut violations: Vec<(String, String)> = Vec::new();
    while violations.len() < most {
        let Some(violation) = first_violation::<T>(&members) else { break };
        let Violation { argument, mut rule, member, is_repeated } = violation;
        let position =
            member.and_then(|member| members.iter().position(|(name, _)| *name == member));
        let Some(position) = position else {
            // It is missing, and given unless its value was taken out.
            if !given.contains(&argument) {
                violations.push((argument, rule));
            }
            break;
        };
        let (member, value) = members.remove(position);
        if !is_repeated {
            members.retain(|(name, _)| *name != member);
        }
        // Some clients send every argument, and an empty string for those without a value.
        if value.get() == r#""""# && !required.iter().any(|name| *name == member) {
            rule.push_str("; leave it out if it has no value");
        }
        // Which arguments there are is said once.
        if rule.starts_with(UNKNOWN) && violations.iter().any(|(_, rule)| rule.starts_with(UNKNOWN))
        {
            rule.truncate(UNKNOWN.len());
        }
        if !violations.iter().any(|(known, _)| *known == argument) {
            violations.push((argument, rule));
        }
    }
    for name in required {
        if !given.contains(&name) && !violations.iter().any(|(known, _)| *known == name) {
            violations.push((name, "it is required".to_owned()));
        }
    }
    for (argument, rule) in &mut violations {
        *argument = excerpt(argument, LONGEST_NAME);
        *rule = excerpt(rule, LONGEST_RULE);
    }
    Failure::invalid_arguments(&violations)
}

/// The arguments that every call needs.
fn required<T: JsonSchema>() -> Vec<String> {
    let schema = schema::input::<T>();
    let names = schema["required"].as_array().into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// An argument, and the rule that it breaks.
struct Violation {
    /// Its path, if it is inside of another argument.
    argument: String,
    rule: String,
    /// The member of the arguments that it is or is in. `None` if there is none.
    member: Option<String>,
    /// It is wrong because it is given twice.
    is_repeated: bool,
}

/// What serde finds wrong first. `None` if nothing is.
fn first_violation<T>(members: &[(Cow<'_, str>, &RawValue)]) -> Option<Violation>
where
    T: for<'de> Deserialize<'de>,
{
    let json = object(members);
    let mut deserializer = serde_json::Deserializer::from_str(&json);
    let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err()?;
    let path = error.path().to_string();
    let member = error.path().iter().find_map(|segment| match segment {
        Segment::Map { key } => Some(key.clone()),
        Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
    });
    let error = error.into_inner();
    let message = error.to_string();
    // The position in the text is meaningless to a caller that did not write the text.
    let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    // serde names a field that is missing or repeated only in its message. Any other ends the path.
    let field = |start: &str| message.strip_prefix(start)?.split('`').next();
    let missing = field("missing field `");
    let repeated = field("duplicate field `");
    let argument = match (missing.or(repeated), &member) {
        (Some(name), None) => name.to_owned(),
        (Some(name), Some(_)) => format!("{path}.{name}"),
        (None, Some(_)) => path,
        (None, None) => "arguments".to_owned(),
    };
    let rule = if missing.is_some() {
        "it is required".to_owned()
    } else if repeated.is_some() {
        GIVEN_TWICE.to_owned()
    } else if message.starts_with("unknown field `") {
        let known = expected.map_or(String::new(), |known| format!(", expected {known}"));
        format!("{UNKNOWN}{known}")
    } else {
        rule_of(&error, message, expected, &json)
    };
    // What is repeated inside of another argument goes with that.
    let repeated = repeated.filter(|_| member.is_none()).map(str::to_owned);
    let is_repeated = repeated.is_some();
    Some(Violation { argument, rule, member: member.or(repeated), is_repeated })
}

/// The rule that a value breaks. `json` is all of the arguments.
fn rule_of(error: &serde_json::Error, message: &str, expected: Option<&str>, json: &str) -> String {
    const BY_SERDE: [&str; 4] =
        ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant `"];
    let by_serde = BY_SERDE.iter().any(|start| message.starts_with(start));
    match (error.classify(), expected) {
        // The text of the caller stands before what was expected, and is not repeated.
        (Category::Data, Some(expected)) if by_serde => format!("it must be {expected}"),
        // An error of the type itself, which is the rule.
        (Category::Data, _) if !by_serde => message.to_owned(),
        _ if message.contains("hex escape") => {
            let half = half_surrogate(json).map(broken_character);
            half.unwrap_or_else(|| "it cannot be read".to_owned())
        }
        _ if message.contains("number out of range") => {
            "it must be a number nearer to zero".to_owned()
        }
        _ => "it cannot be read".to_owned(),
    }
}

/// The JSON text of an object.
fn object(members: &[(Cow<'_, str>, &RawValue)]) -> String {
    let mut json = "{".to_owned();
    for (name, value) in members {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&serde_json::Value::from(&**name).to_string());
        json.push(':');
        json.push_str(value.get());
    }
    json.push('}');
    json
}

#[cfg(test)]
mod tests {
    use super::super::Integer;
    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "title")]
        _title: String,
        #[serde(rename = "limit")]
        _limit: Option<Integer>,
    }

    #[test]
    fn the_sentence_names_the_argument_and_the_rule() {
        for (json, sentence) in [
            ("{}", "Invalid argument `title`: it is required."),
            (r#"{"title":5}"#, "Invalid argument `title`: it must be a string."),
            (r#"{"title":null}"#, "Invalid argument `title`: it must be a string."),
            (
                r#"{"title":"x","colour":"red"}"#,
                "Invalid argument `colour`: there is no such argument, expected `title` or `limit`.",
            ),
            (r#"{"title":"x","title":"y"}"#, "Invalid argument `title`: it is given twice."),
            (
                r#"{"title":"x","limit":5.5}"#,
                "Invalid argument `limit`: it must be a whole number.",
            ),
        ] {
            let error = read::<Sample>(json).unwrap_err();
            assert_eq!(error.sentence(), sentence);
        }
    }

    fn failure(json: &str) -> (String, serde_json::Value) {
        let failure = read::<Several>(json).unwrap_err();
        (failure.sentence().to_owned(), serde_json::to_value(&failure).unwrap())
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Several {
        #[serde(rename = "title")]
        _title: String,
        #[serde(rename = "id")]
        _id: String,
        #[serde(rename = "done")]
        _done: Option<bool>,
        #[serde(rename = "limit")]
        _limit: Option<Integer>,
        #[serde(rename = "parts", default)]
        _parts: Vec<Part>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Part {
        #[serde(rename = "size")]
        _size: Integer,
    }

    #[test]
    fn every_wrong_argument_is_in_one_answer() {
        let known = "expected one of `title`, `id`, `done`, `limit`, `parts`";
        let unknown = format!("Invalid argument `x`: there is no such argument, {known}.");
        let [title, id] =
            ["title", "id"].map(|it| format!("Invalid argument `{it}`: it is required."));
        for (json, sentences, arguments) in [
            ("{}", vec![&*title, &id], &["title", "id"][..]),
            (
                r#"{"done":"","limit":"","title":5,"x":1}"#,
                vec![
                    "Invalid argument `done`: it must be a boolean; leave it out if it has no value.",
                    "Invalid argument `limit`: it must be a whole number; leave it out if it has no \
                     value.",
                    "Invalid argument `title`: it must be a string.",
                    &unknown,
                    &id,
                ],
                &["done", "limit", "title", "x", "id"],
            ),
            (
                r#"{"title":"a","title":5,"id":[],"limit":1.5}"#,
                vec![
                    "Invalid argument `title`: it is given twice.",
                    "Invalid argument `id`: it must be a string.",
                    "Invalid argument `limit`: it must be a whole number.",
                ],
                &["title", "id", "limit"],
            ),
            (
                r#"{"title":null,"id":null,"done":null}"#,
                vec![
                    "Invalid argument `title`: it must be a string.",
                    "Invalid argument `id`: it must be a string.",
                ],
                &["title", "id"],
            ),
            (
                r#"{"id":"1","parts":[{"size":1},{}],"limit":"","title":"\ud83d"}"#,
                vec![
                    "Invalid argument `parts[1].size`: it is required.",
                    "Invalid argument `limit`: it must be a whole number; leave it out if it has no \
                     value.",
                    r"Invalid argument `title`: it has half a surrogate pair, \ud83d: send whole characters.",
                ],
                &["parts[1].size", "limit", "title"],
            ),
        ] {
            let (sentence, failure) = failure(json);
            assert_eq!(sentence, sentences.join(" "), "{json}");
            assert_eq!(failure["argument"], arguments[0]);
            assert_eq!(failure["arguments"], serde_json::json!(arguments));
        }
    }

    #[test]
    fn one_wrong_argument_is_answered_alone() {
        for (json, sentence) in [
            (
                r#"{"title":"a","id":"1","parts":[{"size":"1"}]}"#,
                "Invalid argument `parts[0].size`: it must be a whole number.",
            ),
            (
                r#"{"title":"a","id":"1","parts":[{"size":1,"title":1}]}"#,
                "Invalid argument `parts[0].title`: there is no such argument, expected `size`.",
            ),
            (
                r#"{"title":"a","id":"1","x\udc00":1}"#,
                r"Invalid argument `arguments`: it has half a surrogate pair, \udc00: send whole characters.",
            ),
            (
                r#"{"title":"a","id":1e999}"#,
                "Invalid argument `id`: it must be a number nearer to zero.",
            ),
        ] {
            let (found, failure) = failure(json);
            assert_eq!(found, sentence);
            assert!(failure.get("arguments").is_none(), "{failure}");
        }
    }

    #[test]
    fn a_flood_of_wrong_arguments_is_answered_in_part() {
        let many: Vec<String> = (0..10_000).map(|number| format!(r#""x{number}":1"#)).collect();
        let (sentence, _) = failure(&format!("{{{}}}", many.join(",")));
        assert_eq!(sentence.matches("there is no such argument").count(), MOST_VIOLATIONS);
        assert_eq!(sentence.matches("it is required").count(), 2);
        assert_eq!(sentence.matches("expected one of").count(), 1);
        let (sentence, _) =
            failure(&format!(r#"{{"a":1,"b":"{}"}}"#, "b".repeat(LARGEST_READ_AGAIN)));
        assert_eq!(sentence.matches("there is no such argument").count(), 1);
    }

    #[test]
    fn text_of_the_caller_is_not_repeated_at_length() {
        let long = "x, expected y`".repeat(10_000);
        for json in [
            serde_json::json!({ "title": "x", "limit": long }),
            serde_json::json!({ "title": "x", &long: 1 }),
            serde_json::json!({ "title": { &long: long } }),
        ] {
            let json = json.to_string();
            let error = read::<Sample>(&json).unwrap_err();
            assert!(error.sentence().len() < 200, "{error:?}");
        }
    }
}
