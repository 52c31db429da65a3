//! [`Hlc`]: always above what was seen, never below the wall.

use node_core::Hlc;
use proptest::prelude::*;

/// 48 bits.
const WALL_MS_MAX: u64 = 1 << 40;

proptest! {
    #[test]
    fn the_next_reading_must_be_above_the_last_and_not_below_the_wall(wall_ms in 0..WALL_MS_MAX, counter in 0u64..0xffff, now_ms in 0..WALL_MS_MAX) {
        let last = Hlc(Hlc::from_wall_ms(wall_ms).0 + counter);
        let next = last.next(now_ms);
        prop_assert!(next > last);
        prop_assert!(next >= Hlc::from_wall_ms(now_ms));
        prop_assert!(next == Hlc::from_wall_ms(now_ms) || next.0 == last.0 + 1);
    }

    #[test]
    fn the_order_must_be_that_of_wall_clocks_where_these_differ(one in 0..WALL_MS_MAX, other in 0..WALL_MS_MAX, counter in 0u64..0xffff) {
        let reading = Hlc(Hlc::from_wall_ms(one).0 + counter);
        prop_assert_eq!(reading.wall_ms(), one);
        if one < other {
            prop_assert!(reading < Hlc::from_wall_ms(other));
        }
    }
}

#[test]
fn a_full_counter_must_go_on_in_the_next_millisecond() {
    let full = Hlc(Hlc::from_wall_ms(7).0 + 0xffff);
    assert_eq!(full.next(0), Hlc::from_wall_ms(8));
}
