//! JSON Schemas for arguments and results, from the types that read and write them.
//!
//! They are meant for every client and for the API of every model. Many of those follow no `$ref`,
//! and some know one `type` for each schema: Gemini refuses all tools of a server when one of them
//! says `"type": ["string", "null"]`, and takes the same as `anyOf`.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// The schema of a tool's arguments.
///
/// An argument that may be left out may also be `null`, as some clients send it; the schema does not
/// say so, because a model that reads it needs no second way to say nothing.
pub(super) fn input<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_deserialize(), without_null)
}

/// The schema of a tool's result.
pub(super) fn output<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_serialize(), value_or_null)
}

fn generate<T: JsonSchema>(mut settings: SchemaSettings, nullable: fn(&mut Schema)) -> Value {
    // 2020-12 is the dialect where none is named.
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let settings = settings
        .with_transform(RecursiveTransform(without_rust_formats))
        .with_transform(RecursiveTransform(nullable));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // What the Rust type says about itself is for the reader of the code.
    schema.remove("title");
    schema.remove("description");
    schema.to_value()
}

/// Drops formats that name Rust's integer types: JSON Schema knows none of them.
fn without_rust_formats(schema: &mut Schema) {
    if schema.get("format").is_some_and(|format| format == "int64") {
        schema.remove("format");
    }
}

/// Leaves one of several types: the one that is not `null`.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get("type") {
        let one = types.iter().find(|kind| **kind != "null").cloned();
        schema.insert("type".to_owned(), one.unwrap_or_default());
    }
}

/// Makes of several types as many schemas, each with the rules for its own.
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
        branch.to_value()
    };
    schema.insert("anyOf".to_owned(), types.into_iter().map(branch).collect());
    if let Some(description) = description {
        schema.insert("description".to_owned(), description);
    }
}
