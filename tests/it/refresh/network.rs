//! Providers that cannot be reached, or that say "later". R16, R17.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use loopin::oauth::Endpoint;

use super::*;
use crate::harness::fixed_port;

/// A valid token is served, a caller who needs another one is told to come later, and nothing of the grant changes.
#[track_caller]
fn assert_offline(sandbox: &Sandbox, program: impl Fn(&[&str]) -> Finished, why: &str) {
    let item = || std::fs::read(sandbox.stored_file(".item")).expect("item");
    let before = item();
    assert_eq!("first\n", program(&["token", "work"]).assert_code(0).stdout);
    let renewed = program(&["token", "work", "--rejected", &hash("first")]);
    renewed.assert_code(7).assert_says(why).assert_says("the grant is kept").assert_says("try again later");
    assert_eq!("", renewed.stdout);
    assert_eq!("first\n", program(&["token", "work"]).assert_code(0).stdout);
    assert_eq!(before, item());
    assert!(
        !sandbox.stored().iter().any(|name| name.ends_with(".journal")),
        "nothing was sent: {:?}",
        sandbox.stored()
    );
    sandbox.run(&["status", "work"]).assert_code(0).assert_says("a refresh token is stored");
    // A token that is short of its end serves as well.
    sandbox.age(HOUR, Duration::from_secs(30));
    assert_eq!("first\n", program(&["token", "work"]).assert_code(0).stdout);
}

#[test]
fn r16_a_refused_connection_leaves_a_valid_token_and_the_grant_as_they_are() {
    let Scene { server, sandbox } = Scene::answering(200, JSON, SECOND);
    drop(server);
    assert_offline(&sandbox, |arguments| sandbox.run(arguments), "the connection was refused");
}

/// Moves the integration and its grant to another token endpoint.
fn move_to(scene: &Scene, endpoint: &str) {
    let old = format!("token_endpoint = \"{}/token\"", scene.server.origin);
    scene.sandbox.configure(&scene.server.integration().replace(&old, &format!("token_endpoint = \"{endpoint}\"")));
    let endpoint = Endpoint::parse(endpoint).expect("endpoint");
    scene.sandbox.alter_record(|record| record.pinned.token_endpoint = endpoint);
}

#[test]
fn r16_a_name_that_is_not_known_leaves_a_valid_token_and_the_grant_as_they_are() {
    let scene = Scene::answering(200, JSON, SECOND);
    move_to(&scene, "https://no-such-host.invalid/token");
    assert_offline(&scene.sandbox, |arguments| scene.sandbox.run(arguments), "the name cannot be resolved (DNS)");
}

#[cfg(target_os = "linux")]
#[test]
fn r16_without_any_network_a_valid_token_and_the_grant_stay_as_they_are() {
    let scene = Scene::answering(200, JSON, SECOND);
    let line = "exec unshare --map-root-user --net \"$@\"";
    let mut probe = scene.sandbox.shell("exec unshare --map-root-user --net true", &[]);
    if !probe.status().expect("sh").success() {
        return skipped("r16: a network namespace of one's own is not allowed here");
    }
    let offline = |arguments: &[&str]| Finished::new(scene.sandbox.shell(line, arguments).output().expect("unshare"));
    assert_offline(&scene.sandbox, offline, "the network cannot be reached");
    move_to(&scene, "https://provider.example/token");
    scene.sandbox.age(Duration::ZERO, HOUR);
    assert_offline(&scene.sandbox, offline, "the name cannot be resolved (DNS)");
    assert_eq!(0, scene.refreshes().len());
}

/// A listener that accepts no connection and has no room for another one: packets to it are dropped, as behind a broken
/// router.
fn black_hole() -> (TcpListener, Vec<TcpStream>) {
    use nix::sys::socket::{Backlog, listen};
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("port");
    listen(&listener, Backlog::new(0).expect("backlog")).expect("listen");
    let address: SocketAddr = listener.local_addr().expect("address");
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
    }
    (listener, waiting)
}

