//! docs/threats.md, S05: crash upon crash of one store of small items, and never a record that is mixed or cannot be read.
//! `LOOPIN_BAR=full` counts to 1,000 crashes, else to 100; `tests/it/overflow.rs` does it with processes and files.

use super::*;

/// Sizes of a token on both sides of the limit, so that records go from item to file and back.
const SIZES: [usize; 6] = [40, 5000, 1200, 20_000, 9000, 300];

/// A sequence of chance that is the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

fn crashes_wanted() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how long a bar is run is the caller's choice")]
    let full = std::env::var("LOOPIN_BAR").is_ok_and(|bar| bar == "full");
    if full { 1000 } else { 100 }
}

#[test]
fn s05_after_crash_upon_crash_the_store_holds_what_was_written_last_or_what_was_being_written() {
    let (world, mut dice) = (World::new(WINDOWS), Dice(5));
    let mut holds: Option<Record> = None;
    let (mut crashes, mut number, mut steps_hit) = (0, 0, [0; 16]);
    while crashes < crashes_wanted() {
        number += 1;
        let mut wanted = record(1, token(SIZES[dice.below(SIZES.len())]));
        wanted.grant.refresh_token = Some(Secret::new(format!("refresh-{number}")));
        let death = if dice.below(2) == 0 { Death::BeforeTheCall } else { Death::AfterTheCall };
        let step = dice.below(steps_hit.len());
        world.forget_calls();
        world.dies_at.set(Some((step, death)));
        let result = world.vault().write(&key(), &wanted, nonce(number as u64));
        let died = world.calls.borrow().len() > step;
        world.dies_at.set(None);
        let found = world.vault().read(&key()).unwrap_or_else(|why| panic!("write {number}, {death:?} {step}: {why}"));
        let is = |record: &Record| {
            let same = |found: &Record| {
                let record = Record { generation: found.generation, ..record.clone() };
                record.serialize().matches(found.serialize().expose())
            };
            found.as_ref().is_some_and(same)
        };
        match (died, &holds, &found) {
            (false, ..) => assert!(result.is_ok() && is(&wanted), "write {number}: {result:?}"),
            (true, None, None) => {}
            (true, before, _) => {
                assert!(is(&wanted) || before.as_ref().is_some_and(is), "write {number}, {death:?} {step}: {found:?}");
            }
        }
        if died {
            crashes += 1;
            steps_hit[step] += 1;
        } else {
            let in_file = found.as_ref().is_some_and(|record| record.serialize().expose().len() > WINDOWS);
            assert_eq!(usize::from(in_file), spills(&world.files), "what crashes left goes with the next write");
        }
        holds = found;
    }
    let reached = steps_hit.iter().take_while(|hits| **hits > 0).count();
    assert!(reached >= 7, "every step was hit: {steps_hit:?}");
}
