//! The architecture, checked: who may name whom, and which words may stand where.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

mod failures;
mod interruptions;

/// Module of the crate → modules it may name, itself aside.
const MAY_NAME: [(&str, &[&str]); 27] = [
    ("catalog", &["oauth", "redirect"]),
    ("cli", &[]),
    (
        "command",
        &[
            "catalog",
            "cli",
            "deadlines",
            "grants",
            "head",
            "helper",
            "oauth",
            "practice",
            "redirect",
            "refresh",
            "relay",
            "relaying",
            "reply",
            "report",
            "secret",
            "server",
            "service",
            "stdio",
            "system",
            "timestamp",
            "vault",
        ],
    ),
    ("deadlines", &[]),
    (
        "grants",
        &[
            "catalog",
            "deadlines",
            "head",
            "loopback",
            "oauth",
            "redirect",
            "refresh",
            "reply",
            "secret",
            "stdio",
            "system",
            "vault",
        ],
    ),
    ("head", &[]),
    ("helper", &["catalog", "secret"]),
    ("lib", &[]),
    ("library", &["grants", "oauth", "refresh", "secret", "stdio", "system", "vault"]),
    ("loopback", &["head", "oauth", "redirect", "reply"]),
    ("main", &[]),
    ("oauth", &["deadlines", "redirect", "secret"]),
    ("practice", &["catalog", "head", "oauth", "redirect", "reply", "secret"]),
    ("redirect", &[]),
    ("refresh", &["deadlines", "oauth", "secret", "vault"]),
    ("proxies", &[]),
    ("relay", &["catalog", "head", "proxies", "redirect", "reply"]),
    ("relaying", &["catalog", "relay", "reply", "system", "vault"]),
    ("reply", &[]),
    (
        "report",
        &[
            "catalog",
            "grants",
            "helper",
            "oauth",
            "redirect",
            "refresh",
            "relay",
            "secret",
            "system",
            "timestamp",
            "vault",
        ],
    ),
    ("secret", &[]),
    (
        "server",
        &[
            "catalog",
            "deadlines",
            "oauth",
            "proxies",
            "refresh",
            "reply",
            "secret",
            "service",
            "system",
            "timestamp",
            "vault",
        ],
    ),
    ("service", &["catalog", "deadlines", "oauth", "proxies", "redirect", "refresh", "reply", "secret", "vault"]),
    ("stdio", &["oauth", "secret"]),
    (
        "system",
        &["catalog", "deadlines", "head", "oauth", "refresh", "reply", "secret", "service", "timestamp", "vault"],
    ),
    ("timestamp", &[]),
    ("vault", &["catalog", "oauth", "secret"]),
];

/// Word → modules or files it may stand in.
const LICENSED: [(&str, &[&str]); 27] = [
    // Deadlines have names of their own, most of them in `deadlines`.
    ("const PATIENCE", &[]),
    // Aborted by one header, bounded in nothing; clippy refuses it in tests as well.
    ("tiny_http::Server", &[]),
    ("SystemTime::now", &["system"]),
    ("Instant::now", &["system"]),
    ("rand::", &["system"]),
    ("std::env", &["system", "main"]),
    ("env::var", &["system"]),
    ("std::fs", &["system"]),
    ("fs::", &["system"]),
    ("TcpStream", &["system"]),
    ("TcpListener", &["system"]),
    ("UdpSocket", &["system"]),
    ("println!", &[]),
    ("print!(", &[]),
    ("io::stdout", &["report", "system/access_log.rs", "system/terminal.rs"]),
    ("io::stderr", &["report", "system/hidden_input.rs", "system/terminal.rs"]),
    ("\"code_verifier\"", &["oauth", "practice"]),
    ("\"code_challenge\"", &["oauth", "practice"]),
    ("\"code_challenge_method\"", &["oauth", "practice"]),
    ("\"device_code\"", &["oauth", "practice"]),
    ("\"grant_type\"", &["oauth", "practice"]),
    ("\"response_type\"", &["oauth", "practice"]),
    ("\"redirect_uri\"", &["catalog", "oauth", "practice"]),
    ("\"refresh_token\"", &["oauth", "practice"]),
    ("\"id_token\"", &["oauth", "practice", "report/handed_out.rs"]),
    ("\"error_description\"", &["oauth", "practice"]),
    ("\"nonce\"", &["oauth", "practice", "service/jwt/claims.rs"]),
];

