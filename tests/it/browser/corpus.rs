//! What a provider's metadata, a configuration or a person's template could make of the command that is run.

use crate::harness::{Finished, Login, Pipe, Provider, RawServer, Sandbox};

/// A sandbox whose browsers tell their arguments, one a line, and in which nothing may appear.
struct Scene {
    provider: Provider,
    sandbox: Sandbox,
    arguments: Pipe,
    browser: String,
}

impl Scene {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let arguments = sandbox.pipe("arguments");
        let browser = sandbox.script("browser", &Self::telling(&arguments));
        Self { provider: Provider::new(), sandbox, arguments, browser }
    }

    fn telling(pipe: &Pipe) -> String {
        format!("printf '%s\\n' \"$@\" > '{}'", pipe.path())
    }

    /// The provider's metadata names this authorization endpoint, as JSON has it.
    fn publish(&self, endpoint: &str) -> RawServer {
        let metadata = RawServer::metadata(format!(
            r#"{{"issuer":"{{origin}}","authorization_endpoint":{endpoint},"token_endpoint":"{{origin}}/token"}}"#
        ));
        self.sandbox.configure(&self.provider.integration().replace(&self.provider.origin, &metadata.origin));
        metadata
    }

    /// The configuration names this authorization endpoint, as TOML has it.
    fn configure(&self, endpoint: &str) {
        let usual = format!("\"{}/authorize\"", self.provider.origin);
        self.sandbox.configure(&self.provider.explicit().replace(&usual, endpoint));
    }

    /// Commands that a payload tries to run leave this file.
    fn marker(&self) -> String {
        self.sandbox.path("marker").to_str().expect("path").to_owned()
    }

    /// Logs in with this authorization endpoint. The browser got exactly the printed URL, or the login ended first.
    fn opens(&self, arguments: &[&str]) -> Result<String, Finished> {
        let mut command = self.sandbox.loopin(&[&["login", "work"], arguments].concat());
        command.env("BROWSER", &self.browser).current_dir(self.sandbox.path("home"));
        match Login::try_start(command) {
            Ok(login) => {
                let told = self.arguments.read();
                assert_eq!(format!("{}\n", login.url), told, "one argument, the printed URL");
                Ok(login.url.clone())
            }
            Err(finished) => Err(finished),
        }
    }

    #[track_caller]
    fn assert_nothing_ran(&self) {
        assert!(!self.sandbox.path("marker").exists(), "a payload was executed");
        let home = std::fs::read_dir(self.sandbox.path("home")).expect("home").count();
        assert_eq!(0, home, "a payload left a file");
    }
}

/// What shells, cmd.exe, launchers and browsers would take for their own.
fn payloads(marker: &str) -> Vec<String> {
    let touch = format!("touch${{IFS}}{marker}");
    let commands = [
        format!("$({touch})"),
        format!("`{touch}`"),
        format!(";{touch};"),
        format!("&{touch}&"),
        format!("&&{touch}"),
        format!("||{touch}"),
        format!("|{touch}"),
        format!("\n{touch}\n"),
        format!("\r\n{touch}"),
        format!("';{touch};'"),
        format!("\";{touch};\""),
        format!("'$({touch})'"),
        format!("\\\";{touch}"),
        format!("$(touch {marker})"),
        format!("{{touch,{marker}}}"),
        format!("<(touch {marker})"),
        format!(">{marker}"),
        format!("%0a{touch}"),
        format!("$'\\n'{touch}"),
        format!("'; touch '{marker}"),
    ];
    let words = [
        "&calc",
        "&calc.exe&",
        "^&calc",
        "%PATH%",
        "%action",
        "%s",
        "%u%U%f%F%i%c%k",
        "!PATH!",
        "!!",
        "$HOME",
        "~",
        "*",
        "?",
        "[a-z]",
        "#x",
        " -flag",
        " --help",
        "'",
        "\"",
        "\\",
        "`",
        "|",
        "<x>",
        "{a,b}",
        "^",
        "\t",
        "\x0b",
        "\0",
        "\x1b[31m",
        "\x7f",
        "\u{85}",
        "\u{a0}",
        "\u{202e}",
        "\u{feff}",
        "é",
        "a b",
        "@evil.example/",
        ":x@evil.example/",
        "//",
        "../../x",
    ];
    commands.into_iter().chain(words.map(str::to_owned)).collect()
}

#[test]
fn b01_nothing_in_a_providers_metadata_is_executed_and_the_argument_is_exact() {
    let scene = Scene::new();
    let places: [fn(&str) -> String; 5] = [
        |payload| format!("https://a.example/{payload}"),
        |payload| format!("https://a.example/?x={payload}"),
        |payload| format!("https://{payload}.example/authorize"),
        |payload| format!("https://a.example:443{payload}"),
        |payload| format!("{payload}https://a.example/"),
    ];
    let (mut cases, mut opened) = (0, 0);
    for payload in payloads(&scene.marker()) {
        for place in places {
            let endpoint = serde_json::json!(place(&payload));
            let _metadata = scene.publish(&endpoint.to_string());
            cases += 1;
            match scene.opens(&[]) {
                Ok(url) => {
                    opened += 1;
                    assert!(url.starts_with("https://"), "{endpoint}: {url}");
                    let safe = |b: u8| b.is_ascii_graphic() && !b"\"'<>`{}|^\\".contains(&b);
                    assert!(url.bytes().all(safe), "{endpoint}: {url}");
                    assert!(url.contains(&format!("client_id={}", loopin::practice::CLIENT_ID)), "{endpoint}: {url}");
                }
                Err(finished) => drop(finished.assert_code(9).assert_says("is not a safe URL")),
            }
        }
    }
    scene.assert_nothing_ran();
    assert!(cases >= 300 && opened >= 30, "{cases} cases, {opened} of them opened");
}

