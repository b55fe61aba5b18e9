//! `minimum_should_match`: `2`, `-1`, `75%`, `-25%`, `2<75%`, `2<-25% 9<-3`.

use crate::error::EsError;
use serde_json::Value;

/// How many of a number of optional clauses have to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinimumShouldMatch {
    specification: String,
}

impl MinimumShouldMatch {
    /// As it stands in a request: a number or a text. Whether the text makes sense shows only when it is applied, as in
    /// Elasticsearch.
    pub fn new(value: &Value) -> Option<Self> {
        super::super::json::text(value).map(|specification| MinimumShouldMatch { specification })
    }

    /// The number of clauses needed of `clauses`: between 0 and any number, for it may ask for more than there are.
    ///
    /// # Errors
    /// 400 `number_format_exception` where the specification is not understood.
    pub fn of(&self, clauses: usize) -> Result<usize, EsError> {
        required(self.specification.trim(), clauses)
    }
}

fn required(specification: &str, clauses: usize) -> Result<usize, EsError> {
    if specification.contains('<') {
        let mut result = clauses;
        for condition in specification.split_whitespace() {
            let (bound, then) = condition.split_once('<').ok_or_else(|| invalid(condition))?;
            let bound: i64 = number(bound)?;
            if i64::try_from(clauses).is_ok_and(|clauses| clauses <= bound) {
                return Ok(result);
            }
            result = required(then, clauses)?;
        }
        return Ok(result);
    }
    let count = i64::try_from(clauses).unwrap_or(i64::MAX);
    let wanted = match specification.strip_suffix('%') {
        Some(percent) => {
            let percent: f32 = percent.parse().map_err(|_| invalid(percent))?;
            let share = count as f32 * percent / 100.0;
            if share < 0.0 { count + share as i64 } else { share as i64 }
        }
        None => {
            let number = number(specification)?;
            if number < 0 { count.saturating_add(number) } else { number }
        }
    };
    Ok(usize::try_from(wanted.max(0)).unwrap_or(usize::MAX))
}

fn number(text: &str) -> Result<i64, EsError> {
    text.trim().parse::<i32>().map(i64::from).map_err(|_| invalid(text))
}

fn invalid(text: &str) -> EsError {
    EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_percentages_and_conditions() {
        for (specification, clauses, expected) in [
            ("2", 3, 2),
            ("-1", 3, 2),
            ("-5", 3, 0),
            ("5", 3, 5),
            ("75%", 4, 3),
            ("75%", 3, 2),
            ("-25%", 4, 3),
            ("-25%", 3, 3),
            ("2<75%", 2, 2),
            ("2<75%", 4, 3),
            ("2<-25% 9<-3", 2, 2),
            ("2<-25% 9<-3", 8, 6),
            ("2<-25% 9<-3", 10, 7),
        ] {
            assert_eq!(required(specification, clauses).unwrap(), expected, "{specification} of {clauses}");
        }
    }

    #[test]
    fn nonsense_is_a_number_format_exception() {
        assert_eq!(required("abc", 3).unwrap_err().kind, "number_format_exception");
    }
}
