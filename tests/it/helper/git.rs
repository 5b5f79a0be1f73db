//! git's credential helper. P01-P03, P10.

use std::process::Stdio;

use super::{Scene, fed, work};
use crate::harness::{Finished, Sandbox};

const ASK: &str = "protocol=https\nhost=git.example.com\n\n";
const MODERN: &str = "capability[]=authtype\nprotocol=https\nhost=git.example.com\n\n";

impl Scene {
    fn git(&self, operation: &str, input: &str) -> Finished {
        self.sandbox.helper(&["git", operation], input)
    }
}

fn value<'a>(run: &'a Finished, key: &str) -> &'a str {
    run.stdout
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("{key}: {run:#?}"))
}

#[test]
fn git_gets_the_token_with_its_expiry_and_a_new_git_one_that_nobody_keeps() {
    let scene = Scene::new();
    let old = scene.git("get", ASK);
    old.assert_code(0);
    assert_eq!(("oauth2", "token-0"), (value(&old, "username"), value(&old, "password")));
    let expires_at =
        scene.sandbox.run(&["token", "work", "--json"]).json()["expires_at"].as_str().expect("time").to_owned();
    let seconds: jiff::Timestamp = expires_at.parse().expect("RFC 3339");
    assert_eq!(seconds.as_second().to_string(), value(&old, "password_expiry_utc"));
    let new = scene.git("get", MODERN);
    assert_eq!(
        ("Bearer", "token-0", "1"),
        (value(&new, "authtype"), value(&new, "credential"), value(&new, "ephemeral"))
    );
    assert!(new.stdout.starts_with("capability[]=authtype\n") && !new.stdout.contains("password="), "{new:#?}");
    assert_eq!("version 0\ncapability authtype\n", scene.git("capability", "").stdout);
    assert_eq!(("", ""), (old.stderr.as_str(), new.stderr.as_str()));
}

#[test]
fn the_program_is_a_helper_under_gits_name_for_it() {
    let scene = Scene::new();
    let run = scene.sandbox.called("git-credential-loopin", &["get"], ASK);
    assert_eq!("token-0", value(run.assert_code(0), "password"));
}

#[test]
fn the_user_name_is_that_of_the_forge() {
    let scene = Scene::new();
    scene.sandbox.configure(&(work(&scene.server) + "basic_username = \"x-token-auth\"\n"));
    assert_eq!("x-token-auth", value(&scene.git("get", ASK), "username"));
    scene.sandbox.configure(&(work(&scene.server) + "basic_username = \"a:b\"\n"));
    scene.git("get", ASK).assert_code(3).assert_says("basic_username is not");
}

#[test]
fn p02_another_host_or_protocol_gets_nothing_and_plain_http_a_word() {
    let scene = Scene::new();
    for ask in [
        "protocol=https\nhost=git.example.com.evil.example\n\n",
        "protocol=https\nhost=\n\n",
        "protocol=https\n\n",
        "host=git.example.com\n\n",
        "protocol=ssh\nhost=git.example.com\n\n",
        "protocol=https\nhost=127.0.0.1:3000\n\n",
        "",
    ] {
        let run = scene.git("get", ask);
        run.assert_code(0);
        assert_eq!("", run.said().trim(), "{ask:?}");
    }
    let http = scene.git("get", "protocol=http\nhost=git.example.com\n\n");
    http.assert_code(9).assert_says("use https://git.example.com/");
    assert_eq!("", http.stdout);
    assert_eq!("token-0", value(&scene.git("get", "protocol=http\nhost=127.0.0.1:3000\n\n"), "password"));
    let named = scene.sandbox.helper(&["git", "--integration", "work", "get"], "protocol=https\nhost=evil.example\n\n");
    named.assert_code(9).assert_says("work is not for https://evil.example");
    assert_eq!("", named.stdout);
}

#[test]
fn p02_an_integration_without_hosts_serves_its_provider_over_https_and_nobody_with_an_empty_list() {
    let text = "[integration.forge]\nissuer = \"https://git.acme.example/x\"\nclient_id = \"me\"\n";
    let sandbox = Sandbox::new();
    let ask = |host: &str| sandbox.helper(&["git", "get"], format!("protocol=https\nhost={host}\n\n"));
    sandbox.configure(&format!("{text}store = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"));
    ask("git.acme.example").assert_code(4).assert_says("loopin login forge");
    ask("acme.example").assert_code(0);
    let http = sandbox.helper(&["git", "get"], "protocol=http\nhost=git.acme.example\n\n");
    http.assert_code(9);
    sandbox.configure(&format!("{text}hosts = []\n"));
    assert_eq!("", ask("git.acme.example").assert_code(0).said().trim());
    sandbox.configure(&format!("{text}hosts = [\"git.acme.example/x\"]\n"));
    ask("git.acme.example").assert_code(3).assert_says("line 4, column 10").assert_says("no path");
}

