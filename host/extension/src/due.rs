//! What a scheduler may say.

/// The latest due time, seconds. Arbitrary: thirty years, which no race lasts and every clock can hold.
const LATEST: f64 = 1e9;

/// How many due times can be used before one that cannot, and what is wrong with that; `None` where all can: at least one, at
/// most `limit`, each a time that a race can live to see, and none before the one before.
pub(crate) fn first_wrong(current: f64, times: &[f64], limit: u32) -> Option<(usize, String)> {
    if times.is_empty() {
        return Some((0, "no due time".to_owned()));
    }
    if times.len() > limit as usize {
        return Some((0, format!("{} due times when asked for at most {limit}", times.len())));
    }
    let mut before = current;
    for (good, time) in times.iter().enumerate() {
        let problem = if !time.is_finite() {
            format!("{time} s as a due time, which is not a time")
        } else if *time > LATEST {
            format!("{time:?} s as a due time: no race lasts longer than {LATEST:?} s")
        } else if *time < before {
            format!("{time} s as the due time after {before} s: due times do not go back")
        } else {
            before = *time;
            continue;
        };
        return Some((good, problem));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::first_wrong;

    fn checked(current: f64, times: &[f64], limit: u32) -> Result<(), String> {
        first_wrong(current, times, limit).map_or(Ok(()), |(_, problem)| Err(problem))
    }

    #[test]
    fn due_times_that_go_on_are_taken() {
        assert_eq!(checked(1.0, &[1.0, 1.5, 2.0], 3), Ok(()));
    }

    #[test]
    fn due_times_that_go_back_are_refused() {
        assert!(checked(1.0, &[1.5, 1.4], 8).unwrap_err().contains("do not go back"));
        assert!(checked(1.0, &[0.9], 8).unwrap_err().contains("do not go back"));
    }

    #[test]
    fn due_times_before_a_wrong_one_are_good() {
        let (good, problem) = first_wrong(1.0, &[1.5, 2.0, f64::NAN, 3.0], 8).unwrap();
        assert_eq!(good, 2);
        assert!(problem.contains("NaN"), "{problem}");
        assert_eq!(first_wrong(1.0, &[1.5, 2.0], 1).unwrap().0, 0, "more than were asked for");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for time in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert!(checked(0.0, &[time], 8).is_err(), "{time}");
        }
        assert!(checked(0.0, &[], 8).is_err());
        assert!(checked(0.0, &[1.0, 2.0], 1).is_err());
    }
}
