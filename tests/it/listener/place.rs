//! Where a login listens: on loopback alone, on a port that is held from the start, and handed to nobody.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
};

use super::{as_nobody, assert_turned_away};
use crate::harness::{Login, Provider, Sandbox, Waiting, crowd, fixed_port, http, target, tell};

/// Local address, state and inode of the sockets in a text like `/proc/net/tcp` that are bound to this port.
fn bound(table: &str, port: u16) -> Vec<[String; 3]> {
    let local = format!(":{port:04X}");
    let fields = table.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    fields
        .filter(|f| f.get(1).is_some_and(|address| address.ends_with(&local)) && f.len() > 9)
        .map(|f| [f[1].clone(), f[3].clone(), f[9].clone()])
        .collect()
}

const LISTENING: &str = "0A";

#[test]
fn l01_the_port_listens_before_the_browser_is_opened_and_is_never_let_go() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let pipe = sandbox.pipe("sockets");
    let browser = sandbox.script("browser", &format!("cat /proc/net/tcp > '{}'", pipe.path()));
    let login = sandbox.login(&["--browser", &browser]);
    let opened = bound(&pipe.read(), login.port());
    let address = format!("0100007F:{:04X}", login.port());
    let [[local, state, _]] = &opened[..] else { panic!("{opened:?}") };
    assert_eq!((&address[..], LISTENING), (&local[..], &state[..]));
    // The very same socket takes the answer.
    let now = bound(&std::fs::read_to_string("/proc/net/tcp").unwrap(), login.port());
    assert_eq!(opened, now);
    login.person().allow();
    login.finished().assert_code(0);
}

#[test]
fn l01_an_answer_in_no_time_is_never_refused() {
    let provider = Provider::new();
    let sandbox = Sandbox::new();
    sandbox.configure(&provider.explicit());
    for _ in 0..crowd() {
        // Connects as soon as the URL is printed.
        let login = sandbox.login(&[]);
        let query = format!("error=access_denied&state={}", login.state());
        assert_eq!(303, login.get(&login.callback(&query)).status);
        login.get("/failed");
        login.finished().assert_code(5);
    }
}

#[test]
fn l02_only_loopback_is_listened_on() {
    let waiting = Waiting::new();
    let port = waiting.login.port();
    let sockets = bound(&std::fs::read_to_string("/proc/net/tcp").unwrap(), port);
    assert!(sockets.iter().all(|[address, ..]| address.starts_with("0100007F:")), "{sockets:?}");
    assert!(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port)).is_err(), "not even another loopback address");
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_err());
    waiting.ends_well();
}

#[test]
fn l02_a_redirect_beyond_loopback_is_a_fault_of_the_configuration() {
    let provider = Provider::new();
    for redirect in [
        "http://0.0.0.0:0/callback",
        "http://localhost:0/callback",
        "http://[::]:0/callback",
        "http://192.168.0.1:0/callback",
        "http://127.0.0.1.example:0/callback",
        "http://2130706433:0/callback",
        "https://127.0.0.1:0/callback",
        "http://127.0.0.1/callback",
    ] {
        let sandbox = Sandbox::new();
        sandbox.configure(&format!("{}redirect_uri = \"{redirect}\"\n", provider.explicit()));
        let finished = sandbox.run(&["login", "work", "--timeout", "1s"]);
        finished.assert_code(3).assert_says("redirect_uri");
        assert!(!finished.stderr.contains("To sign in"), "{finished:?}");
    }
    assert_eq!(0, provider.counters().authorize);
}

