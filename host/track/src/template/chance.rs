//! What is left to chance: `random` and `lipsum`.
//!
//! Elastic Rally draws differently in each rendering. Here the seed of the race decides, so that a race can be repeated,
//! and each machine that renders the track for itself gets the same.

use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, Value};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::filters::given;
use super::{guards, python, strings};

/// Words of the old filler text.
const WORDS: [&str; 40] = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
    "tempor",
    "incididunt",
    "ut",
    "labore",
    "et",
    "dolore",
    "magna",
    "aliqua",
    "enim",
    "ad",
    "minim",
    "veniam",
    "quis",
    "nostrud",
    "exercitation",
    "ullamco",
    "laboris",
    "nisi",
    "aliquip",
    "ex",
    "ea",
    "commodo",
    "consequat",
    "duis",
    "aute",
    "irure",
    "in",
    "reprehenderit",
    "voluptate",
];

/// Adds the filter and the function, which draw from one seed.
pub(super) fn add_to(environment: &mut Environment<'static>, seed: u64) {
    let numbers = Arc::new(Numbers(Mutex::new(ChaCha8Rng::seed_from_u64(seed))));
    let drawn = Arc::clone(&numbers);
    environment.add_filter("random", move |values: &Value| random(&drawn, values));
    environment.add_function("lipsum", move |arguments: Rest<ValueOrKwargs>| lipsum(&numbers, arguments));
}

struct Numbers(Mutex<ChaCha8Rng>);

impl Numbers {
    /// A number from `start` on, below `end`.
    fn below(&self, start: usize, end: usize) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(start..end.max(start + 1))
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn random(numbers: &Numbers, values: &Value) -> Result<Value, Error> {
    let length = match values.kind() {
        ValueKind::String => values.as_str().map(|text| text.chars().count()),
        ValueKind::Seq => values.len(),
        _ => None,
    };
    let length = length.ok_or_else(|| {
        invalid(format!(
            "random draws from a list, a range or a string, not from a value of type {}",
            values.kind()
        ))
    })?;
    if length == 0 {
        return Ok(Value::UNDEFINED);
    }
    let index = numbers.below(0, length);
    match values.as_str() {
        Some(text) => {
            Ok(text.chars().nth(index).map_or(Value::UNDEFINED, |letter| letter.to_string().into()))
        }
        None => values.get_item(&Value::from(index)),
    }
}

/// Paragraphs of words without a meaning.
fn lipsum(numbers: &Numbers, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let [paragraphs, html, least, most] = given(arguments, ["n", "html", "min", "max"])?;
    let number = |value: Option<Value>, default: usize| match value {
        None => Ok(default),
        Some(value) => python::integer(&value)
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| invalid(format!("lipsum: {value} is no whole number from 0 on"))),
    };
    let (paragraphs, least, most) = (number(paragraphs, 5)?, number(least, 20)?, number(most, 100)?);
    if least >= most {
        return Err(invalid(format!("lipsum: min ({least}) must be less than max ({most})")));
    }
    guards::check_elements(paragraphs.saturating_mul(most).saturating_mul(16))?;
    let html = html.is_none_or(|html| html.is_true());
    let texts = (0..paragraphs).map(|_| paragraph(numbers, numbers.below(least, most)));
    match html {
        true => {
            let texts = texts.map(|text| format!("<p>{text}</p>"));
            Ok(Value::from_safe_string(texts.collect::<Vec<_>>().join("\n")))
        }
        false => Ok(texts.collect::<Vec<_>>().join("\n\n").into()),
    }
}

/// Sentences of up to twenty words, with a comma here and there.
fn paragraph(numbers: &Numbers, words: usize) -> String {
    let mut text = String::new();
    let mut left = 0;
    let mut last = WORDS.len();
    for index in 0..words {
        let mut word = numbers.below(0, WORDS.len());
        if word == last {
            word = (word + 1) % WORDS.len();
        }
        last = word;
        if index > 0 {
            text.push(' ');
        }
        match left {
            0 => {
                text.push_str(&strings::capitalized(WORDS[word]));
                left = numbers.below(8, 20);
            }
            _ => text.push_str(WORDS[word]),
        }
        left -= 1;
        match left {
            0 => text.push('.'),
            _ if index + 1 < words && numbers.below(0, 8) == 0 => text.push(','),
            _ => {}
        }
    }
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}