#[test]
fn b01_the_same_in_a_configuration_is_a_fault_of_the_configuration_or_opened_exactly() {
    let scene = Scene::new();
    for payload in payloads(&scene.marker()) {
        let endpoint = serde_json::json!(format!("https://a.example/?x={payload}"));
        scene.configure(&endpoint.to_string());
        if let Err(finished) = scene.opens(&[]) {
            finished.assert_code(3);
        }
    }
    scene.assert_nothing_ran();
}

#[test]
fn b01_what_a_person_adds_to_the_request_is_encoded() {
    let scene = Scene::new();
    scene.sandbox.configure(&scene.provider.explicit());
    for payload in payloads(&scene.marker()).into_iter().filter(|payload| !payload.contains('\0')) {
        let parameter = format!("x={payload}");
        let url = scene.opens(&["--param", &parameter, "--login-hint", &payload]).expect("opened");
        assert_eq!(payload, crate::harness::parameter(&url, "x"));
        assert_eq!(payload, crate::harness::parameter(&url, "login_hint"));
        assert!(url.starts_with(&scene.provider.origin), "{url}");
    }
    scene.assert_nothing_ran();
}

/// Arguments and variables that name a browser.
type Way<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

#[test]
fn b01_every_way_to_a_browser_gets_the_url_as_one_argument() {
    let Scene { provider, sandbox, arguments, browser } = Scene::new();
    let path = sandbox.program("xdg-open", &Scene::telling(&arguments));
    sandbox.configure(&provider.explicit().replace("/authorize\"", "/authorize?a=$(id)&b=%PATH%&calc\""));
    let ways: [Way<'_>; 6] = [
        (&["--browser", &browser], &[]),
        (&[], &[("LOOPIN_BROWSER", &browser)]),
        (&[], &[("BROWSER", &browser)]),
        (&[], &[("DISPLAY", ":99")]),
        (&["--browser", &browser], &[("LOOPIN_BROWSER", "/nowhere/x"), ("BROWSER", "/nowhere/y")]),
        (&[], &[("LOOPIN_BROWSER", &browser), ("BROWSER", "/nowhere/y"), ("DISPLAY", ":99")]),
    ];
    for (options, variables) in ways {
        let mut command = sandbox.loopin(&[&["login", "work"], options].concat());
        let usual = std::env::var("PATH").expect("PATH");
        command.env("PATH", format!("{}:{usual}", path.display())).envs(variables.iter().copied());
        let login = Login::start(command);
        assert_eq!(format!("{}\n", login.url), arguments.read(), "{options:?} {variables:?}");
    }
}

#[test]
fn b02_no_url_can_be_taken_for_an_option() {
    let scene = Scene::new();
    for endpoint in
        ["-remote", "--help", "-https://a.example/", "--new-window https://a.example/", "%action", "-", "--"]
    {
        let _metadata = scene.publish(&format!("\"{endpoint}\""));
        scene
            .opens(&[])
            .expect_err("opened")
            .assert_code(9)
            .assert_says("authorization_endpoint")
            .assert_says("safe URL");
        scene.configure(&format!("\"{endpoint}\""));
        scene.opens(&[]).expect_err("opened").assert_code(3);
    }
}

/// What a template makes of a URL.
type Arguments = fn(&str) -> Vec<String>;

#[test]
fn b03_a_template_is_split_before_the_url_is_put_in() {
    let Scene { provider, sandbox, arguments, browser } = Scene::new();
    sandbox.configure(&provider.explicit().replace("/authorize\"", "/authorize?x=%s&y=$IFS\""));
    let templates: [(&str, Arguments); 5] = [
        ("%s", |url| vec![url.into()]),
        ("--app=%s --new", |url| vec![format!("--app={url}"), "--new".into()]),
        ("'two words' %s", |url| vec!["two words".into(), url.into()]),
        ("\"--app=%s\" '' $HOME", |url| vec![format!("--app={url}"), String::new(), "$HOME".into()]),
        ("--last", |url| vec!["--last".into(), url.into()]),
    ];
    for (template, expected) in templates {
        let login = sandbox.login(&["--browser", &format!("{browser} {template}")]);
        assert!(login.url.contains("x=%s&y=$IFS&"), "{}", login.url);
        assert_eq!(expected(&login.url).join("\n") + "\n", arguments.read(), "{template}");
    }
    for unreadable in ["", " ", "sh 'unclosed", "sh \"unclosed"] {
        sandbox.run(&["login", "work", "--browser", unreadable]).assert_code(2).assert_says("--browser");
    }
}

#[test]
fn b04_only_https_is_opened_and_http_on_loopback() {
    let scene = Scene::new();
    let others =
        [r"\\\\server\\share", "//a.example/x", "/etc/passwd", "a.example", "javascript:alert(1)", "http://10.0.0.1/"];
    let schemes = include_str!("../../data/unsafe-schemes.txt").lines();
    for endpoint in schemes.map(|scheme| format!("{scheme}://a.example/x")).chain(others.map(str::to_owned)) {
        let _metadata = scene.publish(&format!("\"{endpoint}\""));
        let finished = scene.opens(&[]).expect_err("opened");
        finished.assert_code(9).assert_says("authorization_endpoint").assert_says("is not a safe URL");
    }
    for endpoint in ["https://a.example/authorize", "http://127.0.0.1:9/authorize", "http://[::1]:9/authorize"] {
        scene.configure(&format!("\"{endpoint}\""));
        assert!(scene.opens(&[]).expect("opened").starts_with(endpoint));
    }
}