#[test]
fn l03_another_user_learns_nothing_and_ends_nothing() {
    let waiting = Waiting::new();
    let port = waiting.login.port();
    let script = format!(
        "for i in $(seq 200); do for path in / /callback /done \"/callback?code=$i&state=$i\" \"/callback?error=$i\"; do
           exec 3<>/dev/tcp/127.0.0.1/{port} || exit 1
           printf 'GET %s HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n' \"$path\" >&3
           cat <&3; exec 3>&-
         done; done; echo finished"
    );
    if let Some(heard) = as_nobody(&script) {
        assert!(heard.ends_with("finished\n"), "{heard}");
        for secret in
            [waiting.login.state(), waiting.login.parameter("code_challenge"), waiting.provider.origin.clone()]
        {
            assert!(!heard.contains(&secret), "{heard}");
        }
        assert_eq!(1000, heard.matches("HTTP/1.1 40").count(), "all were turned away");
    }
    waiting.ends_well();
}

#[test]
fn l03_an_answer_that_another_user_brings_counts_and_is_told() {
    let waiting = Waiting::new();
    let (answer, port) = (waiting.answer(), waiting.login.port());
    let script = format!(
        "for path in '{answer}' /done; do exec 3<>/dev/tcp/127.0.0.1/{port}
         printf 'GET %s HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n' \"$path\" >&3; cat <&3; done"
    );
    match as_nobody(&script) {
        Some(heard) => {
            assert!(heard.contains("You are signed in"), "{heard}");
            waiting.login.finished().assert_code(0).assert_says("peer_uid_differs: 65534");
        }
        None => drop(waiting.ends_well()),
    }
}

#[test]
fn l04_a_squatter_on_the_other_family_stops_localhost_and_not_a_literal_address() {
    let provider = Provider::new();
    let port = fixed_port();
    let Ok(squatter) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)) else {
        return tell("skipped: no IPv6 here");
    };
    let sandbox = Sandbox::new();
    let localhost = format!("redirect_uri = \"http://localhost:{port}/callback\"\ninsist_on_localhost = true\n");
    sandbox.configure(&(provider.explicit() + &localhost));
    let refused = sandbox.run(&["login", "work", "--timeout", "1s"]);
    refused.assert_code(9).assert_says(&format!("cannot own localhost:{port} on both IPv4 and IPv6"));
    assert!(!refused.stderr.contains("To sign in"), "nobody was sent off: {refused:?}");

    let literal = format!("redirect_uri = \"http://127.0.0.1:{port}/callback\"\n");
    sandbox.configure(&(provider.explicit() + &literal));
    let login = sandbox.login(&[]);
    login.person().allow();
    login.finished().assert_code(0);

    drop(squatter);
    sandbox.configure(&(provider.explicit() + &localhost));
    let login = sandbox.login(&[]);
    assert_eq!(port, login.port());
    for address in [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), (Ipv6Addr::LOCALHOST, port).into()] {
        let reply = http(address, &format!("GET /x HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"));
        assert_turned_away(404, &reply);
    }
}

#[test]
fn l33_a_list_of_registered_redirects_is_tried_in_order() {
    let provider = Provider::new();
    let (busy, free) = (fixed_port(), fixed_port());
    let _other_program = TcpListener::bind((Ipv4Addr::LOCALHOST, busy)).unwrap();
    let sandbox = Sandbox::new();
    let list = [busy, free].map(|port| format!("\"http://127.0.0.1:{port}/callback\""));
    sandbox.configure(&format!("{}redirect_uri = [{}]\n", provider.explicit(), list.join(", ")));
    let login = sandbox.login(&[]);
    assert_eq!(format!("http://127.0.0.1:{free}/callback"), login.redirect_uri());
    login.person().allow();
    let said = format!("http://127.0.0.1:{busy}/callback: port {busy} is in use by another program; trying the next");
    login.finished().assert_code(0).assert_says(&said);
}

