//! `loopin relay check` and `loopin relay export`: what is asked, what counts, what is printed.

use std::path::Path;

use super::*;
use crate::harness::RawServer;

fn check(config: &str, more: &[&str]) -> Finished {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("relay.toml"), config).unwrap();
    let path = sandbox.path("relay.toml").display().to_string();
    sandbox.run(&[&["relay", "check", "--config", &path], more].concat())
}

/// A relay that does something to the target of the request before it sends the person on.
fn relay_that(alters: impl Fn(&str) -> String + Send + Sync + 'static) -> RawServer {
    RawServer::new(move |request, stream| {
        let target = request.split(' ').nth(1).unwrap_or_default();
        let query = target.strip_prefix("/oauth_callback/acme_fit").unwrap_or_default();
        let reply = format!("HTTP/1.1 307 x\r\nLocation: {TARGET}{}\r\nContent-Length: 0\r\n\r\n", alters(query));
        let _ = stream.write_all(reply.as_bytes());
    })
}

#[test]
fn y01_check_gets_every_odd_query_back_and_names_the_uri_for_both_sides() {
    let checked = check(CONFIG, &[]);
    checked.assert_code(0).assert_says("register at the provider: https://yourdomain.com/oauth_callback/acme_fit");
    checked.assert_says("https://yourdomain.com/oauth_callback/acme_fit (at api.us.junction.com)");
    checked.assert_says("23 copied byte for byte, 2 refused as documented, 0 broken");
    let json = check(CONFIG, &["--json"]).assert_code(0).json();
    let callback = &json["callbacks"][0];
    assert_eq!(
        (Some(25), Some(23), Some(2)),
        (callback["queries"].as_u64(), callback["copied"].as_u64(), callback["refused"].as_u64())
    );
    assert_eq!(callback["register_at_provider"], callback["enter_at_target"], "one string for both");
    assert_eq!((Some(false), Some(TARGET)), (json["broken"].as_bool(), callback["target"].as_str()));
}

#[test]
fn y01_check_asks_a_deployed_relay_over_the_wire() {
    let relay = Running::new();
    let checked = check(CONFIG, &["--against", &format!("http://{}", relay.address)]);
    checked.assert_code(0).assert_says("0 broken");
    assert_eq!(23, (0..25).filter(|_| relay.next_line()["status"] == 307).count());
}

#[test]
fn y01_check_finds_whoever_alters_a_query() {
    let plus = relay_that(|query| query.replace('+', "%20"));
    let checked = check(CONFIG, &["--against", &plus.origin, "--json"]);
    let broken = checked.assert_code(9).json()["callbacks"][0]["failures"].clone();
    let names: Vec<_> = broken.as_array().unwrap().iter().map(|found| found["query"].as_str().unwrap()).collect();
    assert!(names.contains(&"plus signs, bare and escaped") && !names.contains(&"a plain answer"), "{names:?}");
    let nothing = relay_that(|_| String::new());
    check(CONFIG, &["--against", &nothing.origin]).assert_code(9).assert_says("broken: a plain answer (?code=abc123");
    let silent = RawServer::new(|_, _| ());
    check(CONFIG, &["--against", &silent.origin]).assert_code(9).assert_says("no reply");
}

#[test]
fn y27_check_says_whether_it_is_the_configuration_the_network_or_the_command_line() {
    check(&CONFIG.replace("https://", "http://"), &[]).assert_code(3).assert_says("line 9");
    let nobody = format!("http://127.0.0.1:{}", crate::harness::fixed_port());
    check(CONFIG, &["--against", &nobody]).assert_code(7).assert_says("cannot be asked");
    check(CONFIG, &["--against", "ftp://acme.example"]).assert_code(2).assert_says("https://acme.example");
}

#[test]
fn a_route_that_ends_on_this_machine_names_the_login() {
    let config = CONFIG.to_owned()
        + "[[route]]\nenvironment = \"cli\"\nhost = \"yourdomain.com\"\npath = \"/cli/withings\"\ntarget = \"http://127.0.0.1:53127/callback\"\n";
    check(&config, &[])
        .assert_code(0)
        .assert_says("loopin login NAME --relay https://yourdomain.com/cli/withings --port 53127");
}

#[test]
fn a_public_name_is_asked_for_its_own_routes_only() {
    let relay = Running::new();
    let other = CONFIG.replace("yourdomain.com", &relay.address.to_string())
        + "[[route]]\nenvironment = \"other\"\nhost = \"other.example\"\npath = \"/cb\"\ntarget = \"https://b.example/cb\"\n";
    let checked = check(&other, &["--against", &format!("http://{}", relay.address)]);
    checked.assert_code(9).assert_says("not asked, since it has another host: https://other.example/cb");
}

#[test]
fn y16_an_export_names_the_certificate_files_of_the_relay_by_their_whole_path() {
    let sandbox = Sandbox::new();
    let tls = "\ntls = { cert = \"my certificate.pem\", key = \"/keys/relay.pem\" }\n\n";
    std::fs::write(sandbox.path("relay.toml"), CONFIG.replacen("\n\n", tls, 1)).unwrap();
    let (config, certificate) = (sandbox.path("relay.toml"), sandbox.path("my certificate.pem"));
    let (config, certificate) = (config.display().to_string(), certificate.display().to_string());
    let export = |server: &str| sandbox.run(&["relay", "export", server, "--config", &config]).stdout;
    let nginx = export("nginx");
    let lines = format!(
        " ssl default_server;\n    ssl_certificate \"{certificate}\";\n    ssl_certificate_key \"/keys/relay.pem\";\n"
    );
    assert!(nginx.contains(&lines) && !nginx.contains("For TLS"), "{nginx}");
    let caddy = export("caddy");
    assert!(caddy.contains(&format!("\n\ttls \"{certificate}\" \"/keys/relay.pem\"\n")), "{caddy}");
    assert!(caddy.contains("\nhttps://:") && !caddy.contains("http://") && !caddy.contains("For TLS"), "{caddy}");
}

/// `LOOPIN_BLESS=1` rewrites them. That nginx and Caddy do with them what they should is tested with the real ones.
#[test]
fn y16_the_exported_configurations_are_those_that_were_tried() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/relay");
    let sandbox = Sandbox::new();
    for (server, file) in [("nginx", "nginx.conf"), ("caddy", "Caddyfile")] {
        let config = data.join("relay.toml").display().to_string();
        let printed = sandbox.run(&["relay", "export", server, "--config", &config]);
        printed.assert_code(0);
        if std::env::var_os("LOOPIN_BLESS").is_some() {
            std::fs::write(data.join(file), &printed.stdout).unwrap();
        }
        assert_eq!(std::fs::read_to_string(data.join(file)).unwrap_or_default(), printed.stdout, "{file}");
    }
}
