//! Proxies from the environment: all kinds, what is not understood, what fails. Loopback is never reached through one, so
//! the provider here has an address of a network for documentation (RFC 5737), or a name that nobody but the proxy knows.

use std::{
    ffi::OsStr,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::json;

use crate::harness::{Finished, Login, Mounts, Provider, Proxy, Sandbox, TlsServer, json_reply, tell};

mod ca;
mod certificates;

const ADDRESS: &str = "192.0.2.1";
const NAME: &str = "op.test";
const NAMES: &str = "DNS:op.test,IP:192.0.2.1";

/// A provider at `https://HOST` that only a proxy leads to.
struct Scene {
    sandbox: Sandbox,
    server: TlsServer,
}

impl Scene {
    fn new(host: &'static str) -> Self {
        Self::certified(host, |sandbox| sandbox.certificate("server", NAMES))
    }

    /// Whose server has the certificate `server`.
    fn certified(host: &'static str, certify: impl FnOnce(&Sandbox)) -> Self {
        let sandbox = Sandbox::new();
        certify(&sandbox);
        let issued = AtomicU32::new(0);
        let server = TlsServer::new(&sandbox, move |request| {
            let at = |path: &str| format!("https://{host}{path}");
            json_reply(
                &match request.starts_with("GET /.well-known/oauth-authorization-server ") {
                    true => json!({
                        "issuer": at(""), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
                        "revocation_endpoint": at("/revoke"), "code_challenge_methods_supported": ["S256"],
                    }),
                    false => {
                        json!({ "access_token": format!("token-{}", issued.fetch_add(1, Ordering::SeqCst)), "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600 })
                    }
                }
                .to_string(),
            )
        });
        sandbox.configure(&format!(
            "[integration.work]\nissuer = \"https://{host}\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"
        ));
        Self { sandbox, server }
    }

    fn loopin(&self, arguments: &[&str], variables: &[(&str, &OsStr)]) -> Command {
        let mut command = self.sandbox.loopin(arguments);
        command.env("SSL_CERT_FILE", self.sandbox.path("server.pem")).envs(variables.iter().copied());
        command
    }

    /// A whole login, and one refresh.
    fn use_up(&self, variables: &[(&str, &OsStr)]) -> [Finished; 2] {
        let login = Login::whole(self.loopin(&["login", "work", "--timeout", "60s"], variables));
        let current = self.sandbox.run(&["token", "work"]).stdout;
        let token = self.loopin(&["token", "work", "--rejected", &hash(current.trim_end())], variables).output();
        [login, Finished::new(token.expect("loopin runs"))]
    }
}

/// Of an access token.
fn hash(token: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn h08_a_login_and_its_refreshes_go_through_every_kind_of_proxy() {
    for (variable, scheme, host, asked) in [
        ("ALL_PROXY", "socks4://", ADDRESS, "socks4 192.0.2.1:443"),
        ("ALL_PROXY", "socks4a://", NAME, "socks4a op.test:443"),
        ("all_proxy", "socks5://", ADDRESS, "socks5 192.0.2.1:443"),
        ("ALL_PROXY", "socks5h://", NAME, "socks5 op.test:443"),
        ("https_proxy", "socks5h://me%40x:canary@", NAME, "socks5 me@x:canary@op.test:443"),
        ("HTTPS_PROXY", "http://", NAME, "CONNECT op.test:443"),
        ("ALL_PROXY", "", NAME, "CONNECT op.test:443"),
    ] {
        let scene = Scene::new(host);
        let proxy = Proxy::to(&scene.server);
        let url = proxy.url(scheme);
        for finished in scene.use_up(&[(variable, url.as_ref())]) {
            finished.assert_code(0);
            assert!(!finished.said().contains("canary"), "{finished:#?}");
        }
        assert_eq!([asked; 3], *proxy.asked(), "metadata, code, refresh by {scheme}");
        assert_eq!(3, scene.server.connections());
    }
}

/// With a hosts file that knows the name.
#[test]
fn h08_a_name_is_resolved_here_or_at_the_proxy_as_the_scheme_says() {
    for (scheme, asked) in [
        ("socks4://", "socks4 192.0.2.1:443"),
        ("socks4a://", "socks4a op.test:443"),
        ("socks5://", "socks5 192.0.2.1:443"),
        ("socks5h://", "socks5 op.test:443"),
    ] {
        let scene = Scene::new(NAME);
        let hosts = scene.sandbox.path("hosts");
        std::fs::write(&hosts, format!("{ADDRESS} {NAME}\n")).expect("hosts");
        let Some(mounts) = Mounts::with(&format!("mount --bind '{}' /etc/hosts", hosts.display())) else {
            return tell("skipped: a mount namespace of one's own is not allowed here");
        };
        let proxy = Proxy::to(&scene.server);
        let mut command = mounts.loopin(&scene.sandbox, &["login", "work"]);
        command.env("SSL_CERT_FILE", scene.sandbox.path("server.pem")).env("ALL_PROXY", proxy.url(scheme));
        Login::whole(command).assert_code(0);
        assert_eq!([asked; 2], *proxy.asked(), "{scheme}");
    }
}

#[test]
fn h08_a_proxy_that_is_not_understood_stops_before_anything_is_connected_to() {
    let scene = Scene::new(NAME);
    let proxy = Proxy::to(&scene.server);
    let (good, socks) = (proxy.url("http://"), proxy.url("socks://me:canary@"));
    scene.use_up(&[("ALL_PROXY", good.as_ref())])[1].assert_code(0);
    let before = proxy.asked().len();
    for (variable, value) in [
        ("HTTPS_PROXY", socks.as_ref()),
        ("https_proxy", "ftp://me:canary@127.0.0.1"),
        ("HTTPS_PROXY", "http://me:canary@127.0.0.1:99999"),
        ("HTTPS_PROXY", "http://"),
    ] {
        // Another variable does not stand in for it.
        let variables: [(&str, &OsStr); 2] = [(variable, value.as_ref()), ("ALL_PROXY", good.as_ref())];
        let [login, token] = scene.use_up(&variables);
        login.assert_says(&format!("unset {variable}"));
        token.assert_says("the grant is kept");
        for finished in [login, token] {
            finished.assert_code(3).assert_says(&format!("the variable {variable} names no usable proxy"));
            assert!(!finished.said().contains("canary"), "{finished:#?}");
        }
    }
    assert_eq!(before, proxy.asked().len());
    // The grant is as good as before.
    scene.use_up(&[("ALL_PROXY", good.as_ref())])[1].assert_code(0);
}

#[test]
fn h08_a_proxy_that_fails_is_named_by_its_variable() {
    let scene = Scene::new(NAME);
    let refusing = Proxy::refusing();
    let closed = "127.0.0.1:1";
    for (scheme, why) in [
        ("http://", "it answered with status 407"),
        ("socks5h://me:canary@", "connection not allowed by ruleset"),
        ("socks4a://", "request rejected or failed"),
    ] {
        for (url, why) in [
            (refusing.url(scheme), why),
            (format!("{scheme}{closed}"), "the connection was refused"),
            (format!("{scheme}no-such-proxy.invalid:1080"), "the name cannot be resolved (DNS)"),
        ] {
            let output = scene.loopin(&["login", "work"], &[("ALL_PROXY", url.as_ref())]).output();
            let finished = Finished::new(output.expect("loopin runs"));
            finished.assert_code(7).assert_says("the proxy that ALL_PROXY names failed").assert_says(why);
            assert!(!finished.said().contains("canary"), "{finished:#?}");
        }
    }
    assert_eq!(0, scene.server.connections());
}

#[test]
fn h08_no_proxy_and_http_proxy_lead_past_the_proxy() {
    let scene = Scene::new(NAME);
    let proxy = Proxy::to(&scene.server);
    let url = proxy.url("socks5h://");
    for variables in [
        &[("ALL_PROXY", url.as_str()), ("NO_PROXY", "example.com, test")][..],
        &[("HTTPS_PROXY", &url), ("no_proxy", "op.test:443")],
        &[("http_proxy", &url), ("HTTP_PROXY", &url)],
    ] {
        let variables: Vec<(&str, &OsStr)> = variables.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        let output = scene.loopin(&["login", "work"], &variables).output();
        let finished = Finished::new(output.expect("loopin runs"));
        finished.assert_code(7).assert_says("the name cannot be resolved (DNS)");
    }
    assert!(proxy.asked().is_empty());
}

#[test]
fn h08_loopback_is_reached_without_any_proxy() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    for url in ["socks5h://127.0.0.1:1", "http://127.0.0.1:1", "socks://"] {
        let mut command = sandbox.loopin(&["login", "work"]);
        command.envs(["ALL_PROXY", "HTTPS_PROXY", "http_proxy"].map(|name| (name, url)));
        let login = Login::start(command);
        login.person().allow();
        login.finished().assert_code(0);
    }
}
