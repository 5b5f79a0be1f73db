//! One key for another, and keys that are not the right ones.

use super::*;

/// The configuration with these keys, the last of which is the current one.
pub fn with_keys(serving: &Serving, keys: &[&str]) {
    let path = serving.sandbox.path("loopin.toml");
    let text = std::fs::read_to_string(&path).expect("configuration");
    let (before, rest) = text.split_once("[keys]").expect("[keys]");
    let (_, after) = rest.split_once("[[jwt]]").expect("[[jwt]]");
    let mut table = format!("[keys]\ncurrent = \"{}\"\n", keys.last().expect("a key"));
    for key in keys {
        let file = serving.sandbox.path(key);
        table += &format!("{key} = {{ file = \"{}\" }}\n", file.display());
    }
    std::fs::write(path, format!("{before}{table}\n[[jwt]]{after}")).expect("configuration");
}

pub fn keys(serving: &Serving, verb: &str) -> Finished {
    let path = serving.sandbox.path("loopin.toml");
    serving.sandbox.run(&["serve", "--config", path.to_str().expect("path"), "keys", verb])
}

#[test]
fn v22_a_key_is_replaced_while_the_service_answers_and_the_old_one_can_go() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    write_private(&serving.sandbox.path("k2"), &[0x77; 32]);
    with_keys(&serving, &["k1", "k2"]);
    keys(&serving, "rotate").assert_code(3).assert_says("start the service again");
    let serving = serving.again();
    assert_success(&serving.connect("bob"));
    let status = keys(&serving, "status");
    assert!(status.stdout.contains("k1  ") && status.stdout.contains("k2  "), "{}", status.stdout);
    keys(&serving, "rotate").assert_code(0);
    assert_eq!((200, 200), (serving.token("ada").status, serving.token("bob").status));
    let left: u32 = serving
        .database()
        .query_row("SELECT count(*) FROM connection WHERE key_id = 'k1'", [], |row| row.get(0))
        .expect("count");
    assert_eq!(0, left);
    with_keys(&serving, &["k2"]);
    let serving = serving.again();
    assert_eq!((200, 200), (serving.token("ada").status, serving.token("bob").status));
}

#[test]
fn v23_a_wrong_or_missing_key_is_told_before_a_port_is_bound_and_changes_no_byte() {
    let mut serving = Serving::new();
    assert_success(&serving.connect("ada"));
    serving.signal("TERM");
    serving.child.wait().expect("loopin ends");
    let database = serving.sandbox.path("loopin.db");
    let before = std::fs::read(&database).expect("database");
    let path = serving.sandbox.path("loopin.toml");
    // Whoever wants the port first is told that it is taken.
    let _taken = std::net::TcpListener::bind(serving.address()).expect("port");
    let start = || serving.sandbox.run(&["serve", "--config", path.to_str().expect("path")]);
    start().assert_says("cannot listen");
    write_private(&serving.sandbox.path("k2"), &[0x77; 32]);
    with_keys(&serving, &["k2"]);
    start().assert_code(3).assert_says("the database holds 1 rows that need the key k1");
    std::fs::remove_file(serving.sandbox.path("k1")).expect("removed");
    with_keys(&serving, &["k1"]);
    start().assert_says("openssl rand -base64 32 > ");
    write_private(&serving.sandbox.path("k1"), &[0x78; 32]);
    start().assert_code(3).assert_says("k1 is not the key that this database was sealed with");
    assert!(before == std::fs::read(&database).expect("database"), "a byte has changed");
}

#[test]
fn v21_a_cell_moved_to_another_row_hands_nothing_out() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    assert_success(&serving.connect("bob"));
    let swap = "UPDATE connection SET access = (SELECT access FROM connection WHERE user_id = 'ada'), \
                refresh = (SELECT refresh FROM connection WHERE user_id = 'ada') WHERE user_id = 'bob'";
    assert_eq!(1, serving.database().execute(swap, []).expect("swap"));
    let unreadable = |reply: &Reply| assert_eq!((500, "unreadable".into()), (reply.status, code(reply)));
    unreadable(&serving.token("bob"));
    // Nor is it sent anywhere. Nobody waits for a refresh that cannot be.
    serving.age();
    for _ in 0..2 {
        unreadable(&serving.token("bob"));
    }
    assert_eq!(2, serving.provider.counters().token, "the logins'");
    assert_eq!(200, serving.token("ada").status);
    assert_success(&serving.connect("bob"));
    assert_eq!(200, serving.token("bob").status, "connecting again repairs it");
    assert!(
        serving.admin("/metrics").body.contains("route=\"/:group/token\",status=\"500\"} 3"),
        "an alarm can go off"
    );
}