#[test]
fn p01_a_description_with_cr_or_nul_gets_no_answer() {
    let scene = Scene::new();
    for bad in [
        "protocol=https\r\nhost=git.example.com\r\n\r\n",
        "protocol=https\nhost=git.example.com\0\n\n",
        "protocol=https\nhost\n\n",
    ] {
        let run = scene.git("get", bad);
        assert_ne!(Some(0), run.code, "{run:#?}");
        assert_eq!("", run.stdout);
    }
    let flood = scene.git("get", &format!("protocol=https\nhost=git.example.com\n{}", "a=b\n".repeat(100_000)));
    flood.assert_code(2).assert_says("longer than");
    assert_eq!("", flood.stdout);
}

#[test]
fn a_description_that_never_ends_is_given_up() {
    let scene = Scene::new();
    let mut child =
        scene.sandbox.loopin(&["helper", "git", "get"]).stdin(Stdio::piped()).spawn().expect("loopin starts");
    let open = child.stdin.take();
    let run = Finished::new(child.wait_with_output().expect("it ends"));
    drop(open);
    run.assert_code(2).assert_says("did not end within");
    assert_eq!("", run.stdout);
}

#[test]
fn an_empty_line_is_the_end_though_git_keeps_the_pipe_open() {
    use std::io::Write;
    let scene = Scene::new();
    let mut child =
        scene.sandbox.loopin(&["helper", "git", "get"]).stdin(Stdio::piped()).spawn().expect("loopin starts");
    let mut open = child.stdin.take().expect("piped");
    open.write_all(ASK.as_bytes()).expect("written");
    let run = Finished::new(child.wait_with_output().expect("it ends"));
    drop(open);
    assert_eq!("token-0", value(run.assert_code(0), "password"));
}

#[test]
fn p03_erase_of_the_stored_token_renews_it_once_and_keeps_the_grant() {
    let scene = Scene::new();
    let refused = [
        "protocol=https\nhost=git.example.com\nusername=oauth2\npassword=token-0\n\n",
        "capability[]=authtype\nauthtype=Bearer\ncredential=token-0\nephemeral=1\nprotocol=https\nhost=git.example.com\n\n",
    ];
    for refused in refused {
        assert_eq!("", scene.git("erase", refused).assert_code(0).stdout);
    }
    assert_eq!(1, scene.refreshes(), "the second one is for a token that is no more");
    assert_eq!("token-1", value(&scene.git("get", ASK), "password"));
    scene.sandbox.run(&["status", "work"]).assert_code(0).assert_says("a refresh token is stored");
}

#[test]
fn p03_forged_store_and_erase_change_nothing() {
    let scene = Scene::new();
    let before = scene.sandbox.state_files();
    for forged in [
        "protocol=https\nhost=git.example.com\nusername=oauth2\npassword=evil\n\n",
        "protocol=https\nhost=git.example.com\nusername=oauth2\npassword=\n\n",
        "protocol=https\nhost=git.example.com\nusername=oauth2\n\n",
        "protocol=https\nhost=git.example.com\noauth_refresh_token=evil\npassword=evil\npassword_expiry_utc=1\n\n",
        "protocol=https\nhost=evil.example\npassword=token-0\n\n",
        "protocol=http\nhost=git.example.com\npassword=token-0\n\n",
        "protocol=https\nhost=git.example.com\nauthtype=Basic\ncredential=!!\n\n",
    ] {
        for operation in ["store", "erase"] {
            assert_eq!("", scene.git(operation, forged).assert_code(0).said().trim(), "{operation} {forged}");
        }
    }
    let approved = "protocol=https\nhost=git.example.com\nusername=oauth2\npassword=token-0\n\n";
    scene.git("store", approved).assert_code(0);
    assert_eq!((0, before), (scene.refreshes(), scene.sandbox.state_files()));
}

#[test]
fn an_operation_of_a_git_to_come_is_passed_over() {
    let run = Scene::new().git("frobnicate", ASK);
    assert_eq!("", run.assert_code(0).said().trim());
}

