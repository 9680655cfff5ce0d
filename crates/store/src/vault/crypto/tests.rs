//! Known answers and damage: what a sealed value is, byte for byte, and what it does not survive.

use super::*;

/// SHA-256 of the bytes 0x20 to 0x3f and the text.
const COMMITMENT: &str = "e259e4612e37d393d5b8d6cd0331d8d5b1709d4a4be6d3b7bc6fa747c04ccecb";
/// Nonce 0x40 to 0x4b; key 0x00 to 0x1f.
const SEALED: &str = "404142434445464748494a4bc2988c000219a124e5ed3d1db7493d7449f7606f83003914\
    4f7e74deab2ed3e47db9424b4a093af08b1d88e1bc7e317483ed9411d137c7825104c9e6";
const INDEX: &str = "e498ff32077436906ef1a4c9f5eb4146889c963aef5fb07ddc38caed64f521f4";
const REQUEST: &str = "5f295b7b77096ccc37a7434d08155b9994f4be1dd5c1a47974dfcfa3712ca510";

/// Gives 0, 1, 2 … so that every answer is known.
struct Counting(std::sync::Mutex<u8>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let mut next = self.0.lock().unwrap();
        for byte in bytes {
            *byte = *next;
            *next = next.wrapping_add(1);
        }
    }
}

fn counting() -> Counting {
    Counting(std::sync::Mutex::new(0))
}

fn member() -> KeyName {
    KeyName::new("member:1", "contact").unwrap()
}

fn sealed() -> (Secret, SealedText) {
    let entropy = counting();
    let secret = Secret::random(&entropy);
    let sealed = seal(&secret, &member(), "name", "山田太郎", &entropy).unwrap();
    (secret, sealed)
}

#[test]
fn a_commitment_is_the_sha_256_of_salt_and_text() {
    // Computed apart with another implementation of SHA-256.
    let (_, sealed) = sealed();
    assert_eq!(sealed.commitment, COMMITMENT);
}

#[test]
fn a_sealed_value_is_nonce_then_aes_256_gcm_of_salt_and_text() {
    // Computed apart with another implementation of AES-256-GCM.
    let (_, sealed) = sealed();
    assert_eq!(hex::encode(STANDARD.decode(&sealed.sealed).unwrap()), SEALED);
    assert_eq!(sealed.key, "member:1/contact");
}

#[test]
fn the_index_is_hmac_sha_256_of_its_parts_with_their_lengths() {
    // Computed apart with another implementation of HMAC-SHA-256.
    let keyed = KeyedHash::new(Secret::random(&counting()));
    assert_eq!(keyed.index("email", "a@example.jp").unwrap(), INDEX);
    assert_eq!(keyed.request(b"a@example.jp"), REQUEST);
}

#[test]
fn what_was_sealed_opens_again() {
    let (secret, sealed) = sealed();
    let opened = open(&secret, &member(), "name", &sealed).unwrap();
    assert_eq!(opened, Opened::Text(Zeroizing::new("山田太郎".into())));
}

#[test]
fn a_change_of_any_one_bit_is_found() {
    let (secret, sealed) = sealed();
    let bytes = STANDARD.decode(&sealed.sealed).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = SealedText { sealed: STANDARD.encode(changed), ..sealed.clone() };
        let opened = open(&secret, &member(), "name", &changed);
        assert!(matches!(opened, Err(VaultError::Tampered { .. })), "bit {bit}");
    }
}

#[test]
fn a_value_cut_short_or_not_base64_is_found() {
    let (secret, sealed) = sealed();
    for text in ["", "AAAA", "???", &sealed.sealed[..32]] {
        let cut = SealedText { sealed: text.into(), ..sealed.clone() };
        let opened = open(&secret, &member(), "name", &cut);
        assert!(matches!(opened, Err(VaultError::Tampered { .. })), "{text}");
    }
}

#[test]
fn a_value_does_not_open_for_another_person_class_or_field() {
    let (secret, sealed) = sealed();
    let wrong = [
        (KeyName::new("member:2", "contact").unwrap(), "name"),
        (KeyName::new("member:1", "billing").unwrap(), "name"),
        (KeyName::new("member:1/contact", "name").unwrap(), "name"),
        (member(), "phone"),
    ];
    for (name, field) in wrong {
        let opened = open(&secret, &name, field, &sealed);
        assert!(matches!(opened, Err(VaultError::Tampered { .. })), "{name:?} {field}");
    }
}

#[test]
fn a_value_with_the_commitment_of_another_is_found() {
    let (secret, sealed) = sealed();
    let swapped = SealedText { commitment: "00".repeat(32), ..sealed };
    let opened = open(&secret, &member(), "name", &swapped);
    assert!(matches!(opened, Err(VaultError::CommitmentBroken { .. })));
}

#[test]
fn the_same_text_sealed_twice_shows_nothing_in_common() {
    let entropy = counting();
    let secret = Secret::random(&entropy);
    let one = seal(&secret, &member(), "name", "same", &entropy).unwrap();
    let two = seal(&secret, &member(), "name", "same", &entropy).unwrap();
    assert_ne!(one.commitment, two.commitment);
    assert_ne!(one.sealed, two.sealed);
}

#[test]
fn the_index_tells_domains_apart_and_no_part_runs_over_into_the_next() {
    let keyed = KeyedHash::new(Secret::random(&counting()));
    assert_ne!(keyed.index("a", "bc").unwrap(), keyed.index("ab", "c").unwrap());
    assert_ne!(keyed.index("email", "x").unwrap(), keyed.index("phone", "x").unwrap());
    let other = KeyedHash::new(Secret::random(&Counting(std::sync::Mutex::new(1))));
    assert_ne!(keyed.index("email", "x").unwrap(), other.index("email", "x").unwrap());
}

#[test]
fn names_that_could_be_mistaken_for_others_are_refused() {
    for (person, class) in [("", "contact"), ("member:1", ""), ("member:1", "a/b")] {
        assert!(matches!(KeyName::new(person, class), Err(VaultError::Refused(_))));
    }
    assert!(matches!(KeyName::parse("member:1"), Err(VaultError::Refused(_))));
    assert!(KeyName::new(&"m".repeat(VAULT_NAME_BYTES_MAX + 1), "contact").is_err());
}

#[test]
fn a_text_beyond_the_limit_is_refused_and_one_at_the_limit_opens_again() {
    let subject = Subject { person: "member:1", class: "contact", field: "note" };
    let largest = "x".repeat(PLAIN_BYTES_MAX);
    assert!(check_sealing(subject, &(largest.clone() + "x")).is_err());
    let entropy = counting();
    let secret = Secret::random(&entropy);
    let name = check_sealing(subject, &largest).unwrap();
    let sealed = seal(&secret, &name, "note", &largest, &entropy).unwrap();
    assert!(matches!(open(&secret, &name, "note", &sealed), Ok(Opened::Text(_))));
}
