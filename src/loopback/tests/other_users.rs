//! Answers that another user of this machine sends, with the right `state`.

use super::*;

const DENIED: &str = "/callback?error=access_denied&state=canary-state";
const OTHER_ISSUER: &str = "/callback?code=x&state=canary-state&iss=https://evil.example";

fn other() -> SentBy {
    SentBy::Other
}

fn without_pkce() -> Loopback {
    Loopback { pkce: Pkce::Off, ..login() }
}

#[test]
fn h06_without_pkce_no_answer_of_another_user_ends_the_wait() {
    let mut login = without_pkce();
    for _ in 0..20 {
        for target in [RIGHT, DENIED, OTHER_ISSUER] {
            let (reply, why) = stray(login.receive(&get(target), other));
            assert_eq!((403, Stray::OtherUser), (reply.status_code(), why), "{target}");
            assert_eq!(pages::other_user().body(), reply.body());
        }
    }
    assert_code(&mut login);
    assert_eq!(Stray::AlreadyAnswered, stray(login.receive(&get(RIGHT), other)).1);
}

#[test]
fn h06_nobody_is_asked_who_sent_a_request_without_the_right_state() {
    for target in ["/", "/callback?code=x&state=wrong", "/callback?code=x"] {
        stray(login().receive(&get(target), || panic!("asked about {target}")));
    }
}

#[test]
fn h06_with_pkce_a_refused_code_of_another_user_leaves_the_login_waiting() {
    let mut login = login();
    for _ in 0..3 {
        assert!(matches!(login.receive(&get(RIGHT), other), Reaction::Code(_, SentBy::Other)));
        assert!(!login.is_waiting());
        assert_eq!(400, login.refuse().status_code());
        assert!(login.is_waiting());
    }
    assert_code(&mut login);
}

#[test]
fn h06_the_users_own_answer_is_taken_while_the_code_of_another_is_exchanged() {
    let mut login = login();
    assert!(matches!(login.receive(&get(RIGHT), other), Reaction::Code(_, SentBy::Other)));
    assert_eq!(Stray::AlreadyAnswered, stray(login.receive(&get(RIGHT), other)).1, "one of theirs at a time");
    let wrong = get("/callback?code=x&state=wrong");
    assert_eq!(Stray::Unrelated(Unrelated::WrongState), stray(login.receive(&wrong, user)).1);
    assert_code(&mut login);
    login.refuse();
    assert!(!login.is_waiting(), "the user's own code is being exchanged");
    assert_eq!(Stray::AlreadyAnswered, stray(login.receive(&get(RIGHT), user)).1);
}

#[test]
fn h06_with_pkce_an_accepted_code_of_another_user_ends_the_login() {
    let mut login = login();
    assert!(matches!(login.receive(&get(RIGHT), other), Reaction::Code(_, SentBy::Other)));
    login.finish(Outcome::Done);
    assert!(matches!(login.receive(&get("/done"), user), Reaction::Landed(_)));
    assert_eq!(Stray::AlreadyAnswered, stray(login.receive(&get(RIGHT), user)).1);
}
