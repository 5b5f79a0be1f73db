//! The names of the members of a response.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

use super::Fields;

/// Names that are kept; the others are counted.
const MOST: usize = 30;
/// Levels that are looked at.
const DEEPEST: usize = 4;
/// Elements of a list that are looked at.
const ELEMENTS: usize = 3;
/// Longest name that is shown, in bytes.
const LONGEST: usize = 40;
/// What stands for a name that may be data: an identifier, a mail address, a token.
const HIDDEN: &str = "*";

/// Paths of names, such as `authed_user.access_token`; `[]` follows the name of a list. Fit to print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberNames {
    paths: Vec<String>,
    left_out: usize,
}

impl MemberNames {
    pub(super) fn of(fields: &Fields) -> Self {
        let mut all = BTreeSet::new();
        fields.iter().for_each(|(name, value)| collect(&mut all, shown(name).to_owned(), value, 1));
        let left_out = all.len().saturating_sub(MOST);
        Self { paths: all.into_iter().take(MOST).collect(), left_out }
    }

    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// How many more there are.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

/// `access_token, team.id and 2 more`
impl fmt::Display for MemberNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paths.join(", "))?;
        match self.left_out {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

fn collect(all: &mut BTreeSet<String>, path: String, value: &Value, depth: usize) {
    match value {
        Value::Object(inner) if !inner.is_empty() && depth < DEEPEST => {
            inner.iter().for_each(|(name, value)| collect(all, format!("{path}.{}", shown(name)), value, depth + 1));
        }
        Value::Array(list) if list.iter().any(Value::is_object) && depth < DEEPEST => {
            list.iter().take(ELEMENTS).for_each(|element| collect(all, format!("{path}[]"), element, depth + 1));
        }
        _ => drop(all.insert(path)),
    }
}

/// A name, unless it may be data.
fn shown(name: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let words = name.bytes().any(|b| b"_-".contains(&b));
    let is_a_name = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(plain)
        && name.len() <= LONGEST
        && digits <= 3
        // Random letters and digits have no other shape.
        && (name.len() < 16 || digits == 0)
        && (name.len() < 28 || words);
    if is_a_name { name } else { HIDDEN }
}