#[test]
fn two_integrations_for_one_host_are_told_with_the_way_to_choose() {
    let scene = Scene::new().with_another();
    let run = scene.git("get", ASK);
    run.assert_code(2).assert_says("home, work").assert_says("--integration NAME");
    assert_eq!("", run.stdout);
    let run = scene.sandbox.helper(&["git", "--integration", "work", "get"], ASK);
    assert_eq!("token-0", value(run.assert_code(0), "password"));
}

#[test]
fn a_user_name_in_the_address_picks_the_account_where_accounts_are_kept_apart() {
    let scene = Scene::new();
    let ask = |name: &str| scene.git("get", &format!("protocol=https\nhost=git.example.com\nusername={name}\n\n"));
    // Addresses of many forges carry one that means nothing.
    assert_eq!("token-0", value(ask("anybody").assert_code(0), "password"));
    scene.sandbox.log_in(&["--account", "anna"]).assert_code(0);
    assert_eq!("token-1", value(ask("anna").assert_code(0), "password"));
    assert_eq!("token-0", value(ask("oauth2").assert_code(0), "password"));
    let nobody = ask("it's me");
    nobody.assert_code(4).assert_says(r"loopin login work --account 'it'\''s me'");
    assert_eq!("", nobody.stdout);
    let refused = "protocol=https\nhost=git.example.com\nusername=oauth2\npassword=token-1\n\n";
    scene.git("erase", refused).assert_code(0);
    assert_eq!("token-2", value(&ask("anna"), "password"), "the account is found by its token");
    assert_eq!("token-0", value(&ask("oauth2"), "password"));
}

#[test]
fn a_stale_token_is_renewed_before_git_sees_it() {
    let scene = Scene::new();
    scene.sandbox.expire();
    assert_eq!("token-1", value(scene.git("get", ASK).assert_code(0), "password"));
    assert_eq!(1, scene.refreshes());
}

#[test]
fn p10_nobody_logged_in_is_told_with_the_command_and_opens_nothing() {
    let scene = Scene::new();
    scene.sandbox.run(&["logout", "work", "--local"]).assert_code(0);
    let opened = scene.sandbox.path("opened");
    let mut command = scene.sandbox.loopin(&["helper", "git", "get"]);
    command.env("BROWSER", format!("touch '{}'", opened.display())).env("DISPLAY", ":0");
    let run = fed(command, ASK.as_bytes());
    run.assert_code(4).assert_says("loopin login work");
    assert_eq!("", run.stdout);
    assert!(!opened.exists());
}

#[test]
fn json_is_for_people_and_never_for_a_client() {
    let scene = Scene::new();
    let run = fed(scene.sandbox.loopin(&["--json", "helper", "git", "get"]), ASK.as_bytes());
    assert_eq!("token-0", value(run.assert_code(0), "password"));
    let run =
        fed(scene.sandbox.loopin(&["--json", "helper", "git", "get"]), b"protocol=http\nhost=git.example.com\n\n");
    run.assert_code(9);
    assert_eq!("", run.stdout);
}

#[test]
fn t13_every_setup_is_for_a_user_and_takes_json() {
    let scene = Scene::new();
    for words in [&["git", "setup"][..], &["docker", "setup"], &["kubectl", "setup", "work"]] {
        let text = scene.sandbox.helper(words, "");
        let json = scene.sandbox.helper(&[words, &["--json"]].concat(), "").assert_code(0).json();
        assert_eq!(
            (Some(text.assert_code(0).stdout.as_str()), Some(1)),
            (json["document"].as_str(), json["format"].as_i64())
        );
    }
    let json = Sandbox::new().helper(&["git", "setup", "--json"], "").assert_code(3).json();
    assert_eq!("configuration", json["error"]["code"]);
}

#[test]
fn setup_prints_a_section_for_every_host() {
    let scene = Scene::new();
    let run = scene.git("setup", "");
    run.assert_code(0);
    for host in ["https://git.example.com", "https://registry.example.com", "http://127.0.0.1:3000"] {
        assert!(run.stdout.contains(&format!("[credential \"{host}\"]\n\thelper =\n\thelper = \"!'")), "{run:#?}");
    }
    assert!(run.stdout.contains(&format!("!'{}' helper git\"\n", env!("CARGO_BIN_EXE_loopin"))), "{run:#?}");
    let sandbox = Sandbox::new();
    sandbox.configure("").helper(&["git", "setup"], "").assert_code(3).assert_says("hosts = [");
}
