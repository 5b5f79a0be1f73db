//! The same routes in the words of nginx and of Caddy, for whoever runs one of them anyway. Where they answer in another
//! way than this relay is said in the text itself.

use std::{fmt::Write, path::Path};

use super::{Providers, Relay, Route, template::PLACEHOLDER};

/// What a provider may be called, as a regular expression.
const ANY_PROVIDER: &str = "[a-z0-9_-]{1,64}";

const NGINX_HEAD: &str = r##"# Made by `loopin relay export nginx`; goes into the http block (Debian: /etc/nginx/conf.d/).
# It routes as the relay does, by the raw target: nothing is decoded, and the query is copied as it came. What differs:
# - queries from 64 KiB to about 68 KiB are forwarded too; a 307 has a small body; a body of a GET is read and dropped;
# - nginx itself answers 400 to controls, and to a path that it cannot decode or that leads above the root.
# No code is logged: not by this access log, and not by an error log, since the lines of that hold whole requests.
"##;

const NGINX_PLAIN: &str = "\
# For TLS, replace the listen line: listen 443 ssl; ssl_certificate ...; ssl_certificate_key ...;
";

const NGINX_SERVER: &str = r##"    server_name _;
    server_tokens off;
    large_client_header_buffers 4 68k;
    access_log /var/log/nginx/loopin-relay.log loopin_relay;
    error_log /dev/null crit;
    add_header Cache-Control no-store always;
    add_header Pragma no-cache always;
    add_header Referrer-Policy no-referrer always;
    add_header Allow $loopin_allow always;

    if ($request_uri ~ "#") { return 400; }
    if ($loopin_allow) { return 405; }
    if ($loopin_host = "") { return 421; }
    if ($loopin_target = "") { return 404; }
    return 307 $loopin_target;
}
"##;

const CADDY_HEAD: &str = r##"# Made by `loopin relay export caddy`, a whole Caddyfile for Caddy 2.6 or newer.
# It routes as the relay does; the query is copied as it came. What differs:
# - the Host field is compared with its letter case; a query may be as long as a head may be;
# - a body of a GET is not read and not refused.
# No code is logged: neither the request's target and fields nor the reply's Location.
"##;

const CADDY_PLAIN: &str = "\
# For TLS, write your domain in place of the address behind http://, remove bind and auto_https.
";

const CADDY_LOG: &str = "\tlog {
\t\tformat filter {
\t\t\twrap json
\t\t\tfields {
\t\t\t\trequest>uri delete
\t\t\t\trequest>headers delete
\t\t\t\tresp_headers delete
\t\t\t}
\t\t}
\t}
";

/// A file for the `http` block of nginx. Paths of certificate files begin at `beside`, the directory of `relay.toml`.
pub fn nginx(relay: &Relay, beside: &Path) -> String {
    let mut text = NGINX_HEAD.to_owned();
    // Written into memory, which does not fail.
    let _ = write_nginx(relay, beside, &mut text);
    text
}

fn write_nginx(relay: &Relay, beside: &Path, text: &mut String) -> std::fmt::Result {
    let mut listen = format!("    listen {}", relay.settings().listen);
    if let Some(tls) = &relay.settings().tls {
        // A backslash and a dollar mean something between quotes.
        let plain = |path| beside.join(path).display().to_string().replace('\\', "\\\\");
        let path = |path| quoted(&plain(path)).replace('$', "${loopin_dollar}");
        writeln!(listen, " ssl default_server;")?;
        writeln!(listen, "    ssl_certificate {};", path(&tls.cert))?;
        writeln!(listen, "    ssl_certificate_key {};", path(&tls.key))?;
    } else {
        text.push_str(NGINX_PLAIN);
        listen.push_str(" default_server;\n");
    }
    text.push_str(
        "\nmap $request_method $loopin_allow {\n    default \"GET, HEAD\";\n    GET \"\";\n    HEAD \"\";\n}\n",
    );
    text.push_str("map $http_host $loopin_host {\n    default \"\";\n");
    for host in relay.hosts.keys() {
        let host = escaped(&String::from_utf8_lossy(host));
        writeln!(text, "    \"~*^{host}$\" known;")?;
    }
    text.push_str("}\nmap $http_host$request_uri $loopin_target {\n    default \"\";\n");
    for route in relay.routes() {
        let from = pattern(route, "(?<loopin_provider>", "(?<loopin_query>\\?[^#]*)?");
        let to = route.target().replace('$', "${loopin_dollar}").replace(PLACEHOLDER, "$loopin_provider");
        writeln!(text, "    # {}", route.environment())?;
        writeln!(text, "    \"~^(?i:{}){from}$\" \"{to}$loopin_query\";", escaped(route.host()))?;
    }
    text.push_str("}\nmap $http_host$request_uri $loopin_route {\n    default \"\";\n");
    for route in relay.routes() {
        let from = pattern(route, "(?:", "(?:\\?[^#]*)?");
        let shown = format!("{} {}{}", route.environment(), route.host(), route.path());
        writeln!(
            text,
            "    \"~^(?i:{}){from}$\" \"{}\";",
            escaped(route.host()),
            shown.replace('$', "${loopin_dollar}")
        )?;
    }
    text.push_str("}\n");
    if text.contains("${loopin_dollar}") || listen.contains("${loopin_dollar}") {
        text.push_str("geo $loopin_dollar { default \"$\"; }\n");
    }
    text.push_str("log_format loopin_relay escape=json\n    '{\"time\":\"$time_iso8601\",\"status\":$status,\"route\":\"$loopin_route\"}';\n\n");
    write!(text, "server {{\n{listen}{NGINX_SERVER}")
}

