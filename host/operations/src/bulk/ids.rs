//! Document ids of operations with conflicts.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::options_2017::Conflicts;
use super::options_current::ConflictRules;
use super::permutation::Permutation;

/// Random choices. A trait only so that recorded choices can be played back.
pub trait Draws: Send {
    /// Which of `count` ids the `index`-th new one is, for random conflicts.
    fn new_id(&mut self, index: u64, count: u64) -> u64;
    /// Whether a used id comes again.
    fn repeats(&mut self) -> bool;
    /// Which of the ids used so far comes again.
    fn pick(&mut self, used: u64) -> u64;
}

/// Choices of 2017 that follow from a seed: once in four times an id comes again, random ids are drawn one by one. New ids are computed from their position, so that none has to be kept: a list of them
/// would need eight bytes for each document.
struct SeededDraws {
    ids: ChaCha8Rng,
    choices: ChaCha8Rng,
}

impl SeededDraws {
    fn new(seed: u64, file: u64) -> Self {
        SeededDraws { ids: stream(seed, 2 * file), choices: stream(seed, 2 * file + 1) }
    }
}

/// A stream of random numbers of its own.
fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    random
}

impl Draws for SeededDraws {
    fn new_id(&mut self, index: u64, count: u64) -> u64 {
        self.ids.set_word_pos(u128::from(index) * 2);
        scale(self.ids.next_u64(), count)
    }

    fn repeats(&mut self) -> bool {
        self.choices.next_u32() >> 30 == 3
    }

    fn pick(&mut self, used: u64) -> u64 {
        scale(self.choices.next_u64(), used)
    }
}

/// A random number as one below `count`; the bias is below 2^-64 times `count`.
fn scale(random: u64, count: u64) -> u64 {
    ((u128::from(random) * u128::from(count)) >> 64) as u64
}

/// Random numbers. A trait only so that recorded ones can be played back.
pub trait Chances: Send {
    /// From 0 up to 1, which is left out.
    fn uniform(&mut self) -> f64;
    /// From 0 up to `bound`, which is left out.
    fn below(&mut self, bound: u64) -> u64;
    /// Exponentially distributed, with 1 / `rate` as its mean.
    fn exponential(&mut self, rate: f64) -> f64;
}

impl Chances for ChaCha8Rng {
    fn uniform(&mut self) -> f64 {
        // As many bits as a double holds.
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, bound: u64) -> u64 {
        scale(self.next_u64(), bound)
    }

    fn exponential(&mut self, rate: f64) -> f64 {
        -(1.0 - self.uniform()).ln() / rate
    }
}

/// How much recency 1 prefers ids used lately: the rate of an exponential distribution over the ids used so far, as in Rally.
const RECENCY_RATE: f64 = 30.0;

/// Choices of the current dialect: random ids are all ids of the range, shuffled.
struct RuledDraws<C> {
    rules: ConflictRules,
    chances: C,
    order: Permutation,
}

impl<C: Chances> Draws for RuledDraws<C> {
    fn new_id(&mut self, index: u64, _count: u64) -> u64 {
        self.order.at(index)
    }

    fn repeats(&mut self) -> bool {
        self.rules.probability > 0.0 && self.chances.uniform() <= self.rules.probability
    }

    fn pick(&mut self, used: u64) -> u64 {
        if self.rules.recency == 0.0 {
            return self.chances.below(used);
        }
        let back = self.chances.exponential(RECENCY_RATE * self.rules.recency).min(1.0);
        ((used - 1) as f64 * (1.0 - back)).round_ties_even() as u64
    }
}

/// How the ids of an operation conflict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IdRules {
    /// As in 2017: a used id comes again once in four times, and replaces its document.
    Of2017(Conflicts),
    /// As the operation says.
    Current(ConflictRules),
}

/// Gives the ids of a client's documents of one file, in order.
pub struct IdSource {
    conflicts: Conflicts,
    first: u64,
    count: u64,
    used: u64,
    draws: Box<dyn Draws>,
}

impl IdSource {
    /// Ids for `count` documents from document `first` of the file with this number on.
    pub fn seeded(rules: IdRules, first: u64, count: u64, seed: u64, file: u64) -> Self {
        match rules {
            IdRules::Of2017(conflicts) => {
                IdSource::new(conflicts, first, count, Box::new(SeededDraws::new(seed, file)))
            }
            IdRules::Current(rules) => {
                let order = Permutation::new(count, stream(seed, 2 * file).next_u64());
                IdSource::ruled(rules, first, count, stream(seed, 2 * file + 1), order)
            }
        }
    }

