//! [`Key`] and its slot: what a key is, and how the class's keys spread.

use node_core::{Key, KeyError, SLOTS};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_key_must_have_one_to_fifty_characters(text in "\\PC{0,60}") {
        let expected = match text.chars().count() {
            0 => Err(KeyError::Empty),
            1..=50 => Ok(()),
            _ => Err(KeyError::TooLong),
        };
        let key = Key::new(&text);
        prop_assert_eq!(key.as_ref().map(|_| ()).map_err(|error| *error), expected);
        if let Ok(key) = key {
            prop_assert_eq!(key.as_str(), text);
        }
    }

    #[test]
    fn a_key_that_a_node_sends_must_be_checked_as_one_of_a_client(text in "\\PC{0,60}") {
        let sent = postcard::to_stdvec(&text).expect("bytes");
        prop_assert_eq!(postcard::from_bytes::<Key>(&sent).ok(), Key::new(&text).ok());
    }
}

/// How many of `key0` … `key599` are in each of `count` contiguous ranges of slots.
fn spread(count: usize) -> Vec<usize> {
    let mut keys = vec![0; count];
    for number in 0..600 {
        let key = Key::new(&format!("key{number}")).expect("a key");
        keys[key.slot().index() * count / SLOTS] += 1;
    }
    keys
}

#[test]
fn six_hundred_keys_must_spread_evenly() {
    assert_eq!(spread(2), [307, 293]);
    assert_eq!(spread(3), [200, 196, 204]);
}
