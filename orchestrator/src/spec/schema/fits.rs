//! As much of draft-07 as the schema uses, so that what it says is tried and not only read.

use std::net::Ipv4Addr;

use regex_automata::meta::Regex;
use serde_json::{Map, Value};

/// Whether `value` is as `schema` wants it.
///
/// # Panics
/// The schema uses a word that is not known here: it would be believed untried.
pub(super) fn fits(schema: &Value, value: &Value) -> bool {
    let Value::Object(words) = schema else { return schema.as_bool().expect("true or false") };
    words.iter().all(|(word, wanted)| match word.as_str() {
        "$schema" | "title" | "description" | "default" => true,
        "type" => names(wanted).iter().any(|name| is_a(value, name)),
        "enum" => wanted.as_array().expect("a list").contains(value),
        "pattern" => value.as_str().is_none_or(|text| matches(wanted.as_str().expect("a pattern"), text)),
        "format" => {
            assert_eq!(wanted, "ipv4");
            value.as_str().is_none_or(|text| text.parse::<Ipv4Addr>().is_ok())
        }
        "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= number(wanted)),
        "minimum" => value.as_f64().is_none_or(|found| found >= number(wanted) as f64),
        "maximum" => value.as_f64().is_none_or(|found| found <= number(wanted) as f64),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= number(wanted)),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(wanted, item))),
        "required" => {
            value.as_object().is_none_or(|object| names(wanted).iter().all(|name| object.contains_key(*name)))
        }
        "properties" => value.as_object().is_none_or(|object| {
            let known = wanted.as_object().expect("properties");
            known.iter().all(|(name, schema)| object.get(name).is_none_or(|value| fits(schema, value)))
        }),
        "additionalProperties" => {
            value.as_object().is_none_or(|object| unknown(words, object).all(|value| fits(wanted, value)))
        }
        word => panic!("the word {word} is not known here"),
    })
}

/// The values whose names are not among the properties.
fn unknown<'a>(words: &'a Map<String, Value>, object: &'a Map<String, Value>) -> impl Iterator<Item = &'a Value> {
    let known = |name: &str| words.get("properties").is_some_and(|properties| properties.get(name).is_some());
    object.iter().filter(move |(name, _)| !known(name)).map(|(_, value)| value)
}

/// One name, or a list of them.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(name) => vec![name],
        other => other.as_array().expect("names").iter().map(|name| name.as_str().expect("a name")).collect(),
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).expect(pattern).is_match(text)
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        name => panic!("the type {name} is not known here"),
    }
}
