//! [`Token`]: canonical, checksummed, and a join of what was observed.

use node_core::{Dot, Frontier, Hlc, SlotId, TOKEN_LENGTH_MAX, Token, TokenError, TokenKey};
use proptest::{collection::vec, prelude::*};

use crate::frontier::origins;

fn dots() -> impl Strategy<Value = Vec<Dot>> {
    vec((0u8..8, origins(), 1u64..300).prop_map(|(slot, origin, seq)| Dot { slot: SlotId(slot), origin, seq }), 0..12)
}

fn observing(dots: &[Dot], clock: u64) -> Token {
    let mut token = Token::default();
    for dot in dots {
        token.observe(*dot);
    }
    token.clock = Hlc(clock);
    token
}

fn tokens() -> impl Strategy<Value = Token> {
    (dots(), 0u64..1 << 50, any::<bool>()).prop_map(|(dots, clock, pruned)| {
        let mut token = observing(&dots, clock);
        token.pruned = pruned;
        token
    })
}

fn frontiers_of(token: &Token) -> Vec<(SlotId, Frontier)> {
    token.slots().map(|(slot, frontier)| (slot, frontier.clone())).collect()
}

proptest! {
    #[test]
    fn decoding_must_give_back_what_was_encoded(token in tokens(), secret in proptest::option::of("[a-z]{1,8}")) {
        let key = TokenKey::new(secret.as_deref());
        let text = token.encode(&key);
        prop_assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(Token::decode(&text, &key), Ok(token));
    }

    #[test]
    fn equal_observations_must_give_equal_bytes(dots in dots(), clock in 0u64..1 << 50) {
        let key = TokenKey::new(None);
        let reversed: Vec<Dot> = dots.iter().rev().copied().collect();
        prop_assert_eq!(observing(&dots, clock).encode(&key), observing(&reversed, clock).encode(&key));
    }

    #[test]
    fn a_change_of_any_character_must_be_found(token in tokens(), position in any::<prop::sample::Index>(), with in "[A-Za-z0-9_-]") {
        let key = TokenKey::new(None);
        let mut text = token.encode(&key).into_bytes();
        let position = position.index(text.len());
        let with = with.as_bytes()[0];
        prop_assume!(text[position] != with);
        text[position] = with;
        let text = String::from_utf8(text).expect("ASCII");
        prop_assert!(Token::decode(&text, &key).is_err());
    }

    #[test]
    fn a_cut_token_must_be_found(token in tokens(), length in any::<prop::sample::Index>()) {
        let key = TokenKey::new(None);
        let text = token.encode(&key);
        let cut = &text[..length.index(text.len())];
        prop_assert!(cut.is_empty() || Token::decode(cut, &key).is_err());
    }

    #[test]
    fn no_text_must_make_decoding_panic(text in ".{0,200}") {
        let _ = Token::decode(&text, &TokenKey::new(None));
    }

    #[test]
    fn a_token_of_another_secret_must_be_refused(token in tokens()) {
        let text = token.encode(&TokenKey::new(Some("one")));
        prop_assert_eq!(Token::decode(&text, &TokenKey::new(Some("other"))), Err(TokenError::Checksum));
    }

    #[test]
    fn merging_must_join_slot_by_slot(one in tokens(), other in tokens()) {
        let mut merged = one.clone();
        merged.merge(&other);
        let mut turned = other.clone();
        turned.merge(&one);
        prop_assert_eq!(&merged, &turned);
        prop_assert_eq!(merged.clock, one.clock.max(other.clock));
        prop_assert_eq!(merged.pruned, one.pruned || other.pruned);
        let empty = Frontier::new();
        for slot in SlotId::all() {
            let mut join = one.slot(slot).unwrap_or(&empty).clone();
            join.merge(other.slot(slot).unwrap_or(&empty));
            prop_assert_eq!(merged.slot(slot).unwrap_or(&empty), &join);
        }
    }

    #[test]
    fn pruning_must_say_so_exactly_when_something_is_dropped(token in tokens(), odd in any::<bool>()) {
        let mut pruned = token.clone();
        pruned.prune(|slot, _, seq| if odd && slot.0 % 2 == 1 { 0 } else { seq });
        let dropped = frontiers_of(&pruned) != frontiers_of(&token);
        prop_assert_eq!(pruned.pruned, token.pruned || dropped);
        prop_assert!(pruned.slots().all(|(slot, frontier)| !(odd && slot.0 % 2 == 1) && token.slot(slot) == Some(frontier)));
    }

    #[test]
    fn pruning_must_never_raise(token in tokens(), to in 0u64..400) {
        let mut pruned = token.clone();
        pruned.prune(|_, _, _| to);
        let empty = Frontier::new();
        prop_assert!(pruned.slots().all(|(slot, frontier)| token.slot(slot).unwrap_or(&empty).covers(frontier)));
    }
}

#[test]
fn the_empty_text_must_be_the_empty_token() {
    assert_eq!(Token::decode("", &TokenKey::new(None)), Ok(Token::default()));
}

#[test]
fn a_text_over_the_limit_must_be_refused() {
    let text = "A".repeat(TOKEN_LENGTH_MAX + 1);
    assert_eq!(Token::decode(&text, &TokenKey::new(None)), Err(TokenError::TooLong));
}
