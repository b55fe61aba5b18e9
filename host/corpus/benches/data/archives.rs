//! Documents like those of a track, and archives of them as the usual tools make them.

use std::io::Write;
use std::sync::mpsc::channel;
use std::thread;

/// Makes an archive of some content.
pub type Pack = fn(&[u8]) -> Vec<u8>;

const WORDS: [&str; 24] = [
    "river", "north", "Saint", "Lake", "Mount", "Upper", "bridge", "station", "park", "Hotel", "old", "new",
    "valley", "creek", "Springs", "school", "church", "ridge", "island", "point", "La", "El", "de", "Bay",
];

/// JSON lines of about `bytes` bytes; the same each time. They pack about as well as the places of geonames.
pub fn documents(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % below
    };
    let mut content = Vec::with_capacity(bytes + 1024);
    let mut id = 2_986_043;
    while content.len() < bytes {
        id += random(30) + 1;
        let mut name = String::new();
        for _ in 0..=random(3) {
            name.push_str(WORDS[random(24) as usize]);
            name.push(' ');
        }
        let name = name.trim_end();
        let (feature, country) = (random(60), random(40));
        writeln!(
            content,
            "{{\"geonameid\": {id}, \"name\": \"{name}\", \"asciiname\": \"{name}\", \"feature_class\": \"{}\", \
             \"feature_code\": \"F{feature}\", \"country_code\": \"C{country}\", \"admin1_code\": \"{:02}\", \"population\": \
             {}, \"dem\": \"{}\", \"timezone\": \"Europe/Zone{}\", \"location\": [{}.{:05}, {}.{:05}]}}",
            ["S", "P", "H", "T"][feature as usize % 4],
            random(80),
            if random(5) == 0 { random(90_000) } else { 0 },
            random(3000),
            country / 4,
            random(360) as i64 - 180,
            random(100_000),
            random(180) as i64 - 90,
            random(100_000),
        )
        .unwrap();
    }
    content
}

/// As of `bzip2` and `lbzip2`.
pub fn bzip2_one_stream(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// As of `pbzip2`: a stream for each 900 kB.
pub fn bzip2_streams(content: &[u8]) -> Vec<u8> {
    in_pieces(content, 900_000, bzip2_one_stream)
}

/// As of `zstd`.
pub fn zstd_one_frame(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// As of `pzstd`: frames of 8 MiB, each announced by a skippable frame with its size.
pub fn zstd_frames(content: &[u8]) -> Vec<u8> {
    in_pieces(content, 8 << 20, |piece| {
        let frame = zstd_one_frame(piece);
        let mut announced = 0x184d_2a50_u32.to_le_bytes().to_vec();
        announced.extend(4_u32.to_le_bytes());
        announced.extend((frame.len() as u32).to_le_bytes());
        announced.extend(frame);
        announced
    })
}

/// As of `gzip` and `pigz`.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Packs pieces with all cores and joins them in their order.
fn in_pieces(content: &[u8], piece_bytes: usize, pack: Pack) -> Vec<u8> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        for first in 0..threads {
            let sender = sender.clone();
            scope.spawn(move || {
                for (index, piece) in content.chunks(piece_bytes).enumerate().skip(first).step_by(threads) {
                    sender.send((index, pack(piece))).unwrap();
                }
            });
        }
    });
    drop(sender);
    let mut pieces: Vec<(usize, Vec<u8>)> = receiver.into_iter().collect();
    pieces.sort_by_key(|(index, _)| *index);
    pieces.into_iter().flat_map(|(_, piece)| piece).collect()
}
