//! Schemas of payloads that are objects with named fields: what declarations and the catalogue hold.

use serde_json::{Map, Value, json};

/// One field of a payload.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    pub name: &'a str,
    pub kind: ValueKind,
    pub required: bool,
    /// Empty where there is none.
    pub description: &'a str,
    /// The only texts that it may be; empty where any value of its kind will do.
    pub one_of: &'a [&'a str],
    /// Whether it may be there and say nothing.
    pub may_be_null: bool,
}

/// What a field's value is. The words are those of JSON Schema and of agents' declarations alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

/// The JSON Schema of an object with these fields, minified. Fields beyond them are allowed: agents add
/// what they find worth saying.
pub fn object_schema(fields: &[Field<'_>]) -> Box<[u8]> {
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("type".into(), json!("object"));
    if !fields.is_empty() {
        let properties = fields.iter().map(|field| (field.name.to_owned(), field.schema()));
        schema.insert("properties".into(), Value::Object(properties.collect()));
    }
    let required: Vec<_> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    Value::Object(schema).to_string().into_bytes().into()
}

impl<'a> Field<'a> {
    pub const fn required(name: &'a str, kind: ValueKind) -> Self {
        Self { name, kind, required: true, description: "", one_of: &[], may_be_null: false }
    }

    pub const fn optional(name: &'a str, kind: ValueKind) -> Self {
        Self { required: false, ..Self::required(name, kind) }
    }

    /// A required text that is one of `texts`.
    pub const fn one_of(name: &'a str, texts: &'a [&'a str]) -> Self {
        Self::required(name, ValueKind::String).among(texts)
    }

    /// The same, with these texts alone.
    pub const fn among(self, texts: &'a [&'a str]) -> Self {
        Self { one_of: texts, ..self }
    }

    /// The same, or null.
    pub const fn or_null(self) -> Self {
        Self { may_be_null: true, ..self }
    }

    fn schema(&self) -> Value {
        let mut schema = Map::new();
        let kind = self.kind.as_str();
        schema.insert("type".into(), if self.may_be_null { json!([kind, "null"]) } else { json!(kind) });
        if !self.one_of.is_empty() {
            let null = self.may_be_null.then_some(Value::Null);
            let texts = self.one_of.iter().map(|text| json!(text));
            schema.insert("enum".into(), texts.chain(null).collect());
        }
        if !self.description.is_empty() {
            schema.insert("description".into(), json!(self.description));
        }
        Value::Object(schema)
    }
}

impl ValueKind {
    pub const ALL: [Self; 6] =
        [Self::String, Self::Integer, Self::Number, Self::Boolean, Self::Array, Self::Object];

    /// Reads the word of JSON Schema.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}