    /// Ids of the current dialect with random numbers from elsewhere.
    pub fn ruled<C: Chances + 'static>(
        rules: ConflictRules,
        first: u64,
        count: u64,
        chances: C,
        order: Permutation,
    ) -> Self {
        IdSource::new(rules.kind, first, count, Box::new(RuledDraws { rules, chances, order }))
    }

    /// Ids with choices from elsewhere.
    pub fn new(conflicts: Conflicts, first: u64, count: u64, draws: Box<dyn Draws>) -> Self {
        IdSource { conflicts, first, count, used: 0, draws }
    }

    /// The next id, and whether it was used before. The first document's is always new.
    pub fn next_id(&mut self) -> (u64, bool) {
        if self.used > 0 && self.draws.repeats() {
            let index = self.draws.pick(self.used);
            return (self.id(index), true);
        }
        let id = self.id(self.used);
        self.used += 1;
        (id, false)
    }

    fn id(&mut self, index: u64) -> u64 {
        match self.conflicts {
            Conflicts::Sequential => self.first + index,
            Conflicts::Random => self.first + self.draws.new_id(index, self.count),
        }
    }
}

/// Writes an id as Rally does today: ten digits, zeros before it. In 2017 it was padded with spaces.
pub fn write_id(id: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut rest = id;
    let mut begin = digits.len();
    while rest > 0 {
        begin -= 1;
        digits[begin] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits[begin.min(digits.len() - 10)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(conflicts: Conflicts, seed: u64, file: u64) -> Vec<u64> {
        let mut source = IdSource::seeded(IdRules::Of2017(conflicts), 1000, 500, seed, file);
        (0..500).map(|_| source.next_id().0).collect()
    }

    fn ruled(kind: Conflicts, probability: f64, recency: f64, seed: u64) -> Vec<(u64, bool)> {
        let rules = ConflictRules { kind, probability, updates: false, recency };
        let mut source = IdSource::seeded(IdRules::Current(rules), 1000, 500, seed, 0);
        (0..500).map(|_| source.next_id()).collect()
    }

    #[test]
    fn random_ids_of_the_current_dialect_are_all_ids_of_the_range_shuffled() {
        let mut ids: Vec<u64> = ruled(Conflicts::Random, 0.0, 0.0, 7).iter().map(|(id, _)| *id).collect();
        assert_ne!(ids, (1000..1500).collect::<Vec<_>>());
        ids.sort_unstable();
        assert_eq!(ids, (1000..1500).collect::<Vec<_>>());
    }

    #[test]
    fn every_random_choice_of_the_current_dialect_follows_from_the_seed() {
        for recency in [0.0, 0.5] {
            let of = |seed| ruled(Conflicts::Random, 0.4, recency, seed);
            assert_eq!(of(7), of(7));
            assert_ne!(of(7), of(8));
        }
    }

    #[test]
    fn as_many_ids_come_again_as_the_probability_says() {
        let again = |probability| {
            ruled(Conflicts::Sequential, probability, 0.0, 3).iter().filter(|(_, again)| *again).count()
        };
        assert_eq!(again(0.0), 0);
        assert!((210..=290).contains(&again(0.5)), "{}", again(0.5));
        assert_eq!(again(1.0), 499, "all but the first, which has none before it");
    }

    #[test]
    fn recency_prefers_ids_used_lately() {
        // How far back the ids lie that come again, as a part of what was used so far.
        let distance = |recency| {
            let (mut used, mut far, mut again) = (0, 0.0, 0);
            for (id, repeats) in ruled(Conflicts::Sequential, 0.5, recency, 3) {
                if repeats {
                    far += (used - 1 - (id - 1000)) as f64 / used as f64;
                    again += 1;
                } else {
                    used += 1;
                }
            }
            far / f64::from(again)
        };
        let (none, half, all) = (distance(0.0), distance(0.5), distance(1.0));
        assert!((0.4..0.6).contains(&none), "{none}");
        assert!((0.04..0.1).contains(&half), "{half}");
        assert!((0.02..0.05).contains(&all), "{all}");
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        for conflicts in [Conflicts::Sequential, Conflicts::Random] {
            assert_eq!(ids(conflicts, 7, 0), ids(conflicts, 7, 0));
            assert_ne!(ids(conflicts, 7, 0), ids(conflicts, 8, 0), "another seed, other ids");
            assert_ne!(ids(conflicts, 7, 0), ids(conflicts, 7, 1), "another file, other choices");
        }
    }

    #[test]
    fn about_a_quarter_of_the_ids_repeat_and_none_leaves_the_clients_range() {
        let ids = ids(Conflicts::Sequential, 3, 0);
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert!((340..=410).contains(&distinct.len()), "{} distinct ids of 500", distinct.len());
        assert!(ids.iter().all(|id| (1000..1500).contains(id)));
        assert_eq!(ids[0], 1000);
    }

    #[test]
    fn random_ids_stay_in_the_clients_range() {
        assert!(ids(Conflicts::Random, 3, 0).iter().all(|id| (1000..1500).contains(id)));
    }

    #[test]
    fn ids_have_ten_digits() {
        let text = |id| {
            let mut out = Vec::new();
            write_id(id, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(0), "0000000000");
        assert_eq!(text(1234567), "0001234567");
        assert_eq!(text(98_765_432_101), "98765432101");
        assert_eq!(text(u64::MAX), u64::MAX.to_string());
    }
}
