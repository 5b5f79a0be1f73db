//! `docs/threats.md` describes every row that a test carries, and names tests that exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use loopin::deadlines::{
    HELPER_INPUT, LINK_LIFE, PROVIDER_IS_SILENT, RELAY_DRAINS, REQUEST_ARRIVES, SERVICE_DRAINS, USER_SIGNS_IN,
};

use crate::layering::collect;

/// Id of a row → the tests that the document names for it.
type Rows = BTreeMap<String, Vec<String>>;

#[test]
fn every_row_that_must_have_a_test_is_described() {
    let described = described(&read("docs/threats.md"));
    let missing: Vec<_> =
        required(&read("tests/rows.txt")).into_iter().filter(|id| !described.contains_key(id)).collect();
    assert!(missing.is_empty(), "add these rows of tests/rows.txt to docs/threats.md: {missing:?}");
}

#[test]
fn the_rows_that_are_described_are_those_that_tests_carry() {
    let described: BTreeSet<_> = described(&read("docs/threats.md")).into_keys().collect();
    let carried: BTreeSet<_> = functions().iter().flat_map(|name| ids(name)).collect();
    let unknown: Vec<_> = carried.difference(&described).collect();
    assert!(unknown.is_empty(), "tests carry these ids, and docs/threats.md has no row for them: {unknown:?}");
    let empty: Vec<_> = described.difference(&carried).collect();
    assert!(empty.is_empty(), "docs/threats.md has these rows, and no test carries their ids: {empty:?}");
}

#[test]
fn every_test_that_is_named_exists_and_carries_the_id_of_its_row() {
    let functions = functions();
    let mut wrong = Vec::new();
    for (id, names) in described(&read("docs/threats.md")) {
        if names.is_empty() {
            wrong.push(format!("{id} names no test"));
        }
        for name in names {
            if !ids(&name).contains(&id) {
                wrong.push(format!("{id} names {name}, which carries another id"));
            }
            if !functions.contains(&name) {
                wrong.push(format!("{id} names {name}, which does not exist"));
            }
        }
    }
    assert!(wrong.is_empty(), "correct docs/threats.md: {wrong:#?}");
}

#[test]
fn deadlines_that_the_documents_promise_are_those_of_the_program() {
    let help = Command::new(env!("CARGO_BIN_EXE_loopin")).args(["login", "--help"]).output().expect("loopin").stdout;
    let (threats, schema, serve) = (read("docs/threats.md"), read("docs/stdio.schema.json"), read("docs/serve.md"));
    let seconds = USER_SIGNS_IN.as_secs();
    for (text, promise) in [
        (&threats, format!("Every head has {} s from the accepted connection", REQUEST_ARRIVES.as_secs())),
        (&threats, format!("finishes accepted requests, for at most {} s", RELAY_DRAINS.as_secs())),
        (&threats, format!("After {} s without an answer", PROVIDER_IS_SILENT.as_secs())),
        (&threats, format!("Reads at most 64 KiB for at most {} s", HELPER_INPUT.as_secs())),
        (&serve, format!("is valid for {} s and works", LINK_LIFE.as_secs())),
        (&serve, format!("finishes accepted requests ({} s at most)", SERVICE_DRAINS.as_secs())),
        (&schema, format!("{seconds} if not given")),
        (&String::from_utf8(help).expect("UTF-8"), format!("[default: {}m]", seconds / 60)),
    ] {
        assert!(text.contains(&promise), "documents and src/deadlines.rs differ: \"{promise}\"");
    }
}

#[test]
fn the_paths_that_are_named_exist() {
    for text in [read("docs/threats.md"), read("docs/architecture.md")] {
        let paths = text.split('`').skip(1).step_by(2).filter(|word| {
            ["src/", "tests/", "docs/"].iter().any(|root| word.starts_with(root)) && !word.contains([' ', '*'])
        });
        for path in paths {
            assert!(root().join(path).exists(), "there is no {path}");
        }
    }
}

#[test]
fn every_module_is_on_the_map() {
    let map = read("docs/architecture.md");
    let declared = read("src/lib.rs");
    let modules =
        declared.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let missing: Vec<_> = modules.filter(|module| !map.contains(&format!("`{module}`"))).collect();
    assert!(missing.is_empty(), "docs/architecture.md does not name {missing:?}");
}

#[test]
fn comments_cite_rows_that_are_described() {
    const CITED: &str = "docs/threats.md, ";
    let described = described(&read("docs/threats.md"));
    let mut unknown = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).expect("source");
        for cited in text.split(CITED).skip(1) {
            let id: String = cited.chars().take_while(char::is_ascii_alphanumeric).collect();
            if !described.contains_key(&id) {
                unknown.push(format!("{}: {id}", file.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn ranges_and_tables_are_read_as_they_are_written() {
    assert_eq!(["L01", "L02", "L03", "B07"].map(str::to_owned).to_vec(), required("# all\nL01-L03 B07\n"));
    let rows = described(
        "| id | threat | does | tests |\n| --- | --- | --- | --- |\n| L05 | `a` | b | `l05_one`, `l05_two` |\n",
    );
    assert_eq!(vec!["l05_one".to_owned(), "l05_two".to_owned()], rows["L05"]);
    assert_eq!(vec!["V01".to_owned(), "V30".to_owned()], ids("v01_v30_only_the_application"));
    assert_eq!(Vec::<String>::new(), ids("the_v01_row"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// The ids of `tests/rows.txt`: single ones, and ranges such as `L01-L40`.
fn required(text: &str) -> Vec<String> {
    let words = text.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    words
        .flat_map(|word| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let number = |id: &str| id[1..].parse::<u32>().expect("a letter and two digits");
            (number(first)..=number(last)).map(|n| format!("{}{n:02}", &first[..1])).collect::<Vec<_>>()
        })
        .collect()
}

/// Rows of the tables: the first cell is the id, the last one names tests.
fn described(text: &str) -> Rows {
    let mut rows = Rows::new();
    for line in text.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if let ["", id, _, _, tests, ""] = cells[..]
            && !["id", "---"].contains(&id)
        {
            let names = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            assert!(rows.insert(id.to_owned(), names).is_none(), "{id} is described twice");
        }
    }
    rows
}

/// `v01_v30_only_the_application_…` → V01, V30.
fn ids(name: &str) -> Vec<String> {
    let id = |part: &&str| {
        matches!(part.as_bytes(), [letter, tens, ones]
            if letter.is_ascii_lowercase() && tens.is_ascii_digit() && ones.is_ascii_digit())
    };
    name.split('_').take_while(id).map(str::to_ascii_uppercase).collect()
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for directory in ["src", "tests"] {
        collect(&root().join(directory), &mut files);
    }
    files.retain(|file| !file.ends_with("tests/it/threats.rs"));
    files
}

/// The name of every function in `src` and `tests`.
fn functions() -> BTreeSet<String> {
    let files = sources();
    let names = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).expect("source");
        let declared = text.split("fn ").skip(1);
        let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
        declared.map(name).collect::<Vec<_>>()
    });
    names.collect()
}
