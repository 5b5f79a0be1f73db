//! S01 and S05: stores that lie, records that are larger than an item, crashes at every step.

use super::*;

#[test]
fn s05_a_record_of_any_size_fits_into_a_store_of_small_items() {
    let overhead = record(1, String::new()).serialize().expose().len();
    let largest = WINDOWS - overhead;
    for (bytes, spilled) in [
        (1, 0),
        (1000, 0),
        (largest - 1, 0),
        (largest, 0),
        (largest + 1, 1),
        (2559, 1),
        (2560, 1),
        (2561, 1),
        (4096, 1),
        (16 * 1024, 1),
        (64 * 1024, 1),
    ] {
        let world = World::new(WINDOWS);
        let record = record(1, token(bytes));
        write(&world.vault(), &record).expect("written");
        assert_same(&record, world.vault().read(&key()).expect("read"));
        assert_eq!(spilled, spills(&world), "{bytes} bytes");
    }
}

#[test]
fn s05_no_file_shows_anything_of_what_it_keeps() {
    for bytes in [40, 5000] {
        let world = World::new(WINDOWS);
        write(&world.vault(), &record(1, token(bytes))).expect("written");
        let files = contents(&world);
        assert!(!files.is_empty());
        for (name, content) in files {
            assert!(!content.windows(6).any(|w| w == b"canary") && !name.contains("canary"), "{name}");
            assert!(!content.windows(8).any(|w| w == b"BwcHBwcH"), "the seal key is in {name}");
        }
    }
}

#[test]
fn s05_the_old_file_goes_after_the_new_item_is_there_and_the_index_comes_last() {
    let world = World::new(WINDOWS);
    write(&world.vault(), &record(1, token(5000))).expect("written");
    assert_eq!(["write spill", "write item", "write index"], *world.changes());
    world.forget_calls();
    write(&world.vault(), &record(2, token(6000))).expect("written");
    assert_eq!(["write spill", "write item", "remove spill", "write index"], *world.changes());
    assert_eq!(1, spills(&world));
    world.forget_calls();
    write(&world.vault(), &record(3, token(40))).expect("written");
    assert_eq!(["write item", "remove spill", "write index"], *world.changes());
    assert_eq!(0, spills(&world));
    world.forget_calls();
    write(&world.vault(), &record(4, token(5000))).expect("written");
    world.forget_calls();
    world.vault().delete(&key()).expect("deleted");
    assert_eq!(["delete item", "remove spill", "remove journal", "remove index"], *world.changes());
}

#[test]
fn s05_a_crash_at_any_step_leaves_the_old_record_or_the_new_one() {
    let sizes = [None, Some(40), Some(5000)];
    for (before, after, death) in sizes
        .into_iter()
        .flat_map(|before| [40, 5000].map(|after| (before, after)))
        .flat_map(|(before, after)| [Death::BeforeTheCall, Death::AfterTheCall].map(|death| (before, after, death)))
    {
        let (old, new) = (before.map(|bytes| record(1, token(bytes))), record(2, token(after + 1)));
        for step in 0.. {
            assert!(step < 50, "a write ends");
            let world = World::new(WINDOWS);
            if let Some(old) = &old {
                write(&world.vault(), old).expect("written");
            }
            world.forget_calls();
            world.dies_at.set(Some((step, death)));
            let result = write(&world.vault(), &new);
            let survived = world.calls.borrow().len() <= step;
            world.dies_at.set(None);
            let found =
                world.vault().read(&key()).unwrap_or_else(|why| panic!("{before:?} {after} {death:?} {step}: {why}"));
            assert_eq!(survived, result.is_ok(), "{before:?} {after} {death:?} {step}");
            match (&old, found) {
                (Some(_), Some(found)) if found.generation == 2 => assert_same(&new, Some(found)),
                (None, Some(found)) => assert_same(&Record { generation: 1, ..new.clone() }, Some(found)),
                (Some(old), found) if !survived => assert_same(old, found),
                (None, None) if !survived => {}
                (_, found) => panic!("{before:?} {after} {death:?} {step}: {found:?}"),
            }
            let next = record(3, token(5000));
            write(&world.vault(), &next).expect("the next write goes through");
            let found = world.vault().read(&key()).expect("read");
            let generation = found.as_ref().map_or(0, |f| f.generation);
            assert_same(&Record { generation, ..next }, found);
            if survived {
                break;
            }
        }
    }
}

