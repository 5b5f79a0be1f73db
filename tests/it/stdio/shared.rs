//! Callers that need the same login at once. P11.

use super::*;

/// A browser command that only notes that it was opened, and how often it was.
struct Windows {
    command: String,
    path: std::path::PathBuf,
}

impl Windows {
    fn of(sandbox: &Sandbox) -> Self {
        let path = sandbox.path("windows");
        Self { command: sandbox.script("browser", &format!("echo \"$1\" >>'{}'", path.display())), path }
    }

    fn opened(&self) -> usize {
        std::fs::read_to_string(&self.path).unwrap_or_default().lines().count()
    }

    /// A client of a process of its own that asks for a login with this browser.
    fn caller(&self, sandbox: &Sandbox, params: &Value) -> Client {
        let mut command = sandbox.loopin(&["stdio"]);
        command.env("LOOPIN_BROWSER", &self.command);
        let mut client = Client::unmet(command);
        client.call("hello", "initialize", &json!({ "protocol": 1 }));
        client.result("hello");
        client.call("in", "login", params);
        client
    }
}

/// As many callers as wanted: the first one's login is shown to a person, all others wait for it.
fn callers(sandbox: &Sandbox, windows: &Windows, count: usize) -> (Client, Person, Vec<Client>) {
    let mut first = windows.caller(sandbox, &json!({}));
    let person = Person::at(first.event("in", "url")["url"].as_str().expect("a URL").to_owned());
    let mut others: Vec<_> = (1..count).map(|_| windows.caller(sandbox, &json!({}))).collect();
    for other in &mut others {
        assert_eq!("login", other.event("in", "waiting")["on"]);
    }
    (first, person, others)
}

#[test]
fn p11_fifty_callers_that_need_a_login_at_once_open_one_browser_window() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let windows = Windows::of(&sandbox);
    let (mut first, person, mut others) = callers(&sandbox, &windows, 50);
    person.allow();
    first.result("in");
    let token = first.token("token");
    for other in &mut others {
        assert_eq!("work", other.result("in")["integration"]);
        assert_eq!(token, other.token("token"));
    }
    assert_eq!((1, 1), (windows.opened(), provider.counters().authorize));
}

#[test]
fn p11_what_the_person_refused_is_not_asked_again_for_those_who_waited() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let windows = Windows::of(&sandbox);
    let (first, person, others) = callers(&sandbox, &windows, 5);
    person.deny();
    for mut one in others.into_iter().chain([first]) {
        assert_eq!((-32005, "denied".into()), one.error("in"));
    }
    assert_eq!(1, windows.opened());
    // Who asks afterwards asks anew.
    let mut later = windows.caller(&sandbox, &json!({}));
    later.event("in", "url");
}

#[test]
fn p11_when_the_one_who_began_gives_up_or_dies_the_next_takes_over() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let windows = Windows::of(&sandbox);
    let (mut first, _, mut others) = callers(&sandbox, &windows, 3);
    first.call("no", "cancel", &json!({ "id": "in" }));
    assert_eq!((-32130, "signal".into()), first.error("in"));
    // One of the two is the next; which one is the kernel's choice.
    let (at, url) = taken_over(&mut others);
    let mut second = others.remove(at);
    let mut third = others.remove(0);
    assert_eq!("login", third.event("in", "waiting")["on"]);
    kill("KILL", second.child.id());
    second.child.wait().expect("it ends");
    drop(url);
    let person = Person::at(third.event("in", "url")["url"].as_str().expect("a URL").to_owned());
    person.allow();
    third.result("in");
}

/// Which of them shows a URL now.
fn taken_over(clients: &mut [Client]) -> (usize, Value) {
    loop {
        for (at, client) in clients.iter_mut().enumerate() {
            let message = client.next().expect("a message");
            if message["method"] == "login/url" {
                return (at, message);
            }
        }
    }
}

#[test]
fn p11_two_logins_of_one_conversation_share_and_a_wider_wish_is_asked_for_by_itself() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut client = Client::of(&sandbox);
    let person = client.login("one");
    client.call("two", "login", &json!({ "open": "client" }));
    client.event("two", "waiting");
    client.call("wider", "login", &json!({ "open": "client", "scopes": ["write"] }));
    client.event("wider", "waiting");
    person.allow();
    client.result("one");
    client.result("two");
    let url = client.event("wider", "url")["url"].as_str().expect("a URL").to_owned();
    assert!(url.contains("write"), "{url}");
    Person::at(url).allow();
    client.result("wider");
}

#[test]
fn p11_one_who_waits_for_another_login_can_be_cancelled() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut client = Client::of(&sandbox);
    client.login("one");
    client.call("two", "login", &json!({ "open": "client" }));
    client.event("two", "waiting");
    client.call("no", "cancel", &json!({ "id": "two" }));
    assert_eq!(json!({ "cancelled": true }), client.result("no"));
    assert_eq!((-32130, "signal".into()), client.error("two"));
}

#[test]
fn l34_a_login_by_hand_waits_for_no_caller() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut client = Client::of(&sandbox);
    let person = client.login("in");
    let login = sandbox.login(&[]);
    login.person().allow();
    login.finished().assert_code(0);
    person.allow();
    client.result("in");
}
