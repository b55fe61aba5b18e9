//! Document ids of an `index` operation with conflicts.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bulk_options::Conflicts;

/// Random choices. A trait only so that recorded choices can be played back.
pub trait Draws: Send {
    /// Which of `count` ids the `index`-th new one is, for random conflicts.
    fn new_id(&mut self, index: u64, count: u64) -> u64;
    /// Whether a used id comes again: once in four times.
    fn repeats(&mut self) -> bool;
    /// Which of the ids used so far comes again.
    fn pick(&mut self, used: u64) -> u64;
}

/// Choices that follow from a seed. New ids are computed from their position, so that none has to be kept: a list of them
/// would need eight bytes for each document.
struct SeededDraws {
    ids: ChaCha8Rng,
    choices: ChaCha8Rng,
}

impl SeededDraws {
    fn new(seed: u64, file: u64) -> Self {
        let stream = |number| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(number);
            random
        };
        SeededDraws { ids: stream(2 * file), choices: stream(2 * file + 1) }
    }
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
    pub fn seeded(conflicts: Conflicts, first: u64, count: u64, seed: u64, file: u64) -> Self {
        IdSource::new(conflicts, first, count, Box::new(SeededDraws::new(seed, file)))
    }

    /// The same with choices from elsewhere.
    pub fn new(conflicts: Conflicts, first: u64, count: u64, draws: Box<dyn Draws>) -> Self {
        IdSource { conflicts, first, count, used: 0, draws }
    }

    /// The next id. The first document's is always new; each other one repeats, in one case of four, an id used before.
    pub fn next_id(&mut self) -> u64 {
        if self.used > 0 && self.draws.repeats() {
            let index = self.draws.pick(self.used);
            return self.id(index);
        }
        let id = self.id(self.used);
        self.used += 1;
        id
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
        let mut source = IdSource::seeded(conflicts, 1000, 500, seed, file);
        (0..500).map(|_| source.next_id()).collect()
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
