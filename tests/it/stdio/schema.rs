//! As much of JSON Schema as docs/stdio.schema.json uses. Stricter in one point: what is not described is wrong where
//! the schema is ours to keep, so that no field goes undescribed.

use std::{path::Path, rc::Rc};

use serde_json::Value;

#[derive(Clone)]
pub struct Schema(Rc<Value>);

impl Schema {
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/stdio.schema.json");
        Self(Rc::new(serde_json::from_slice(&std::fs::read(path).expect("schema")).expect("JSON")))
    }

    /// Whether the value is what the schema of this name describes.
    #[track_caller]
    pub fn assert_holds(&self, name: &str, value: &Value) {
        if let Err(why) = self.check(&self.0["$defs"][name], value) {
            panic!("not a {name}, {why}: {value:#}");
        }
    }

    pub fn names(&self) -> Vec<String> {
        self.0["$defs"].as_object().expect("definitions").keys().cloned().collect()
    }

    fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let rules = schema.as_object().ok_or("there is no such schema")?;
        for (rule, expected) in rules {
            match rule.as_str() {
                "$ref" => {
                    let pointer = expected.as_str().and_then(|text| text.strip_prefix('#')).expect("a reference");
                    self.check(self.0.pointer(pointer).ok_or(format!("{pointer} is missing"))?, value)?;
                }
                "oneOf" => {
                    let all = expected.as_array().expect("a list");
                    let results: Vec<_> = all.iter().map(|one| self.check(one, value)).collect();
                    let held = results.iter().filter(|result| result.is_ok()).count();
                    if held != 1 {
                        return Err(format!("{held} of its forms hold: {results:?}"));
                    }
                }
                "type" => {
                    let types = expected.as_array().cloned().unwrap_or_else(|| vec![expected.clone()]);
                    if !types.iter().any(|name| is_a(name.as_str().expect("a name"), value)) {
                        return Err(format!("no {expected}"));
                    }
                }
                "const" if expected != value => return Err(format!("not {expected}")),
                "enum" if !expected.as_array().expect("a list").contains(value) => {
                    return Err(format!("none of {expected}"));
                }
                "minimum" if value.as_i64() < expected.as_i64() => return Err(format!("less than {expected}")),
                "maximum" if value.as_i64() > expected.as_i64() => return Err(format!("more than {expected}")),
                "required" => {
                    let missing =
                        expected.as_array().expect("a list").iter().find(|name| value.get(text(name)).is_none());
                    if let Some(name) = missing {
                        return Err(format!("without {name}"));
                    }
                }
                "properties" => self.fields(expected, value)?,
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.check(expected, item)?;
                    }
                }
                "maxLength" if value.as_str().map(str::len) > expected.as_u64().map(|n| n as usize) => {
                    return Err("too long".into());
                }
                "const" | "enum" | "minimum" | "maximum" | "maxLength" | "maxItems" | "maxProperties" | "pattern" => {}
                "additionalProperties" | "description" | "format" => {}
                other => return Err(format!("the rule {other} is not understood here")),
            }
        }
        Ok(())
    }

    fn fields(&self, properties: &Value, value: &Value) -> Result<(), String> {
        for (name, field) in value.as_object().into_iter().flatten() {
            let schema = properties.get(name).ok_or(format!("{name} is not described"))?;
            self.check(schema, field).map_err(|why| format!("{name}: {why}"))?;
        }
        Ok(())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("the type {other} is not understood here"),
    }
}