/// A Caddyfile. Paths of certificate files begin at `beside`, the directory of `relay.toml`.
pub fn caddy(relay: &Relay, beside: &Path) -> String {
    let mut text = CADDY_HEAD.to_owned();
    // Written into memory, which does not fail.
    let _ = write_caddy(relay, beside, &mut text);
    text
}

fn write_caddy(relay: &Relay, beside: &Path, text: &mut String) -> std::fmt::Result {
    let listen = relay.settings().listen;
    let scheme = if relay.settings().tls.is_some() { "https" } else { "http" };
    if relay.settings().tls.is_none() {
        text.push_str(CADDY_PLAIN);
    }
    text.push_str("\n{\n\tadmin off\n\tauto_https off\n}\n\n");
    writeln!(text, "{scheme}://:{} {{\n\tbind {}", listen.port(), listen.ip())?;
    if let Some(tls) = &relay.settings().tls {
        let path = |path| quoted(&beside.join(path).display().to_string());
        writeln!(text, "\ttls {} {}", path(&tls.cert), path(&tls.key))?;
    }
    text.push_str(CADDY_LOG);
    text.push_str("\theader {\n\t\tCache-Control no-store\n\t\tPragma no-cache\n\t\tReferrer-Policy no-referrer\n\t}\n\troute {\n");
    text.push_str("\t\t@fragment vars_regexp {http.request.uri} `#`\n\t\trespond @fragment 400\n");
    text.push_str("\t\t@other not method GET HEAD\n\t\theader @other Allow \"GET, HEAD\"\n\t\trespond @other 405\n");
    for (number, route) in relay.routes().iter().enumerate() {
        let from = pattern(route, "(", "(\\?.*)?");
        let (to, query) = match route.providers() {
            Providers::None => (route.target().to_owned(), 1),
            Providers::Any | Providers::Listed(_) => {
                (route.target().replace(PLACEHOLDER, &format!("{{re.route{number}.1}}")), 2)
            }
        };
        writeln!(text, "\t\t# {}", route.environment())?;
        writeln!(text, "\t\t@route{number} {{\n\t\t\theader Host {}", route.host())?;
        writeln!(text, "\t\t\tvars_regexp route{number} {{http.request.uri}} `^{from}$`\n\t\t}}")?;
        writeln!(text, "\t\tredir @route{number} {to}{{re.route{number}.{query}}} 307")?;
    }
    text.push_str("\t\t@known {\n");
    for route in relay.routes() {
        writeln!(text, "\t\t\theader Host {}", route.host())?;
    }
    text.push_str("\t\t}\n\t\trespond @known 404\n\t\trespond 421\n\t}\n}\n");
    Ok(())
}

/// A path as a regular expression; `provider` opens the group of the placeholder, `query` is the rest.
fn pattern(route: &Route, provider: &str, query: &str) -> String {
    let names = match route.providers() {
        Providers::Any => ANY_PROVIDER.to_owned(),
        Providers::Listed(names) => names.iter().map(|name| escaped(name.as_str())).collect::<Vec<_>>().join("|"),
        Providers::None => String::new(),
    };
    let group = format!("{provider}{names})");
    let pieces: Vec<_> = route.path().split(PLACEHOLDER).map(escaped).collect();
    pieces.join(&group) + query
}

/// As one word of either language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// Of what may stand in a URI these mean something in a regular expression.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if "\\.+*?()|[]{}^$#".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