/// How often a token endpoint was connected to, and how the one who asked ended.
#[cfg(target_os = "linux")]
fn connections(scene: &Scene, port: u16) -> (usize, Finished) {
    let (child, trace) = scene.sandbox.traced("connect", &["token", "work", "--rejected", &hash("first")]);
    let port = format!("htons({port})");
    let count = trace.filter(|line| line.contains("connect(") && line.contains(&port)).count();
    (count, finish(child))
}

/// Nobody was there, so nothing was used up: a service that restarts is back within the tries.
#[cfg(target_os = "linux")]
#[test]
fn r16_a_refused_connection_is_tried_three_times() {
    let scene = Scene::answering(200, JSON, SECOND);
    let port = fixed_port();
    move_to(&scene, &format!("http://127.0.0.1:{port}/token"));
    let (count, asker) = connections(&scene, port);
    assert_eq!(3, count);
    asker.assert_code(7).assert_says("the connection was refused");
}

/// Takes the 10 s that one connection may take; a caller waits no longer for all tries together.
#[cfg(target_os = "linux")]
#[test]
fn r16_a_provider_behind_a_black_hole_is_given_one_connection_to_answer() {
    let scene = Scene::answering(200, JSON, SECOND);
    let (listener, _waiting) = black_hole();
    let address = listener.local_addr().expect("address");
    move_to(&scene, &format!("http://{address}/token"));
    let (count, asker) = connections(&scene, address.port());
    assert_eq!(1, count);
    asker.assert_code(7).assert_says("no connection in time").assert_says("the grant is kept");
}

#[test]
fn r17_a_busy_provider_is_asked_three_times_and_never_called_a_lost_grant() {
    for status in [429, 503] {
        let scene = Scene::answering(status, "Retry-After: 0\r\n", "");
        scene.renew().assert_code(7).assert_says("the grant is kept").assert_says(&format!("status {status}"));
        assert_eq!(["refresh-1", "refresh-1", "refresh-1"], scene.presented()[..], "{status}");
        let left = scene.sandbox.stored();
        assert!(
            !left.iter().any(|name| name.ends_with(".journal")),
            "it did nothing, so nothing is uncertain: {left:?}"
        );
        scene.assert_kept();
    }
}

#[test]
fn r17_a_provider_that_has_caught_its_breath_is_served_from() {
    for busy in [1, 2] {
        let next = AtomicU32::new(0);
        let scene = Scene::new(FIRST, move |_, stream| match next.fetch_add(1, Ordering::SeqCst) < busy {
            true => send(stream, 503, "Retry-After: 0\r\n", b""),
            false => send(stream, 200, JSON, SECOND.as_bytes()),
        });
        assert_eq!("second\n", scene.renew().assert_code(0).stdout);
        assert_eq!(usize::try_from(busy).expect("small") + 1, scene.refreshes().len());
    }
}

#[test]
fn r17_who_says_in_an_hour_is_not_asked_before() {
    for wait in ["3600", "31", "18446744073709551616"] {
        let fields: &'static str = format!("Retry-After: {wait}\r\n").leak();
        let scene = Scene::answering(429, fields, r#"{"error":"slow_down"}"#);
        scene.renew().assert_code(7);
        let expected = if wait.len() > 5 { 3 } else { 1 };
        assert_eq!(expected, scene.refreshes().len(), "Retry-After: {wait}");
    }
}

/// It may have done its work before it broke: a rotated refresh token that comes twice ends the grant.
#[test]
fn r17_a_provider_that_breaks_is_asked_once() {
    for status in [500, 502, 504] {
        let scene = Scene::answering(status, "Retry-After: 0\r\n", "");
        scene.renew().assert_code(7).assert_says("the grant is kept");
        assert_eq!(1, scene.refreshes().len(), "{status}");
        scene.assert_kept();
    }
    let scene = Scene::new(FIRST, |_, _| {});
    scene.renew().assert_code(7).assert_says("the connection broke").assert_says("the grant is kept");
    assert_eq!(1, scene.refreshes().len());
    scene.assert_kept();
}
