use super::*;
use crate::{
    catalog::IntegrationName,
    vault::{AccountName, ActionKey, Namespace, OrgKey, Owner, seal::NONCE_BYTES},
};

const ROW: [u8; 16] = [5; 16];

fn id(name: &str) -> KeyId {
    KeyId::parse(name).expect("key id")
}

fn ring(current: &str, keys: &[(&str, u8)]) -> KeyRing {
    let keys = keys.iter().map(|(name, byte)| (id(name), SealKey::new([*byte; 32]))).collect();
    KeyRing::new(id(current), keys).expect("ring")
}

fn key(user: &str, org: &str, integration: &str, action: ActionKey) -> GrantKey {
    GrantKey {
        owner: Owner {
            namespace: Namespace::default(),
            user: AccountName::parse(user).expect("user"),
            org: OrgKey::parse(org).expect("org"),
        },
        integration: IntegrationName::parse(integration).expect("name"),
        action,
    }
}

fn one(action: &str) -> ActionKey {
    ActionKey::parse(action).expect("name")
}

fn place(key: &GrantKey) -> Place<'_> {
    Place { column: Column::ConnectionAccess, id: &ROW, key, generation: 3 }
}

fn sealed(ring: &KeyRing, key: &GrantKey) -> Sealed {
    ring.seal(&place(key), Nonce([9; NONCE_BYTES]), &Secret::new("canary".into()))
}

#[test]
fn v21_a_cell_opens_in_its_place_alone() {
    let ring = ring("k1", &[("k1", 1)]);
    let home = key("ada", "acme", "work", ActionKey::All);
    let cell = sealed(&ring, &home);
    assert!(ring.open(&place(&home), &cell).is_ok_and(|secret| secret.matches("canary")));
    let others = [
        key("eve", "acme", "work", ActionKey::All),
        key("ada", "evil", "work", ActionKey::All),
        key("ada", "acme", "home", ActionKey::All),
        key("ada", "acme", "work", one("read")),
        // The same letters, divided otherwise.
        key("adaa", "cme", "work", ActionKey::All),
    ];
    for other in &others {
        assert_eq!(Some(Unopened::Foreign), ring.open(&place(other), &cell).err(), "{other:?}");
    }
    let at = place(&home);
    let elsewhere = [
        Place { column: Column::ConnectionRefresh, ..at },
        Place { column: Column::FlowContent, ..at },
        Place { generation: 2, ..at },
        Place { generation: 4, ..at },
        Place { id: &[6; 16], ..at },
    ];
    for other in &elsewhere {
        assert_eq!(Some(Unopened::Foreign), ring.open(other, &cell).err(), "{other:?}");
    }
}

#[test]
fn v21_a_cell_belongs_to_the_name_of_its_key_too() {
    let home = key("ada", "acme", "work", ActionKey::All);
    // One key under two names, so that nothing else tells them apart.
    let ring = ring("k1", &[("k1", 1), ("k2", 1)]);
    let mut renamed = sealed(&ring, &home).bytes().to_vec();
    let name = renamed.windows(2).position(|part| part == b"k1").expect("the name of the key");
    renamed[name + 1] = b'2';
    let renamed = Sealed::from_stored(renamed);
    assert_eq!(Some(id("k2")), renamed.key());
    assert_eq!(Some(Unopened::Foreign), ring.open(&place(&home), &renamed).err());
}

#[test]
fn v21_no_bit_of_a_cell_can_be_altered() {
    let ring = ring("k1", &[("k1", 1), ("k2", 2)]);
    let home = key("ada", "acme", "work", ActionKey::All);
    let cell = sealed(&ring, &home);
    for at in 0..cell.bytes().len() * 8 {
        let mut bytes = cell.bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        assert!(ring.open(&place(&home), &Sealed::from_stored(bytes)).is_err(), "bit {at}");
    }
    for length in 0..cell.bytes().len() {
        let cut = Sealed::from_stored(cell.bytes()[..length].to_vec());
        assert!(ring.open(&place(&home), &cut).is_err(), "cut at {length}");
    }
}

#[test]
fn v22_old_cells_open_with_their_key_and_new_ones_are_sealed_with_the_current_one() {
    let home = key("ada", "acme", "work", ActionKey::All);
    let old = sealed(&ring("k1", &[("k1", 1)]), &home);
    let both = ring("k2", &[("k1", 1), ("k2", 2)]);
    assert!(both.open(&place(&home), &old).is_ok());
    assert_eq!(Some(id("k2")), sealed(&both, &home).key());
    let without = ring("k2", &[("k2", 2)]);
    assert_eq!(Some(Unopened::UnknownKey(id("k1"))), without.open(&place(&home), &old).err());
}

#[test]
fn v23_another_key_under_the_same_name_is_noticed() {
    let ours = ring("k1", &[("k1", 1)]);
    let proof = ours.proof(&id("k1"), Nonce([3; NONCE_BYTES]));
    assert!(ours.proves(&id("k1"), &proof));
    assert!(!ring("k1", &[("k1", 2)]).proves(&id("k1"), &proof), "another key");
    let renamed = ring("k2", &[("k2", 1)]);
    assert!(!renamed.proves(&id("k2"), &proof), "the proof of another name");
}

#[test]
fn the_name_of_a_key_is_short_and_plain() {
    for bad in ["", "K1", "k 1", "k\n", "é", &"k".repeat(33)] {
        assert_eq!(None, KeyId::parse(bad), "{bad:?}");
    }
    assert!(KeyRing::new(id("k1"), BTreeMap::new()).is_none(), "the current key must be there");
}
