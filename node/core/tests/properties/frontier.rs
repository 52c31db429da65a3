//! [`Frontier`]: a lattice under `merge` and `meet`, ordered by `covers`.

use std::cmp::Ordering;

use node_core::{Frontier, Origin};
use proptest::{collection::vec, prelude::*};

pub(crate) fn origins() -> impl Strategy<Value = Origin> {
    (0u64..4, 1u32..3).prop_map(|(uuid, epoch)| Origin { uuid, epoch })
}

/// Few origins and small numbers, so that two of them often meet.
pub(crate) fn frontiers() -> impl Strategy<Value = Frontier> {
    vec((origins(), 0u64..5), 0..6).prop_map(|entries| entries.into_iter().collect())
}

fn join(one: &Frontier, other: &Frontier) -> Frontier {
    let mut join = one.clone();
    join.merge(other);
    join
}

proptest! {
    #[test]
    fn merge_must_be_a_least_upper_bound(a in frontiers(), b in frontiers(), c in frontiers()) {
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &a), a.clone());
        prop_assert!(join(&a, &b).covers(&a) && join(&a, &b).covers(&b));
        if c.covers(&a) && c.covers(&b) {
            prop_assert!(c.covers(&join(&a, &b)));
        }
    }

    #[test]
    fn meet_must_be_a_greatest_lower_bound(a in frontiers(), b in frontiers(), c in frontiers()) {
        prop_assert_eq!(a.meet(&b), b.meet(&a));
        prop_assert_eq!(a.meet(&b).meet(&c), a.meet(&b.meet(&c)));
        prop_assert_eq!(a.meet(&a), a.clone());
        prop_assert!(a.covers(&a.meet(&b)) && b.covers(&a.meet(&b)));
        if a.covers(&c) && b.covers(&c) {
            prop_assert!(a.meet(&b).covers(&c));
        }
    }

    #[test]
    fn merge_and_meet_must_absorb_each_other(a in frontiers(), b in frontiers()) {
        prop_assert_eq!(a.meet(&join(&a, &b)), a.clone());
        prop_assert_eq!(join(&a, &a.meet(&b)), a);
    }

    #[test]
    fn the_order_must_agree_with_covers(a in frontiers(), b in frontiers()) {
        prop_assert_eq!(a >= b, a.covers(&b));
        prop_assert_eq!(a.partial_cmp(&b) == Some(Ordering::Equal), a == b);
        prop_assert_eq!(a.partial_cmp(&b), b.partial_cmp(&a).map(Ordering::reverse));
    }

    #[test]
    fn raise_must_never_lower(mut a in frontiers(), origin in origins(), seq in 0u64..5) {
        let before = a.clone();
        a.raise(origin, seq);
        prop_assert!(a.covers(&before));
        prop_assert_eq!(a.get(origin), seq.max(before.get(origin)));
    }

    #[test]
    fn an_origin_at_zero_must_not_be_stored(origin in origins()) {
        let mut nothing = Frontier::new();
        nothing.raise(origin, 0);
        prop_assert!(nothing.is_empty());
        prop_assert_eq!(nothing.len(), 0);
        prop_assert_eq!(nothing, Frontier::new());
    }
}