#[test]
fn s05_a_file_of_another_generation_key_or_place_is_never_taken_for_the_record() {
    let store = |generation: u64, seal_key: u8, bytes: usize| {
        let world = World::new(WINDOWS);
        let record = Record { seal_key: SealKey::new([seal_key; 32]), ..record(generation, token(bytes)) };
        write(&world.vault(), &record).expect("written");
        world
    };
    let file = |world: &World| world.files.list(".grant").expect("list").remove(0);
    let damaged = StoreError::Damaged { kept_as: None };
    let world = store(1, 7, 5000);
    let name = file(&world);
    let sealed = |world: World| world.files.read(&file(&world)).expect("read").expect("content");
    let good = world.files.read(&name).expect("read").expect("content");
    for (what, content) in [
        ("another generation", sealed(store(2, 7, 5000))),
        ("another key", sealed(store(1, 8, 5000))),
        ("another writer", sealed(store(1, 7, 6000))),
        ("cut", good[..good.len() - 1].to_vec()),
        ("empty", Vec::new()),
        ("one bit", good.iter().enumerate().map(|(at, byte)| if at == 99 { byte ^ 1 } else { *byte }).collect()),
    ] {
        world.files.replace(&name, &content).expect("replaced");
        assert_eq!(damaged, world.vault().read(&key()).expect_err(what), "{what}");
    }
    world.files.remove(&name).expect("removed");
    assert_eq!(damaged, world.vault().read(&key()).expect_err("no file"));
}

#[test]
fn s01_a_store_that_does_not_keep_what_it_took_is_found_out() {
    for lie in [Lie::KeepsWhatItHad, Lie::LosesWhatItHad, Lie::CutsTheEnd, Lie::ChangesOneByte] {
        for before in [None, Some(40), Some(5000)] {
            for after in [41, 5001] {
                let (liar, files) =
                    (Liar { items: MemoryItems::default(), lie: Cell::new(Lie::None) }, MemoryFiles::default());
                let vault = Vault { items: &liar, files: &files };
                if let Some(bytes) = before {
                    write(&vault, &record(1, token(bytes))).expect("written");
                }
                let index = files.list(IndexEntry::SUFFIX).expect("list");
                let had = liar.items.read(&key().item()).expect("item");
                liar.lie.set(lie);
                assert_eq!(
                    Err(StoreError::Unfaithful),
                    write(&vault, &record(2, token(after))),
                    "{lie:?} {before:?} {after}"
                );
                assert_eq!(
                    index,
                    files.list(IndexEntry::SUFFIX).expect("list"),
                    "no index entry for what is not there"
                );
                let has = liar.items.read(&key().item()).expect("item");
                assert!(has.is_none() || super::same(has.as_ref(), had.as_ref()), "{lie:?}: the old grant or none");
            }
        }
    }
}

/// Another writer comes between a reader's look at the item and its look at the file.
struct Overtaken<'a> {
    world: &'a World,
    writes: Cell<usize>,
}

impl StateFiles for Overtaken<'_> {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(left) = self.writes.get().checked_sub(1) {
            self.writes.set(left);
            write(&self.world.vault(), &record(2, token(5000 + left))).expect("written");
        }
        self.world.files.read(name)
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        self.world.files.replace(name, content)
    }

    fn overwrite(&self, name: &str, at: usize, content: &[u8]) -> Result<(), StoreError> {
        self.world.files.overwrite(name, at, content)
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.world.files.remove(name)
    }

    fn list(&self, suffix: &str) -> Result<Vec<String>, StoreError> {
        self.world.files.list(suffix)
    }
}

#[test]
fn s06_a_reader_whom_writers_overtake_reads_what_the_last_of_them_wrote() {
    for writes in 1..=4 {
        let world = World::new(WINDOWS);
        write(&world.vault(), &record(1, token(6000))).expect("written");
        let files = Overtaken { world: &world, writes: Cell::new(writes) };
        let reader = Vault { items: &world, files: &files };
        let found = reader.read(&key()).unwrap_or_else(|why| panic!("after {writes} writes: {why}"));
        assert_same(&Record { generation: 1 + writes as u64, ..record(2, token(5000)) }, found);
    }
}
