use std::{io::ErrorKind, time::Duration};

use super::*;
use crate::{
    catalog::Catalog,
    command::login::plan::{NamedBrowser, Terminal},
    oauth::Issuer,
    report::CheckState,
    system::{
        browser::NoBrowser,
        environment::{Desktop, SshSession},
    },
};

const BAD: CheckState = CheckState::Bad(Code::Configuration);

fn catalog(tables: &str) -> Catalog {
    Catalog::parse(tables).unwrap_or_else(|error| panic!("{error}: {tables}"))
}

/// The table of an integration with its own redirect.
fn table(name: &str, lines: &str) -> String {
    format!("[integration.{name}]\nissuer = \"https://{name}.example\"\nclient_id = \"x\"\n{lines}\n")
}

fn remedy(check: &Check) -> &str {
    check.remedy.as_deref().unwrap_or_default()
}

#[test]
fn a_loopback_address_is_needed_where_an_integration_has_a_redirect_there() {
    let judged = |address: &str, probe, need| loopback(address.parse().expect("address"), probe, need);
    let missing = Probe::NotBound(ErrorKind::AddrNotAvailable);
    for (probe, need, state) in [
        (Probe::Reached, Need::Needed, CheckState::Good),
        (Probe::Reached, Need::Unused, CheckState::Good),
        (missing, Need::Needed, BAD),
        (missing, Need::Unused, CheckState::Good),
        (Probe::NotReached(ErrorKind::TimedOut), Need::Needed, BAD),
        (Probe::NotReached(ErrorKind::TimedOut), Need::Unused, CheckState::Warning),
    ] {
        for address in ["127.0.0.1", "::1"] {
            let check = judged(address, probe, need);
            assert_eq!(state, check.state, "{check:?}");
            assert_eq!(state == CheckState::Good, check.remedy.is_none(), "{check:?}");
        }
    }
    assert_eq!(
        "bring the loopback interface up: ip link set lo up",
        remedy(&judged("127.0.0.1", missing, Need::Needed))
    );
    assert!(remedy(&judged("::1", missing, Need::Needed)).contains("redirect_uri = \"http://127.0.0.1:0/callback\""));
}

fn here(desktop: Desktop, browser: NamedBrowser, terminal: Terminal, elsewhere: Option<Elsewhere>) -> Surroundings {
    Surroundings { desktop, browser, elsewhere, terminal }
}

#[test]
fn the_browser_is_what_login_would_open_and_a_command_shows_its_program_only() {
    let desktop = here(Desktop::Here, NamedBrowser::No, Terminal::Here, None);
    let check = browser(&Browser::Desktop, None, &desktop);
    assert_eq!((CheckState::Good, "login opens the desktop's default browser"), (check.state, check.message.as_str()));

    let named = Browser::Named(vec![vec!["firefox".into(), "--secret=canary".into()], vec!["links".into()]]);
    let headless = here(Desktop::NoneHeadless, NamedBrowser::Yes, Terminal::None, None);
    let check = browser(&named, Some("BROWSER"), &headless);
    assert_eq!((CheckState::Good, "login opens firefox or links (BROWSER)"), (check.state, check.message.as_str()));

    let check = browser(&Browser::None(NoBrowser::Variable("LOOPIN_BROWSER")), Some("LOOPIN_BROWSER"), &desktop);
    assert_eq!(CheckState::Warning, check.state, "the URL is still printed");
    assert!(remedy(&check).ends_with("unset LOOPIN_BROWSER"), "{check:?}");
}

#[test]
fn without_a_browser_the_pasted_address_will_do_and_without_a_terminal_nobody_can_sign_in() {
    let none = Browser::None;
    let ssh = Some(Elsewhere::Ssh(SshSession { host: "10.0.0.5".into(), port: 22, user: None }));
    let terminal = here(Desktop::NoneHeadless, NamedBrowser::No, Terminal::Here, ssh);
    let check = browser(&none(NoBrowser::Headless), None, &terminal);
    assert_eq!(CheckState::Good, check.state);
    assert!(check.message.contains("over SSH") && check.message.contains("pasted address"), "{check:?}");

    for (desktop, why, says) in [
        (Desktop::NoneHeadless, NoBrowser::Headless, "neither a browser nor a terminal"),
        (Desktop::NoneCi, NoBrowser::Ci, "CI"),
    ] {
        let check = browser(&none(why), None, &here(desktop, NamedBrowser::No, Terminal::None, None));
        assert_eq!(CheckState::Warning, check.state, "a job may get its tokens another way");
        assert!(check.message.contains(says) && check.remedy.is_some(), "{check:?}");
    }
}

