//! Random choices that are the same on every machine.

/// Bits of the fraction of a double.
const FRACTION: u64 = 1 << 53;

/// Random numbers from a seed: xoshiro256++ (Blackman and Vigna, 2018), its state filled by SplitMix64. The same seed gives
/// the same numbers on every platform and in every version of this crate with the same first number.
///
/// Take it from [`Context::random`](crate::Context::random): then every client, task and lap has its own numbers, and the
/// race's seed decides them all. There is no other source of randomness in an extension.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The numbers of this seed.
    pub fn from_seed(seed: u64) -> Random {
        let mut word = seed;
        Random { state: std::array::from_fn(|_| split_mix(&mut word)) }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let result = s0.wrapping_add(*s3).rotate_left(23).wrapping_add(*s0);
        let shifted = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= shifted;
        *s3 = s3.rotate_left(45);
        result
    }

    /// A number from 0 to `bound - 1`, each as likely as the others; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Lemire's method: the upper half of a product is uniform once the few low halves that come too often are refused.
        // 32 bits do wherever they suffice, which is cheaper where no 128-bit product is in hardware.
        if let Ok(bound) = u32::try_from(bound) {
            if bound == 0 {
                return 0;
            }
            let refused = bound.wrapping_neg() % bound;
            loop {
                let product = (self.next_u64() >> 32) * u64::from(bound);
                if product as u32 >= refused {
                    return product >> 32;
                }
            }
        }
        let refused = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= refused {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number from `low` to `high`, both included; where `high` is below `low`, the two change places.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let (low, high) = if low <= high { (low, high) } else { (high, low) };
        let span = (high as u64).wrapping_sub(low as u64);
        let step = if span == u64::MAX { self.next_u64() } else { self.below(span + 1) };
        (low as u64).wrapping_add(step) as i64
    }

    /// A number from 0 to just below 1.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / FRACTION as f64
    }

    /// A number from `low` to just below `high`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// `true` as often as `false`.
    pub fn bool(&mut self) -> bool {
        self.next_u64() >> 63 == 1
    }

    /// `true` in `probability` of all cases: never for 0, always for 1.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `items`, each as likely as the others.
    ///
    /// # Panics
    /// Where there are none: check in `open`, where an error ends the race before it begins.
    pub fn pick<'items, T>(&mut self, items: &'items [T]) -> &'items T {
        assert!(!items.is_empty(), "there is nothing to pick from");
        &items[self.below(items.len() as u64) as usize]
    }

    /// Puts `items` into a random order, each as likely as the others.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Random numbers of their own, so that what one part of a source draws does not change what another one gets.
    pub fn fork(&mut self) -> Random {
        Random::from_seed(self.next_u64())
    }
}

fn split_mix(word: &mut u64) -> u64 {
    *word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *word;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference_implementation() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..4).map(|_| random.next_u64()).collect();
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
        let mut word = 0;
        assert_eq!(split_mix(&mut word), 0xe220_a839_7b1d_cdaf);
        assert_eq!(split_mix(&mut word), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn a_seed_gives_the_same_choices_for_ever() {
        let mut random = Random::from_seed(42);
        let below: Vec<u64> = (0..8).map(|_| random.below(100)).collect();
        let between: Vec<i64> = (0..4).map(|_| random.between(-5, 5)).collect();
        let large = random.below(1 << 40);
        let unit = random.unit();
        let mut order = [0, 1, 2, 3, 4, 5, 6, 7];
        random.shuffle(&mut order);
        let forked = random.fork().next_u64();
        assert_eq!(
            format!("{below:?} {between:?} {large} {unit} {order:?} {forked} {}", random.bool()),
            "[81, 31, 98, 70, 79, 58, 12, 60] [-3, 5, 1, 4] 747675021396 0.06953047104466148 [6, 4, 5, 2, 0, 1, 7, 3] 8799249311787988334 true"
        );
    }

    #[test]
    fn all_numbers_below_a_bound_come_equally_often() {
        let mut random = Random::from_seed(7);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[random.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn both_ends_of_a_range_are_met_and_nothing_beyond() {
        let mut random = Random::from_seed(3);
        let numbers: Vec<i64> = (0..1_000).map(|_| random.between(-2, 2)).collect();
        assert_eq!((numbers.iter().min(), numbers.iter().max()), (Some(&-2), Some(&2)));
        assert_eq!(random.between(4, 4), 4);
        assert!((1..=3).contains(&random.between(3, 1)), "ends in the wrong order");
        let _any = random.between(i64::MIN, i64::MAX);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn a_fork_does_not_follow_its_parent() {
        let mut random = Random::from_seed(1);
        let mut fork = random.fork();
        assert_ne!(fork.next_u64(), random.next_u64());
    }
}
