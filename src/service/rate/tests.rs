//! V31: how often is too often, and that remembering it costs a bounded amount of memory.

use std::net::Ipv6Addr;

use super::*;
use crate::{
    catalog::IntegrationName,
    vault::{AccountName, ActionKey, Namespace, OrgKey},
};

fn at(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_millis(millis)
}

fn ten_a_minute() -> Buckets {
    Buckets::new(Rate { burst: 10, period: Duration::from_secs(60) })
}

fn taken(buckets: &mut Buckets, key: &str, times: usize, now: SystemTime) -> usize {
    (0..times).filter(|_| buckets.take(&key, now).is_ok()).count()
}

#[test]
fn v31_a_full_bucket_gives_its_number_and_then_fills_evenly() {
    let mut buckets = ten_a_minute();
    assert_eq!(10, taken(&mut buckets, "ann", 1_000, at(0)));
    assert_eq!(Some(6), buckets.take(&"ann", at(0)).err().map(Exceeded::retry_after));
    assert_eq!(Some(1), buckets.take(&"ann", at(5_999)).err().map(Exceeded::retry_after));
    assert_eq!(1, taken(&mut buckets, "ann", 5, at(6_000)), "one every six seconds");
    assert_eq!(2, taken(&mut buckets, "ann", 5, at(18_000)));
    assert_eq!(10, taken(&mut buckets, "ann", 1_000, at(600_000)), "and never more than ten at once");
}

#[test]
fn v31_one_key_takes_nothing_from_another() {
    let mut buckets = ten_a_minute();
    taken(&mut buckets, "ann", 1_000, at(0));
    assert_eq!(10, taken(&mut buckets, "bob", 1_000, at(0)));
}

#[test]
fn v31_in_an_hour_no_pattern_of_asking_gets_more_than_the_rate() {
    for step in [1, 7, 100, 999, 5_999, 6_000, 6_001] {
        let mut buckets = ten_a_minute();
        let got = (0..3_600_000 / step).filter(|i| buckets.take(&"ann", at(i * step)).is_ok()).count();
        assert!(got <= 10 + 600, "{got} with {step} ms between");
    }
}

#[test]
fn v31_a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_period() {
    let mut buckets = ten_a_minute();
    taken(&mut buckets, "ann", 10, at(86_400_000));
    assert!(buckets.take(&"ann", at(0)).is_err_and(|exceeded| exceeded.retry_after() <= 60));
    assert_eq!(Ok(()), buckets.take(&"ann", at(60_000)));
}

#[test]
fn v31_a_hundred_thousand_keys_are_not_remembered_but_the_busy_ones_are() {
    let mut buckets = Buckets::remembering(Rate { burst: 2, period: Duration::from_secs(60) }, 1_000);
    let mut got = 0;
    for stranger in 0..100_000_u32 {
        assert_eq!(Ok(()), buckets.take(&stranger, at(0)));
        if stranger % 100 == 0 {
            got += usize::from(buckets.take(&"busy", at(0)).is_ok());
        }
        assert!(buckets.recent.len() + buckets.before.len() <= 1_001);
    }
    assert_eq!(2, got, "a flood of strangers does not refill a bucket that is in use");
}

#[test]
fn v31_each_question_has_its_own_limit() {
    let limits = Limits::new(&Rates::default());
    let address = "192.0.2.1".parse().expect("address");
    let (ann, bob) = (key("", "ann", "acme"), key("", "bob", "acme"));
    assert_eq!(10, until_refused(&|| limits.start(&ann.owner, at(0))));
    assert_eq!(60, until_refused(&|| limits.failed_callback(address, at(0))));
    assert_eq!(1000, until_refused(&|| limits.token_read(&ann, at(0))));
    assert_eq!(100, until_refused(&|| limits.request(&ann.owner, at(0))));
    assert_eq!(1, until_refused(&|| limits.forced_refresh(&ann, at(0))));
    assert_eq!(Some(30), limits.forced_refresh(&ann, at(0)).err().map(Exceeded::retry_after));
    assert_eq!(Ok(()), limits.forced_refresh(&bob, at(0)));
}

