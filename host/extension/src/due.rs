//! What a scheduler may say.

/// The latest due time, seconds. Arbitrary: thirty years, which no race lasts and every clock can hold.
const LATEST: f64 = 1e9;

/// Whether due times can be used: at least one, at most `limit`, each a time that a race can live to see, and none before
/// the one before.
pub(crate) fn checked(current: f64, times: &[f64], limit: u32) -> Result<(), String> {
    if times.is_empty() {
        return Err("no due time".to_owned());
    }
    if times.len() > limit as usize {
        return Err(format!("{} due times when asked for at most {limit}", times.len()));
    }
    let mut before = current;
    for time in times {
        if !time.is_finite() {
            return Err(format!("{time} s as a due time, which is no time"));
        }
        if *time > LATEST {
            return Err(format!("{time:?} s as a due time: no race lasts longer than {LATEST:?} s"));
        }
        if *time < before {
            return Err(format!("{time} s as the due time after {before} s: due times do not go back"));
        }
        before = *time;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::checked;

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
    fn what_is_no_time_is_refused() {
        for time in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert!(checked(0.0, &[time], 8).is_err(), "{time}");
        }
        assert!(checked(0.0, &[], 8).is_err());
        assert!(checked(0.0, &[1.0, 2.0], 1).is_err());
    }
}
