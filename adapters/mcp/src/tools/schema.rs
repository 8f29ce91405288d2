//! JSON Schemas for arguments and results, from the types that read and write them.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The schema of a tool's arguments.
///
/// An argument that may be left out may also be `null`, as some clients send it; the schema does not
/// say so, because a model that reads it needs no second way to say nothing.
pub(super) fn input<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_deserialize().with_transform(
        RecursiveTransform(|schema: &mut Schema| {
            let one_type = match schema.get("type") {
                Some(Value::Array(types)) => types.iter().find(|kind| **kind != "null").cloned(),
                _ => None,
            };
            if let Some(one_type) = one_type {
                schema.insert("type".to_owned(), one_type);
            }
        }),
    ))
}

/// The schema of a tool's result.
pub(super) fn output<T: JsonSchema>() -> Value {
    generate::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn generate<T: JsonSchema>(mut settings: SchemaSettings) -> Value {
    // Many clients and models cannot follow a `$ref`, and 2020-12 is the dialect where none is named.
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.with_transform(Plain).into_generator().into_root_schema_for::<T>();
    // What the Rust type says about itself is for the reader of the code.
    schema.remove("title");
    schema.remove("description");
    schema.to_value()
}

/// Drops formats that name Rust's integer types: JSON Schema knows none of them.
#[derive(Debug, Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("format").and_then(Value::as_str).is_some_and(|format| format == "int64") {
            schema.remove("format");
        }
        transform_subschemas(self, schema);
    }
}