/// Files that may take a secret out of its type.
const EXPOSE: [&str; 42] = [
    "command/integration/secret.rs",
    "command/secret_input.rs",
    "command/serve/check.rs",
    "grants/answers.rs",
    "helper/docker.rs",
    "helper/git.rs",
    "helper/kubectl.rs",
    "oauth/answer.rs",
    "oauth/authorization.rs",
    "oauth/client.rs",
    "oauth/client_request.rs",
    "oauth/device.rs",
    "oauth/error_response.rs",
    "oauth/id_token.rs",
    "oauth/refresh.rs",
    "oauth/revoke.rs",
    "oauth/token.rs",
    "refresh.rs",
    "refresh/last.rs",
    "refresh/worker_message.rs",
    "report/handed_out.rs",
    "report/outcome.rs",
    "report/worker.rs",
    "secret.rs",
    "server/authorize.rs",
    "server/sealed_store.rs",
    "server/token.rs",
    "service/authorize.rs",
    "service/flow.rs",
    "service/jwt/signature.rs",
    "service/jwt/verifier.rs",
    "service/keys.rs",
    "system/exec.rs",
    "system/file_store.rs",
    "system/keychain.rs",
    "system/private_files.rs",
    "vault/index.rs",
    "vault/journal.rs",
    "vault/memory.rs",
    "vault.rs",
    "vault/record.rs",
    "vault/seal.rs",
];

/// No URL crate: it rewrites what must stay byte for byte.
const NO_URL_CRATE: [&str; 3] = ["head", "redirect", "relay"];

struct Source {
    module: String,
    file: String,
    code: String,
}

/// Every source file without its tests and comments.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let sources = files.iter().filter(|p| {
        !p.components().any(|c| ["tests", "tests.rs"].contains(&c.as_os_str().to_str().unwrap_or_default()))
    });
    sources
        .map(|path| {
            let file = path.strip_prefix(&root).expect("in src").to_str().expect("UTF-8").replace('\\', "/");
            let module = file.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(path).expect("source");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code = code.split("\n#[cfg(all(test").next().unwrap_or_default();
            let code = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            Source { module, file, code }
        })
        .collect()
}

pub(crate) fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("src").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// What stands behind `crate::`, also inside a group.
fn named(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in code.split("crate::").skip(1) {
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match part.strip_prefix('{') {
            None => names.push(word(part)),
            Some(group) => {
                let (mut depth, mut item) = (0, String::new());
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => names.push(word(std::mem::take(&mut item).trim())),
                        c if depth == 0 => item.push(c),
                        _ => {}
                    }
                }
                names.push(word(item.trim()));
            }
        }
    }
    names.retain(|n| !n.is_empty());
    names
}

#[test]
fn modules_name_only_those_below_them() {
    let table: BTreeMap<_, _> = MAY_NAME.into_iter().collect();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for source in sources() {
        let Some(allowed) = table.get(source.module.as_str()) else {
            wrong.push(format!("{}: the module is not in the table", source.file));
            continue;
        };
        for name in named(&source.code) {
            let crate_itself = name == source.module || name.chars().next().is_some_and(char::is_uppercase);
            if !crate_itself && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} names {name}", source.file));
            }
            used.insert((source.module.clone(), name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let permitted = MAY_NAME.iter().flat_map(|(module, names)| names.iter().map(move |name| (*module, *name)));
    let needless: Vec<_> =
        permitted.filter(|(module, name)| !used.contains(&((*module).to_owned(), (*name).to_owned()))).collect();
    assert!(needless.is_empty(), "permissions that nobody uses: {needless:?}");
}

#[test]
fn words_that_touch_the_world_stand_where_they_are_licensed() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, places) in LICENSED {
            let licensed = places.iter().any(|place| source.module == *place || source.file == *place);
            if !licensed && source.code.contains(word) {
                wrong.push(format!("{}: {word}", source.file));
            }
        }
        if NO_URL_CRATE.contains(&source.module.as_str()) && source.code.contains("url::") {
            wrong.push(format!("{}: url::", source.file));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn secrets_leave_their_type_in_listed_files_only() {
    let outside: Vec<_> = sources()
        .into_iter()
        .filter(|s| s.code.contains(".expose()") && !EXPOSE.contains(&s.file.as_str()))
        .map(|s| s.file)
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
    let unused: Vec<_> = EXPOSE
        .iter()
        .filter(|file| {
            !sources().iter().any(|s| s.file == **file && (s.code.contains("expose()") || s.file == "secret.rs"))
        })
        .collect();
    assert!(unused.is_empty(), "listed and needless: {unused:?}");
}

#[test]
fn every_file_says_in_its_head_what_lives_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let headless: Vec<_> = sources()
        .into_iter()
        .filter(|s| !fs::read_to_string(root.join(&s.file)).expect("source").starts_with("//!"))
        .map(|s| s.file)
        .collect();
    assert!(headless.is_empty(), "{headless:?}");
}
