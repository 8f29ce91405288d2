//! The official JSON Schemas of MCP, and the validation of single messages.
//!
//! The schemas leave objects open: that a message has no further members is for other tests to
//! check.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::{Draft, Validator, ValidatorMap};
use serde_json::Value;

use crate::client::MODERN;

/// The revision of a client that names none: the last one without a header for it.
pub const UNNAMED: &str = "2025-03-26";

static SCHEMAS: [LazyLock<Schema>; 4] = [
    LazyLock::new(|| Schema::read(UNNAMED, include_str!("../schemas/2025-03-26.json"))),
    LazyLock::new(|| Schema::read("2025-06-18", include_str!("../schemas/2025-06-18.json"))),
    LazyLock::new(|| Schema::read("2025-11-25", include_str!("../schemas/2025-11-25.json"))),
    LazyLock::new(|| Schema::read(MODERN, include_str!("../schemas/2026-07-28.json"))),
];

/// Violations in a message, one line each.
pub type Complaints = Vec<String>;

/// The schema of one revision of the protocol.
pub struct Schema {
    revision: &'static str,
    /// `$defs`, or its predecessor `definitions`.
    definitions: &'static str,
    validators: ValidatorMap,
    /// The definitions of the requests and notifications, by method.
    methods: BTreeMap<String, String>,
    /// The definitions of specific errors, by code.
    errors: BTreeMap<i64, String>,
}

impl Schema {
    pub fn of(revision: &str) -> Option<&'static Self> {
        SCHEMAS.iter().map(|schema| &**schema).find(|schema| schema.revision == revision)
    }

    fn read(revision: &'static str, text: &str) -> Self {
        let schema: Value = serde_json::from_str(text).unwrap();
        let definitions = if schema.get("$defs").is_some() { "$defs" } else { "definitions" };
        let (mut methods, mut errors) = (BTreeMap::new(), BTreeMap::new());
        for (name, definition) in schema[definitions].as_object().unwrap() {
            let method = definition["properties"]["method"]["const"].as_str();
            // With a single member, the union of all notifications of one side looks like a
            // notification.
            if let Some(method) = method.filter(|_| name != "ClientNotification") {
                methods.insert(method.to_owned(), name.clone());
            }
            let refinements = definition["properties"]["error"]["allOf"].as_array();
            for refinement in refinements.into_iter().flatten() {
                if let Some(code) = refinement["properties"]["code"]["const"].as_i64() {
                    errors.insert(code, name.clone());
                }
            }
        }
        let validators = jsonschema::options().should_validate_formats(true).build_map(&schema);
        Self { revision, definitions, validators: validators.unwrap(), methods, errors }
    }

    /// Whether the revision has batches of this kind; only the oldest does.
    pub fn batch(&self, messages: &Value) -> Complaints {
        self.check("JSONRPCBatchResponse", messages)
    }

    /// Validates a request against the definition of its method.
    pub fn request(&self, message: &Value) -> Complaints {
        match self.method(message, "Request") {
            Some(definition) => self.check(definition, message),
            None => self.unknown(&message["method"]),
        }
    }

    /// Validates a notification against the definition of its method.
    pub fn notification(&self, message: &Value) -> Complaints {
        match self.method(message, "Notification") {
            Some(definition) => self.check(definition, message),
            None => self.unknown(&message["method"]),
        }
    }

    /// Validates a successful response to `request` against the definitions of a response and of
    /// the result.
    pub fn result(&self, request: &Value, message: &Value) -> Complaints {
        let Some(definition) = self.method(request, "Request") else {
            return self.unknown(&request["method"]);
        };
        let result = definition.replace("Request", "Result");
        // Some requests have an empty result, which has no definition of its own.
        let result = if self.has(&result) { &result } else { "EmptyResult" };
        let envelope = ["JSONRPCResultResponse", "JSONRPCResponse"];
        let envelope = envelope.into_iter().find(|name| self.has(name)).unwrap();
        let mut complaints = self.check(envelope, message);
        complaints.extend(self.check(result, &message["result"]));
        complaints
    }

    /// Validates an error against the definition of its code, or of errors in general.
    ///
    /// The two oldest schemas require an `id`. By their prose, a server that rejects an HTTP
    /// request as a whole may answer with an error "that has no `id`" (Streamable HTTP, Sending
    /// Messages to the Server): of such an error, only `error` is validated.
    pub fn error(&self, message: &Value) -> Complaints {
        let code = message["error"]["code"].as_i64();
        if let Some(definition) = code.and_then(|code| self.errors.get(&code)) {
            return self.check(definition, message);
        }
        if self.has("JSONRPCErrorResponse") {
            return self.check("JSONRPCErrorResponse", message);
        }
        if message.get("id").is_some() {
            return self.check("JSONRPCError", message);
        }
        self.check("JSONRPCError/properties/error", &message["error"])
    }

    /// Whether this error code has a definition of its own.
    pub fn names_error(&self, code: i64) -> bool {
        self.errors.contains_key(&code)
    }

    fn method(&self, message: &Value, kind: &str) -> Option<&str> {
        let definition = self.methods.get(message["method"].as_str()?)?;
        definition.ends_with(kind).then_some(definition)
    }

    fn unknown(&self, method: &Value) -> Complaints {
        vec![format!("MCP {} has no method {method}", self.revision)]
    }

    fn pointer(&self, definition: &str) -> String {
        format!("#/{}/{definition}", self.definitions)
    }

    fn has(&self, definition: &str) -> bool {
        self.validators.contains_key(&self.pointer(definition))
    }

    fn check(&self, definition: &str, message: &Value) -> Complaints {
        match self.validators.get(&self.pointer(definition)) {
            Some(validator) => {
                complaints(&format!("MCP {} {definition}", self.revision), validator, message)
            }
            None => vec![format!("MCP {} has no {definition}", self.revision)],
        }
    }
}

/// Validates the schemas of a tool as JSON Schema 2020-12, the default dialect.
pub fn tool(tool: &Value) -> Complaints {
    let mut complaints = Complaints::new();
    for name in ["inputSchema", "outputSchema"] {
        let Some(schema) = tool.get(name) else { continue };
        if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
            complaints.push(format!("{name} of {}: {error}", tool["name"]));
        }
    }
    complaints
}

/// Validates the result of a call against the output schema of its tool. A success must then have
/// structured content, a failure need not.
pub fn tool_result(tool: &Value, result: &Value) -> Complaints {
    let Some(schema) = tool.get("outputSchema") else { return Complaints::new() };
    let at = format!("output of {}", tool["name"]);
    match result.get("structuredContent") {
        Some(content) => {
            let options = jsonschema::options().with_draft(Draft::Draft202012);
            match options.should_validate_formats(true).build(schema) {
                Ok(validator) => complaints(&at, &validator, content),
                Err(error) => vec![format!("{at}: {error}")],
            }
        }
        None if result["isError"] == true => Complaints::new(),
        None => vec![format!("{at} is missing")],
    }
}

fn complaints(at: &str, validator: &Validator, value: &Value) -> Complaints {
    let errors = validator.iter_errors(value);
    errors.map(|error| format!("{at}{}: {error}", error.instance_path())).collect()
}