#[test]
fn l33_a_busy_port_is_named_and_left_to_its_owner() {
    let provider = Provider::new();
    let port = fixed_port();
    let other_program = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}redirect_uri = \"http://127.0.0.1:{port}/callback\"\n", provider.explicit()));
    let finished = sandbox.run(&["login", "work", "--timeout", "1s"]);
    finished.assert_code(3).assert_says(&format!("port {port} is in use by another program")).assert_says("→ free it");
    assert!(!finished.stderr.contains("trying the next"), "there is no next: {finished:?}");
    let stated =
        sandbox.configure(&provider.explicit()).run(&["login", "work", "--timeout", "1s", "--port", &port.to_string()]);
    stated.assert_code(3).assert_says(&format!("port {port} is in use by another program"));
    other_program.set_nonblocking(true).unwrap();
    assert!(other_program.accept().is_err(), "it was never talked to");
    assert_eq!(0, provider.counters().authorize);
}

#[test]
fn l34_two_logins_at_once_both_end_well_and_a_token_is_there() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    for _ in 0..10 {
        let logins = [sandbox.login(&[]), sandbox.login(&[])];
        assert_ne!(logins[0].port(), logins[1].port());
        assert_ne!(logins[0].state(), logins[1].state());
        let asking = logins.each_ref().map(|login| login.asking(&target(&login.person().decide("allow"))));
        let replies = asking.map(thread::spawn).map(|browser| browser.join().expect("browser"));
        assert_eq!([303, 303], replies.map(|reply| reply.status));
        assert!(logins.iter().all(|login| login.get("/done").status == 200));
        for login in logins {
            login.finished().assert_code(0);
        }
        assert!(sandbox.run(&["token", "work"]).assert_code(0).stdout.starts_with("access."));
    }
}

#[test]
fn l35_without_one_loopback_family_the_registered_redirect_of_the_other_is_used() {
    let provider = Provider::new();
    for (missing, address, used) in [("-4", "127.0.0.1/8", "http://[::1]:"), ("-6", "::1/128", "http://127.0.0.1:")] {
        let sandbox = Sandbox::new();
        let first = if missing == "-4" { ["127.0.0.1", "[::1]"] } else { ["[::1]", "127.0.0.1"] };
        let list = first.map(|host| format!("\"http://{host}:0/callback\"")).join(", ");
        sandbox.configure(&format!("{}redirect_uri = [{list}]\n", provider.explicit()));
        let networkless = format!("ip link set lo up && ip {missing} addr del {address} dev lo && exec \"$@\"");
        let allowed = Command::new("unshare")
            .args(["-rn", "sh", "-c", &networkless, "sh", "true"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !allowed {
            return tell("skipped: no network namespace here");
        }
        let loopin = sandbox.loopin(&["login", "work"]);
        let mut command = Command::new("unshare");
        command.args(["-rn", "sh", "-c", &networkless, "sh"]).arg(loopin.get_program()).args(loopin.get_args());
        command.env_clear().envs(loopin.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let login = Login::start(command);
        assert!(login.redirect_uri().starts_with(used), "{}", login.redirect_uri());
        login.signal("TERM");
        let finished = login.finished();
        finished.assert_code(143).assert_says("trying the next");
        assert!(!finished.stderr.contains("in use"), "nobody uses it: {finished:?}");
    }
}

#[test]
fn l39_the_browser_inherits_no_socket_and_no_lock() {
    let provider = Provider::new();
    let sandbox = Sandbox::signed_in(&provider);
    let pipe = sandbox.pipe("descriptors");
    let browser = sandbox.script("browser", &format!("ls -l /proc/self/fd > '{}'", pipe.path()));
    let login = sandbox.login(&["--browser", &browser]);
    let list = pipe.read();
    let open: Vec<&str> = list.lines().filter_map(|line| line.split_once(" -> ")).map(|(_, to)| to).collect();
    assert!(open.len() >= 3, "{list}");
    // What whoever started the tests left open is passed on to everybody; it is none of loopin's.
    let ours: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| Some(std::fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .collect();
    for to in open {
        let told = to == "/dev/null" || to == pipe.path() || to.starts_with("/proc/") || to.ends_with("/browser");
        assert!(told || ours.iter().any(|own| own == to), "{to} in {list}");
    }
    login.person().allow();
    login.finished().assert_code(0);
}