#[test]
fn a_store_that_keeps_nothing_is_bad_and_a_passphrase_is_not_asked_for() {
    assert_eq!(CheckState::Good, store("files", None, Ok(())).state);
    for unasked in [StoreError::NoKey, StoreError::NoTerminal] {
        let check = store("files", None, Err(unasked));
        assert!(check.state == CheckState::Good && check.message.contains("not tested"), "{check:?}");
    }
    let catalog = catalog(&table("work", ""));
    let work = catalog.get("work").ok();
    let fix = "loopin integration set work --store file";
    assert!(remedy(&store("the keychain", work, Err(StoreError::Absent))).ends_with(fix), "a command that can be run");
    for error in [StoreError::Absent, StoreError::Locked, StoreError::Unfaithful] {
        let check = store("the keychain", None, Err(error));
        assert_eq!(CheckState::Bad(Code::Store), check.state);
        assert!(check.message.starts_with("the keychain: ") && check.remedy.is_some(), "{check:?}");
    }
}

fn dated(server: &str, offset: i64) -> Dated {
    let ours = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let by = Duration::from_secs(offset.unsigned_abs());
    Dated { server: server.into(), ours, theirs: if offset > 0 { ours - by } else { ours + by } }
}

#[test]
fn a_clock_is_off_from_a_minute_and_wrong_from_five() {
    for (offset, state) in [
        (0, CheckState::Good),
        (59, CheckState::Good),
        (-59, CheckState::Good),
        (60, CheckState::Warning),
        (-60, CheckState::Warning),
        (299, CheckState::Warning),
        (300, BAD),
        (-300, BAD),
    ] {
        let check = clock(&[dated("a.example", offset)]);
        assert_eq!(state, check.state, "{offset}: {check:?}");
        assert_eq!(state == CheckState::Good, check.remedy.is_none(), "{check:?}");
    }
    assert_eq!("600 s ahead of the clock of a.example", clock(&[dated("a.example", 600)]).message);
    assert_eq!("600 s behind the clock of a.example", clock(&[dated("a.example", -600)]).message);
}

#[test]
fn one_provider_with_a_wrong_clock_does_not_make_this_one_wrong() {
    let check = clock(&[dated("a.example", 4000), dated("b.example", -2), dated("c.example", -900)]);
    assert_eq!((CheckState::Good, "agrees with b.example"), (check.state, check.message.as_str()));
    assert_eq!(CheckState::Warning, clock(&[]).state);
}

#[test]
fn the_network_is_bad_if_no_provider_answers_and_nothing_else_explains_it() {
    let judged = |all: &[Reached]| network(&all.iter().map(|it| ("a.example".to_owned(), *it)).collect::<Vec<_>>());
    let state = |all: &[Reached]| judged(all).map(|check| check.state);
    assert_eq!(Some(CheckState::Bad(Code::Unavailable)), state(&[Reached::Silent, Reached::Silent]));
    assert_eq!(Some(CheckState::Good), state(&[Reached::Silent, Reached::Answered]), "that one has a line of its own");
    assert_eq!(None, state(&[Reached::NotAsked]), "a proxy variable is at fault, which has a line of its own");
    assert_eq!(None, state(&[]));
}

#[test]
fn metadata_that_differ_are_as_bad_as_their_effect() {
    let catalog = catalog(&table("work", ""));
    let work = catalog.get("work").expect("work");
    let issuer = || Issuer::parse("https://work.example").expect("issuer");
    let differing = |list| metadata(work, Ok(Compared::Differences { issuer: issuer(), list }));
    assert_eq!(CheckState::Good, differing(Vec::new()).state);
    assert_eq!(CheckState::Good, metadata(work, Ok(Compared::NoMetadata { issuer: issuer() })).state);
    let difference = |effect, fix: Option<&str>| crate::catalog::Difference {
        name: "token_endpoint",
        configured: "a".into(),
        published: "b".into(),
        effect,
        fix: fix.map(str::to_owned),
    };
    let check = differing(vec![difference(Effect::Warning, Some("write b"))]);
    assert_eq!((CheckState::Warning, "write b"), (check.state, remedy(&check)));
    let check = differing(vec![difference(Effect::Warning, None), difference(Effect::LoginFails, Some("write b"))]);
    assert_eq!((BAD, "loopin integration verify work"), (check.state, remedy(&check)), "several fixes are a list");
}

#[test]
fn metadata_that_are_missing_are_a_fault_of_the_configuration_unless_the_provider_may_be_down() {
    use crate::oauth::{Miss, Missed};
    let catalog = catalog(&table("work", ""));
    let work = catalog.get("work").expect("work");
    let missing = |why| {
        let missed = vec![Missed { place: "https://work.example".into(), why }];
        let issuer = Issuer::parse("https://work.example").expect("issuer");
        metadata(work, Err(DiscoveryError::NotFound { issuer, missed })).state
    };
    assert_eq!(BAD, missing(Miss::Status(404)));
    assert_eq!(CheckState::Bad(Code::Unavailable), missing(Miss::Status(503)));
    assert_eq!(CheckState::Bad(Code::Unavailable), missing(Miss::Unreachable(HttpError::Timeout)));
}

