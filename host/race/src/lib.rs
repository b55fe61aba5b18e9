//! From a track to samples: allocation, schedules, clients, timing.
