//! JSON Schemas for arguments and results, from the types that read and write them.
//!
//! They must work with every client and the API of every model. Many of those do not follow `$ref`, and
//! some allow one `type` for each schema: Gemini rejects all tools of a server if one of them has
//! `"type": ["string", "null"]`, and accepts the same as `anyOf`.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// The schema of a tool's arguments.
///
/// An optional argument may also be `null`, as some clients send it; the schema does not mention that,
/// because a model needs no second way to omit an argument.
pub(super) fn input<T: JsonSchema>() -> Value {
    let mut schema = generate::<T>(SchemaSettings::draft2020_12().for_deserialize(), without_null);
    // OpenAI's API rejects an object schema without `properties`, which a tool without arguments has.
    if let Some(schema) = schema.as_object_mut() {
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    schema
}

/// The schema of a tool's result.
pub(super) fn output<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_serialize(), value_or_null)
}

/// Whether a value of the schema may have objects with members that it does not name. In doubt it may.
pub(super) fn is_open(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            let is_object = members.get("type").is_some_and(|kind| kind == "object");
            let has_more = members.get("additionalProperties").is_none_or(|more| *more != false);
            // Without members it allows every value, as `true` does.
            members.is_empty() || (is_object && has_more) || members.values().any(is_open)
        }
        Value::Array(schemas) => schemas.iter().any(is_open),
        Value::Bool(allows_any) => *allows_any,
        Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

fn generate<T: JsonSchema>(mut settings: SchemaSettings, nullable: fn(&mut Schema)) -> Value {
    // 2020-12 is the default dialect of MCP.
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let settings = settings
        .with_transform(RecursiveTransform(without_rust_formats))
        .with_transform(RecursiveTransform(nullable));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // Name and documentation of the Rust type are for the reader of the code.
    schema.remove("title");
    schema.remove("description");
    schema.to_value()
}

/// Drops the formats that name Rust's number types, which JSON Schema does not define.
fn without_rust_formats(schema: &mut Schema) {
    const RUST: [&str; 14] = [
        "int8", "int16", "int32", "int64", "int128", "int", "uint8", "uint16", "uint32", "uint64",
        "uint128", "uint", "float", "double",
    ];
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| RUST.contains(&format)) {
        schema.remove("format");
    }
}

/// Keeps the one of several types that is not `null`.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get("type") {
        let one = types.iter().find(|kind| **kind != "null").cloned();
        schema.insert("type".to_owned(), one.unwrap_or_default());
        drop_null_value(schema);
    }
    // Several alternatives, as of an enum whose variants hold values.
    if let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") {
        alternatives.retain(|alternative| alternative["type"] != "null");
    }
}

/// Drops `null` from the values of an enumeration.
fn drop_null_value(schema: &mut Schema) {
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// Turns several types into one schema for each, with the rules for that type.
fn value_or_null(schema: &mut Schema) {
    let Some(Value::Array(types)) = schema.get("type").cloned() else { return };
    let description = schema.remove("description");
    let rules = std::mem::take(schema);
    let branch = |kind: Value| {
        if kind == "null" {
            return json!({ "type": kind });
        }
        let mut branch = rules.clone();
        branch.insert("type".to_owned(), kind);
        drop_null_value(&mut branch);
        branch.to_value()
    };
    schema.insert("anyOf".to_owned(), types.into_iter().map(branch).collect());
    if let Some(description) = description {
        schema.insert("description".to_owned(), description);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Oldest,
        Newest,
    }

    #[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Place {
        Room(String),
        Floor(u8),
    }

    #[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
    struct Range {
        first: u8,
    }

    #[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
    struct Arguments {
        /// By age.
        order: Option<Order>,
        /// From where on.
        range: Option<Range>,
        place: Option<Place>,
        tags: Option<Vec<Option<String>>>,
    }

    #[test]
    fn an_optional_argument_of_any_type_does_not_mention_null() {
        let schema = input::<Arguments>();
        assert!(!schema.to_string().contains("null"), "{schema:#}");
        assert_eq!(schema["properties"]["order"]["enum"], json!(["oldest", "newest"]));
        assert_eq!(schema["properties"]["tags"]["items"], json!({ "type": "string" }));
    }

    #[test]
    fn an_optional_value_of_a_result_is_one_of_two_schemas() {
        let schema = output::<Arguments>();
        let order = json!({
            "anyOf": [{ "type": "string", "enum": ["oldest", "newest"] }, { "type": "null" }],
            "description": "By age.",
        });
        assert_eq!(schema["properties"]["order"], order);
    }
}
