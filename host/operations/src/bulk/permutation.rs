//! A shuffled order that needs no memory.

/// Rounds of the network: four make its output look random.
const ROUNDS: usize = 4;

/// The numbers below a count in a shuffled order, each computed from its position: a list of them would need eight bytes for
/// each document of a client.
///
/// A Feistel network permutes the numbers below the next power of four; what falls beyond the count goes through it again
/// until it does not, which takes less than four times on average.
#[derive(Debug, Clone)]
pub struct Permutation {
    count: u64,
    /// Bits of half a number.
    half: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The order of the numbers below `count` that follows from `key`.
    pub fn new(count: u64, key: u64) -> Permutation {
        let bits = u64::BITS - count.saturating_sub(1).leading_zeros();
        let mut state = key;
        let keys = [(); ROUNDS].map(|()| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        });
        Permutation { count, half: bits.div_ceil(2).max(1), keys }
    }

    /// The number at `position`, both below the count. Beyond it, positions are numbers themselves.
    pub fn at(&self, position: u64) -> u64 {
        if position >= self.count {
            return position;
        }
        let mut number = self.network(position);
        // Ends: the network is one cycle or several, and the position itself lies on the cycle.
        while number >= self.count {
            number = self.network(number);
        }
        number
    }

    fn network(&self, number: u64) -> u64 {
        let mask = u64::MAX >> (u64::BITS - self.half);
        let (mut left, mut right) = (number >> self.half & mask, number & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half | right
    }
}

/// Spreads each bit over all others (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_number_comes_once(count in 0u64..3000, key: u64) {
            let order = Permutation::new(count, key);
            let mut numbers: Vec<u64> = (0..count).map(|position| order.at(position)).collect();
            numbers.sort_unstable();
            prop_assert_eq!(numbers, (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn numbers_of_large_counts_stay_below_them(count in 1u64.., key: u64, position: u64) {
            let order = Permutation::new(count, key);
            prop_assert!(order.at(position % count) < count);
        }
    }

    #[test]
    fn the_order_looks_random() {
        let count = 10_000;
        let order = Permutation::new(count, 42);
        let numbers: Vec<u64> = (0..count).map(|position| order.at(position)).collect();
        // Of a random order half of the steps lead upwards, and next to no number stays where it is.
        let upwards = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((4800..5200).contains(&upwards), "{upwards}");
        let fixed =
            numbers.iter().enumerate().filter(|(position, number)| *position as u64 == **number).count();
        assert!(fixed < 10, "{fixed}");
        // Numbers of the first tenth of positions are spread over all tenths.
        let mut tenths = [0; 10];
        for number in &numbers[..1000] {
            tenths[(number * 10 / count) as usize] += 1;
        }
        assert!(tenths.iter().all(|tenth| (60..140).contains(tenth)), "{tenths:?}");
    }
}
