//! What rally logs.

use std::io::Write;
use std::sync::Mutex;

use tracing_subscriber::fmt::MakeWriter;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Longest line that is shown; the rest is told by its length.
const LONGEST: usize = 160;

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        Lines
    }
}

/// Writes down from now on what anybody in this process logs.
pub fn listen() {
    tracing_subscriber::fmt()
        .with_writer(|| Lines)
        .with_ansi(false)
        .without_time()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .init();
}

/// What was logged since the last time: each line once, with how often it came.
pub fn take() -> Vec<String> {
    let bytes = std::mem::take(&mut *LINES.lock().expect("no panic"));
    let text = String::from_utf8(bytes).expect("text");
    let mut lines: Vec<(String, usize)> = Vec::new();
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        // How many lines a looping component gets rid of is a matter of chance.
        let line = match line.split_once("lines=") {
            Some((before, _)) => format!("{before}lines=N"),
            None => line.to_owned(),
        };
        let shown = match line.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}… ({} bytes)", &line[..end], line.len()),
            None => line,
        };
        match lines.iter_mut().find(|(known, _)| *known == shown) {
            Some((_, count)) => *count += 1,
            None => lines.push((shown, 1)),
        }
    }
    lines.sort();
    lines.into_iter().map(|(line, count)| format!("{count} × {}", line.trim())).collect()
}
