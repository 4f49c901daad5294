//! How a payload of one version of a type becomes one of the next: a few steps that always end.

use crate::json::{self, Kind};
use serde_json::{Map, Value};

/// Most steps of one upcaster.
pub const MAX_UPCAST_STEPS: usize = 100;

/// Steps from the version before, done in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Upcast(Vec<Step>);

/// One step. Names are of members of the payload; dots reach into objects: `user.name`.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// `{"rename": "old", "to": "new"}`
    Rename { from: Vec<String>, to: Vec<String> },
    /// `{"default": "name", "value": …}`: where it is absent or null.
    Default { place: Vec<String>, value: Value },
    /// `{"remove": "name"}`
    Remove { place: Vec<String> },
    /// `{"convert": "name", "to": "string|number|integer|boolean|array"}`: what cannot be converted stays.
    Convert { place: Vec<String>, to: Target },
    /// `{"map": "name", "values": {"old": "new"}}`: other values stay.
    Map { place: Vec<String>, values: Map<String, Value> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    String,
    Number,
    Integer,
    Boolean,
    Array,
}

impl Upcast {
    /// Reads the steps: a minified JSON array.
    ///
    /// # Errors
    ///
    /// What is wrong with which step.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        if json::kind(text) != Kind::Array {
            return Err("it is a list of steps, such as [{\"rename\":\"old\",\"to\":\"new\"}]".to_owned());
        }
        let steps = json::elements(text).enumerate().map(|(index, step)| {
            let step = json::to_value(step);
            Step::read(&step).ok_or_else(|| {
                format!(
                    "step {} is none of rename and to, default and value, remove, convert and to, map and values",
                    index + 1
                )
            })
        });
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        if steps.len() > MAX_UPCAST_STEPS {
            return Err(format!("it has {} steps, more than {MAX_UPCAST_STEPS}", steps.len()));
        }
        Ok(Self(steps))
    }

    /// The payload in the form of the version.
    pub fn apply(&self, mut payload: Value) -> Value {
        for step in &self.0 {
            step.apply(&mut payload);
        }
        payload
    }
}

impl Step {
    fn read(step: &Value) -> Option<Self> {
        let members = step.as_object().filter(|members| members.len() <= 2)?;
        let place = |name: &str| -> Option<Vec<String>> {
            let text = members.get(name)?.as_str().filter(|text| !text.is_empty())?;
            Some(text.split('.').map(str::to_owned).collect())
        };
        if let Some(from) = place("rename") {
            return Some(Self::Rename { from, to: place("to")? });
        }
        if let Some(name) = place("default") {
            return Some(Self::Default { place: name, value: members.get("value")?.clone() });
        }
        if let Some(name) = place("remove") {
            return (members.len() == 1).then_some(Self::Remove { place: name });
        }
        if let Some(name) = place("convert") {
            let to = match members.get("to")?.as_str()? {
                "string" => Target::String,
                "number" => Target::Number,
                "integer" => Target::Integer,
                "boolean" => Target::Boolean,
                "array" => Target::Array,
                _ => return None,
            };
            return Some(Self::Convert { place: name, to });
        }
        Some(Self::Map { place: place("map")?, values: members.get("values")?.as_object()?.clone() })
    }

    fn apply(&self, payload: &mut Value) {
        match self {
            Self::Rename { from, to } => {
                if let Some(value) = take(payload, from) {
                    put(payload, to, value);
                }
            }
            Self::Default { place, value } => {
                if find(payload, place).is_none_or(|there| there.is_null()) {
                    put(payload, place, value.clone());
                }
            }
            Self::Remove { place } => drop(take(payload, place)),
            Self::Convert { place, to } => {
                if let Some(there) = find(payload, place)
                    && let Some(converted) = to.convert(there)
                {
                    *there = converted;
                }
            }
            Self::Map { place, values } => {
                if let Some(there) = find(payload, place)
                    && let Some(other) = values.get(plain(there).as_str())
                {
                    *there = other.clone();
                }
            }
        }
    }
}

impl Target {
    fn convert(self, value: &Value) -> Option<Value> {
        match self {
            Self::String if value.is_object() || value.is_array() || value.is_null() => None,
            Self::String => Some(plain(value).into()),
            Self::Number => plain(value).parse::<f64>().ok().map(Value::from),
            Self::Integer => {
                let whole = plain(value).parse::<f64>().ok().map(f64::trunc);
                whole.filter(|number| number.abs() < 9e15).map(|number| (number as i64).into())
            }
            Self::Boolean => match plain(value).as_str() {
                "true" | "1" | "yes" => Some(true.into()),
                "false" | "0" | "no" => Some(false.into()),
                _ => None,
            },
            Self::Array if value.is_array() || value.is_null() => None,
            Self::Array => Some(Value::Array(vec![value.clone()])),
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn find<'v>(payload: &'v mut Value, place: &[String]) -> Option<&'v mut Value> {
    place.iter().try_fold(payload, |value, name| value.as_object_mut()?.get_mut(name))
}

fn take(payload: &mut Value, place: &[String]) -> Option<Value> {
    let (last, parents) = place.split_last()?;
    find(payload, parents)?.as_object_mut()?.shift_remove(last)
}

/// Objects on the way are made; where something else is in the way nothing is put.
fn put(payload: &mut Value, place: &[String], value: Value) {
    let Some((last, parents)) = place.split_last() else { return };
    let mut at = payload;
    for name in parents {
        let Some(members) = at.as_object_mut() else { return };
        at = members.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
    }
    if let Some(members) = at.as_object_mut() {
        members.insert(last.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn upcast(steps: &Value, payload: Value) -> Value {
        Upcast::parse(steps.to_string().as_bytes()).unwrap().apply(payload)
    }

    #[test]
    fn each_step_does_its_part_and_leaves_what_it_cannot() {
        let steps = json!([
            {"rename": "n", "to": "count.total"},
            {"convert": "count.total", "to": "string"},
            {"default": "unit", "value": "piece"},
            {"remove": "old"},
            {"map": "status", "values": {"ok": "success", "7": "seven"}},
            {"convert": "when", "to": "integer"},
        ]);
        assert_eq!(
            upcast(&steps, json!({"n": 7, "old": [1], "status": "ok", "when": "soon"})),
            json!({"status": "success", "when": "soon", "count": {"total": "7"}, "unit": "piece"})
        );
        assert_eq!(
            upcast(&steps, json!({"unit": "kg", "status": 7})),
            json!({"unit": "kg", "status": "seven"})
        );
        assert_eq!(upcast(&steps, json!("plain")), json!("plain"));
    }

    #[test]
    fn says_which_step_is_none() {
        for bad in [
            json!({}),
            json!([{"rename": "a"}]),
            json!([{"remove": "a"}, {"convert": "a", "to": "moon"}]),
            json!([{"remove": "a", "x": 1}]),
        ] {
            assert!(Upcast::parse(bad.to_string().as_bytes()).is_err(), "{bad}");
        }
        let told = Upcast::parse(br#"[{"remove":"a"},{"remove":""}]"#).unwrap_err();
        assert!(told.starts_with("step 2 "), "{told}");
    }
}