fn until_refused(ask: &dyn Fn() -> Result<(), Exceeded>) -> usize {
    (0..10_000).take_while(|_| ask().is_ok()).count()
}

fn key(namespace: &str, user: &str, org: &str) -> GrantKey {
    GrantKey {
        owner: Owner {
            namespace: Namespace::parse(namespace).expect("namespace"),
            user: AccountName::parse(user).expect("user"),
            org: OrgKey::parse(org).expect("org"),
        },
        integration: IntegrationName::parse("wiki").expect("name"),
        action: ActionKey::All,
    }
}

#[test]
fn h07_the_same_user_name_of_another_issuer_or_organization_has_limits_of_its_own() {
    let limits = Limits::new(&Rates::default());
    for (namespace, user, org) in
        [("", "ann", "acme"), ("", "ann", "globex"), ("b", "ann", "acme"), ("", "bob", "acme")]
    {
        let key = key(namespace, user, org);
        assert_eq!(10, until_refused(&|| limits.start(&key.owner, at(0))), "{key:?}");
        assert_eq!(1000, until_refused(&|| limits.token_read(&key, at(0))), "{key:?}");
    }
}

#[test]
fn h07_the_first_answer_to_a_flow_passes_whatever_came_from_the_address() {
    let limits = Limits::new(&Rates::default());
    let address = "192.0.2.1".parse().expect("address");
    until_refused(&|| limits.failed_callback(address, at(0)));
    for flow in 0..100 {
        assert_eq!(Ok(()), limits.answer(FlowId::new([flow; 16]), address, at(0)));
    }
    let replayed = FlowId::new([0; 16]);
    assert_eq!(59, until_refused(&|| limits.answer(replayed, address, at(0))), "the same answer again and again");
    assert_eq!(Ok(()), limits.answer(replayed, "192.0.2.2".parse().expect("address"), at(0)), "from its own browser");
}

#[test]
fn h07_every_limit_can_be_set_and_has_bounds() {
    let read = |text: &str| toml_edit::de::from_str::<Table>(text).expect("TOML").rates();
    assert_eq!(Ok(Rates::default()), read(""));
    let rate = |burst, seconds| Rate { burst, period: Duration::from_secs(seconds) };
    let text = "starts_per_minute = 1\nunfinished_flows = 2\nfailed_callbacks_per_minute = 3\n\
                token_reads_per_second = 4\nrequests_per_second = 5\nforced_refresh_s = 6\n";
    let set = Rates {
        starts: rate(1, 60),
        unfinished_flows: 2,
        failed_callbacks: rate(3, 60),
        token_reads: rate(4, 1),
        requests: rate(5, 1),
        forced_refreshes: rate(1, 6),
    };
    assert_eq!(Ok(set), read(text));
    let most = [100_000, 1000, 100_000, 100_000, 100_000, 3600];
    for (line, most) in text.lines().zip(most) {
        let name = line.split(' ').next().expect("a name");
        for good in [1, most] {
            assert!(read(&format!("{name} = {good}")).is_ok(), "{name} = {good}");
        }
        for bad in [0, most + 1] {
            let fault = read(&format!("{name} = {bad}")).expect_err(name).within(0..0, line);
            assert!(fault.what.starts_with(&format!("{name}: {bad} is out of bounds")), "{fault}");
            let remedy = format!("write a number from 1 to {most}, or remove the line for the default");
            assert_eq!(Some(remedy), fault.remedy, "{name}");
        }
    }
}

#[test]
fn v31_an_address_stands_for_the_network_that_one_subscriber_has() {
    let v6 = |text: &str| IpAddr::V6(text.parse::<Ipv6Addr>().expect(text));
    assert_eq!(network(v6("2606:4700:1:2:3:4:5:6")), network(v6("2606:4700:1:2::")));
    assert_ne!(network(v6("2606:4700:1:2::")), network(v6("2606:4700:1:3::")));
    assert_eq!(network(v6("::ffff:192.0.2.1")), network("192.0.2.1".parse().expect("address")));
    assert_ne!(network("192.0.2.2".parse().expect("address")), network("192.0.2.1".parse().expect("address")));
}
