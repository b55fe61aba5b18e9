//! Tracks with code of their own from end to end: bad input ends before anything is sent, and what fails in the middle of a race
//! is told with its names, while the rest of the race goes on.

mod before_race;
mod compiled;
mod in_race;
mod races;
mod tracks;
