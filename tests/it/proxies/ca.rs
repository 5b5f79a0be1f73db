//! `ca`: the CAs that are trusted for one integration, in place of the system's. A proxy leads to the server, because
//! loopback needs no certificate.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use super::{NAME, NAMES, Scene, hash};
use crate::harness::{Finished, Login, Proxy};

/// A server whose certificate is of the CA `corp`, which only `line` can make known.
fn scene(line: &str) -> (Scene, Proxy) {
    let scene = Scene::certified(NAME, |sandbox| {
        for ca in ["corp", "other"] {
            sandbox.ca(ca);
        }
        sandbox.certificate_of("corp", "server", NAMES);
    });
    scene.naming(line);
    let proxy = Proxy::to(&scene.server);
    (scene, proxy)
}

impl Scene {
    /// Writes `line` as the second one of the configuration.
    fn naming(&self, line: &str) {
        self.configured(line, &format!("issuer = \"https://{NAME}\""));
    }

    fn configured(&self, line: &str, server: &str) {
        self.sandbox.configure(&format!(
            "[integration.work]\n{line}\n{server}\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"
        ));
    }

    /// The program with the system's own store.
    fn through(&self, proxy: &Proxy, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.loopin(arguments);
        command.env("ALL_PROXY", proxy.url("http://"));
        command
    }

    fn ends(&self, proxy: &Proxy, arguments: &[&str]) -> Finished {
        Finished::new(self.through(proxy, arguments).output().expect("loopin runs"))
    }
}

#[test]
fn d21_the_cas_that_an_integration_names_are_trusted_for_every_request_to_its_provider() {
    let (scene, proxy) = scene("ca = \"cas.pem\"");
    let pem = |name: &str| fs::read_to_string(scene.sandbox.path(&format!("{name}.pem"))).expect("a certificate");
    // Several, with words between them, and what an editor may write before the first.
    let cas = format!("\u{feff}{}\r\n# of the company\n{}", pem("corp"), pem("other"));
    fs::write(scene.sandbox.path("cas.pem"), cas).expect("file");
    scene.ends(&proxy, &["integration", "verify", "work"]).assert_code(0);
    Login::whole(scene.through(&proxy, &["login", "work"])).assert_code(0);
    let token = scene.ends(&proxy, &["token", "work"]).assert_code(0).stdout.clone();
    scene.ends(&proxy, &["token", "work", "--rejected", &hash(token.trim_end())]).assert_code(0);
    scene.ends(&proxy, &["logout", "work"]).assert_code(0).assert_says("the tokens are revoked at the provider");
    // Metadata for `verify` and for the login, the code, a refresh, and two tokens revoked.
    assert_eq!(6, scene.server.connections());
}

#[test]
fn d21_the_cas_that_an_integration_names_count_in_place_of_the_systems() {
    let (scene, proxy) = scene("ca = \"other.pem\"");
    // The system's store would do.
    let mut command = scene.through(&proxy, &["login", "work"]);
    command.env("SSL_CERT_FILE", scene.sandbox.path("corp.pem"));
    let other = scene.sandbox.path("other.pem").display().to_string();
    Login::whole(command)
        .assert_code(9)
        .assert_says(&format!("is of a CA that is not in \"{other}\" (ca in line 2 of the configuration)"))
        .assert_says(&format!("add its certificate to \"{other}\"; or remove ca"));
}

#[test]
fn d21_an_unknown_ca_is_reported_with_the_line_to_write() {
    let (scene, proxy) = scene("");
    scene.ends(&proxy, &["login", "work"]).assert_code(9).assert_says("ca = \"FILE\" in the integration");
}

#[test]
fn d21_a_file_of_cas_that_cannot_be_used_stops_a_login_before_the_browser_and_keeps_the_grant() {
    let (scene, proxy) = scene("ca = \"corp.pem\"");
    Login::whole(scene.through(&proxy, &["login", "work"])).assert_code(0);
    let token = scene.ends(&proxy, &["token", "work"]).assert_code(0).stdout.clone();
    let path = |name: &str| scene.sandbox.path(name);
    let corp = fs::read_to_string(path("corp.pem")).expect("a certificate");
    fs::write(path("empty.pem"), "").expect("file");
    fs::write(path("half.pem"), format!("{corp}{}", &corp[..corp.len() / 2])).expect("file");
    fs::write(path("no-certificate.pem"), corp.replace('M', "A")).expect("file");
    fs::write(path("writable.pem"), &corp).expect("file");
    fs::set_permissions(path("writable.pem"), fs::Permissions::from_mode(0o666)).expect("mode");
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-outform", "der", "-in"]).arg(path("corp.pem")).arg("-out").arg(path("corp.der"));
    assert!(openssl.stdin(Stdio::null()).status().expect("openssl").success());
    let connections = scene.server.connections();
    // A login asks for nothing before the browser is opened.
    let explicit = format!(
        "authorization_endpoint = \"https://{NAME}/authorize\"\ntoken_endpoint = \"https://{NAME}/token\"\nissuer = \"https://{NAME}\""
    );
    for (name, why, fix) in [
        ("missing.pem", "no such file", "correct the file or line 2"),
        ("", "not a regular file", "correct the file or line 2"),
        ("empty.pem", "it has no certificate in PEM form", "openssl x509 -inform der"),
        ("corp.key", "it has no certificate in PEM form", "openssl x509 -inform der"),
        ("corp.der", "it has no certificate in PEM form", "openssl x509 -inform der"),
        ("half.pem", "a certificate in it is damaged", "correct the file or line 2"),
        ("no-certificate.pem", "a certificate in it is damaged", "correct the file or line 2"),
        ("writable.pem", "it can be changed by others (mode 666)", "check what is in it, then: chmod "),
    ] {
        let named = path(name).display().to_string();
        scene.configured(&format!("ca = \"{named}\""), &explicit);
        let says = format!("\"{named}\" (ca in line 2 of the configuration) cannot be used: {why}");
        let login = scene.ends(&proxy, &["login", "work"]);
        login.assert_code(3).assert_says(&says).assert_says(fix);
        assert!(!login.stderr.contains("To sign in, open:"), "{login:#?}");
        let refused = scene.ends(&proxy, &["token", "work", "--rejected", &hash(token.trim_end())]);
        refused.assert_code(3).assert_says(&says).assert_says("the grant is kept");
    }
    assert_eq!(connections, scene.server.connections(), "nothing was sent");
    scene.naming("ca = \"corp.pem\"");
    scene.ends(&proxy, &["token", "work", "--rejected", &hash(token.trim_end())]).assert_code(0);
    scene.naming("ca = \"\"");
    scene.ends(&proxy, &["login", "work"]).assert_code(3).assert_says("line 2, column 6").assert_says("ca is empty");
}
