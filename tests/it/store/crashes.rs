//! Killed while writing, and files that are damaged. S13.

use std::{
    collections::BTreeSet,
    fs,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use super::signed_in;
use crate::harness::{eventually, http, write_private};

/// Waits for the event, or for the program's end.
fn until(child: &mut Child, mut event: impl FnMut() -> bool) {
    eventually("the event, or the program's end", || event() || child.try_wait().expect("child").is_some());
}

#[test]
fn s13_killed_at_any_instant_of_a_write_the_store_holds_the_old_token_or_the_new_one() {
    const ROUNDS: u32 = 60;
    let (sandbox, server) = signed_in();
    let item = sandbox.stored_file(".item");
    let mut last = "token-1\n".to_owned();
    let mut kept = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut login = sandbox.login(&[]);
        let (address, before) = (login.address(), fs::read(&item).expect("item"));
        let (asked, names) = (server.requests().len(), sandbox.stored().len());
        let request = format!("GET /callback?code=x&state={} HTTP/1.1\r\nHost: {address}\r\n\r\n", login.state());
        let browser = thread::spawn(move || http(address, &request));
        until(&mut login.child, || match round % 3 {
            0 => server.requests().len() > asked,
            1 => sandbox.stored().len() > names,
            _ => fs::read(&item).expect("never without an item") != before,
        });
        // Then a little later each time, to pass over all the steps of a write, which are shorter than any sleep.
        let instant = Instant::now() + Duration::from_micros(u64::from(round) * 40);
        while Instant::now() < instant {}
        login.child.kill().expect("killed");
        login.child.wait().expect("ended");
        browser.join().expect("browser");

        let new = format!("token-{}\n", round + 2);
        let token = sandbox.run(&["token", "work"]);
        token.assert_code(0);
        assert!(token.stdout == last || token.stdout == new, "{token:?}, not {last:?} nor {new:?}");
        kept.insert(token.stdout == new);
        last = token.stdout;
        sandbox.run(&["status", "work"]).assert_code(0);
    }
    assert!(kept.contains(&true), "some were killed late enough to keep the new token");
    sandbox.log_in(&[]).assert_code(0);
}

#[test]
fn s13_a_damaged_file_is_told_and_kept_and_a_login_repairs_it() {
    let (whole, _server) = signed_in();
    let content = fs::read(whole.stored_file(".item")).expect("item");
    let mut damaged: Vec<Vec<u8>> =
        vec![Vec::new(), b"loopin-items-1".to_vec(), b"{}".to_vec(), vec![0; 4096], [&content[..], b"x"].concat()];
    damaged.extend((1..8).map(|eighth| content[..content.len() * eighth / 8].to_vec()));
    damaged.extend([0, 14, 15, 40, content.len() - 1].map(|at| {
        let mut altered = content.clone();
        altered[at] ^= 0x40;
        altered
    }));
    for (at, damage) in damaged.into_iter().enumerate() {
        let (sandbox, _server) = signed_in();
        let item = sandbox.stored_file(".item");
        write_private(&item, &damage);
        let aside = item.with_extension("item.damaged");
        let told = sandbox.run(&["token", "work"]);
        told.assert_code(8)
            .assert_says("the stored grant is damaged")
            .assert_says(&format!("kept as {}", aside.display()));
        told.assert_says("loopin login");
        assert_eq!(damage, fs::read(&aside).expect("kept"), "damage {at}");
        sandbox.log_in(&[]).assert_code(0);
        sandbox.run(&["token", "work"]).assert_code(0);
    }
}

#[test]
fn s13_a_damaged_file_can_be_logged_out_of_and_logged_in_over() {
    for verb in ["login", "logout"] {
        let (sandbox, _server) = signed_in();
        write_private(&sandbox.stored_file(".item"), b"loopin-items-1 torn");
        match verb {
            "login" => sandbox.log_in(&[]).assert_code(0),
            _ => sandbox.run(&["logout", "work"]).assert_code(0).assert_says("damaged"),
        };
    }
}