#[test]
fn a_redirect_is_bad_if_nothing_can_listen_there_and_a_warning_if_it_is_shared_or_breaks_a_habit() {
    let own = "redirect_uri = \"http://127.0.0.1:0/callback/work\"";
    let judged = |lines: &str, others: &str, taken| {
        let catalog = catalog(&(table("work", lines) + others));
        let work = catalog.get("work").expect("work");
        redirect(work, &catalog.sharing(work), taken)
    };
    let other = table("other", "");
    assert_eq!(CheckState::Good, judged(own, &other, None).state);
    let shared = judged("", &other, None);
    assert_eq!(CheckState::Warning, shared.state);
    assert!(shared.message.contains("shared with other at another server"), "{shared:?}");
    assert!(remedy(&shared).contains("redirect_uri = \"http://127.0.0.1:0/callback/work\""), "{shared:?}");
    assert_eq!(CheckState::Good, judged("shared_redirect = true", &other, None).state, "the user accepts it");

    let odd = judged("redirect_uri = \"http://127.0.0.1:0/odd\"", "", None);
    assert_eq!((CheckState::Warning, "loopin redirect check http://127.0.0.1:0/odd"), (odd.state, remedy(&odd)));

    let taken = Taken { host: LoopbackHost::V4, port: 8080, why: ErrorKind::AddrInUse };
    let check = judged(own, "", Some(taken));
    assert_eq!(BAD, check.state);
    assert!(check.message.contains("8080") && check.remedy.is_some(), "{check:?}");
}

#[test]
fn a_proxy_is_shown_with_its_variable_and_the_servers_that_it_is_for() {
    let through = |url: &str| Ok(Route::Proxy { variable: "HTTPS_PROXY", url: url.into() });
    let lines = |routes: &[(&str, Result<Route, HttpError>)]| {
        let routes: Vec<_> = routes.iter().map(|(host, route)| ((*host).to_owned(), route.clone())).collect();
        proxy(&routes).into_iter().map(|check| (check.state, check.message)).collect::<Vec<_>>()
    };
    let good = |text: &str| (CheckState::Good, text.to_owned());
    assert_eq!(vec![good("no proxy")], lines(&[("a.example", Ok(Route::Direct))]));
    assert_eq!(
        vec![good("http://p:1 (HTTPS_PROXY) for a.example"), good("no proxy for b.example")],
        lines(&[("a.example", through("http://p:1")), ("b.example", Ok(Route::Direct))])
    );
    let broken = HttpError::Proxy { variable: "HTTPS_PROXY", why: "it is not a URL" };
    let judged = lines(&[("a.example", Err(broken.clone())), ("b.example", Err(broken))]);
    assert_eq!((1, BAD), (judged.len(), judged[0].0), "one variable, one line");
}

#[test]
fn what_is_left_of_earlier_runs_has_a_command_for_each() {
    use crate::{
        grants::GrantId,
        vault::{AccountName, ActionKey},
    };
    assert_eq!(vec![CheckState::Good], leftovers(&[], &[], &[]).iter().map(|it| it.state).collect::<Vec<_>>());
    let grant = |name: &str, state| GrantStatus {
        grant: GrantId {
            integration: IntegrationName::parse(name).expect("name"),
            account: AccountName::default(),
            action: ActionKey::All,
        },
        store: "file".into(),
        state,
    };
    let grants = [
        grant("gone", GrantState::Gone),
        grant("removed", GrantState::Unknown(Unknown::NotConfigured)),
        grant("never", GrantState::None),
        grant("closed", GrantState::Unknown(Unknown::Store(StoreError::Locked))),
    ];
    let found = leftovers(&grants, &["/s/a.journal".into()], &["/s/b.item.damaged".into()]);
    assert!(found.iter().all(|check| check.state == CheckState::Warning));
    assert_eq!(
        ["loopin login gone", "loopin logout removed", "rm '/s/a.journal'", "rm '/s/b.item.damaged'"],
        found.iter().map(remedy).collect::<Vec<_>>()[..]
    );
}

#[test]
fn a_bug_report_does_not_name_the_home_directory() {
    let check = || Check::good("a", "1 integration in /home/ada/x").remedy("rm /home/ada/y".to_owned());
    let cut = without_home(check(), "/home/ada");
    assert_eq!(("1 integration in ~/x", "rm ~/y"), (cut.message.as_str(), remedy(&cut)));
    assert_eq!("1 integration in /home/ada/x", without_home(check(), "/").message, "no directory of a user");
}
