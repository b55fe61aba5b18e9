//! From histograms to a summary, a report and a stored race.
