//! V31: how often is too often, and that remembering it costs a bounded amount of memory.

use std::net::Ipv6Addr;

use super::*;

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
    let limits = Limits::default();
    let until_refused = |ask: &dyn Fn() -> Result<(), Exceeded>| (0..1_000).take_while(|_| ask().is_ok()).count();
    let address = "192.0.2.1".parse().expect("address");
    assert_eq!(10, until_refused(&|| limits.authorize("ann", at(0))));
    assert_eq!(60, until_refused(&|| limits.callback(address, at(0))));
    assert_eq!(100, until_refused(&|| limits.token("billing", at(0))));
    assert_eq!(1, until_refused(&|| limits.forced_refresh("c1", at(0))));
    assert_eq!(Some(30), limits.forced_refresh("c1", at(0)).err().map(Exceeded::retry_after));
    assert_eq!(Ok(()), limits.forced_refresh("c2", at(0)));
}

#[test]
fn v31_an_address_stands_for_the_network_that_one_subscriber_has() {
    let v6 = |text: &str| IpAddr::V6(text.parse::<Ipv6Addr>().expect(text));
    assert_eq!(network(v6("2606:4700:1:2:3:4:5:6")), network(v6("2606:4700:1:2::")));
    assert_ne!(network(v6("2606:4700:1:2::")), network(v6("2606:4700:1:3::")));
    assert_eq!(network(v6("::ffff:192.0.2.1")), network("192.0.2.1".parse().expect("address")));
    assert_ne!(network("192.0.2.2".parse().expect("address")), network("192.0.2.1".parse().expect("address")));
}
