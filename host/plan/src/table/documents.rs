//! Which documents each client sends.

use std::collections::BTreeMap;

use rally_support::numbers::grouped;

use super::style::{Column, Sheet, counted, range, rate, wrapped};
use crate::param_sources::{BulkKey, Planned, PlannedBulk, PlannedReader};

const BY_CLIENT: [Column; 5] = [
    Column::Number("Client"),
    Column::Name("File"),
    Column::Number("Lines"),
    Column::Number("Documents"),
    Column::Number("Bulks"),
];
const BY_FILE: [Column; 5] = [
    Column::Number("Clients"),
    Column::Name("File"),
    Column::Number("Lines"),
    Column::Number("Documents each"),
    Column::Number("Bulks each"),
];
/// Up to this number of rows each client has rows of its own.
const MOST_ROWS_OF_CLIENTS: usize = 24;
/// Up to this number of files each has a row.
const MOST_FILES: usize = 24;

/// The documents of one bulk operation; `tasks` are those that send them.
pub fn documents(key: BulkKey, bulk: &Planned<PlannedBulk>, tasks: &[&str], width: Option<u16>) -> String {
    let names = tasks.join(", ");
    let bulk = match bulk {
        Planned::Yields(bulk) => bulk,
        Planned::Fails { error } => {
            return wrapped(&format!("Documents of '{names}': {}", error.explanation), width) + "\n";
        }
    };
    let total: u64 = bulk.partitions.values().map(|partition| partition.total_bulks).sum();
    let mut text = format!(
        "Documents of '{names}': {} of up to {}, by {}",
        counted(total, "bulk request", "bulk requests"),
        counted(bulk.bulk_size, "document", "documents"),
        counted(u64::from(key.clients), "client", "clients"),
    );
    if bulk.ingest_percentage < 100.0 {
        text.push_str(&format!("; of the ranges below {} % are sent", rate(bulk.ingest_percentage)));
    }
    if bulk.loops {
        text.push_str("; over and over again");
    }
    let mut text = wrapped(&text, width);
    text.push('\n');
    let readers: usize = bulk.partitions.values().map(|partition| partition.readers.len()).sum();
    if readers == 0 {
        return text + "No client has any documents.\n";
    }
    text + &if readers <= MOST_ROWS_OF_CLIENTS { by_client(bulk, width) } else { by_file(bulk, width) }
}

fn by_client(bulk: &PlannedBulk, width: Option<u16>) -> String {
    let mut sheet = Sheet::new(&BY_CLIENT, width);
    for (client, partition) in &bulk.partitions {
        for (index, reader) in partition.readers.iter().enumerate() {
            sheet.add([
                if index == 0 { client.to_string() } else { String::new() },
                reader.file_name.clone(),
                lines(reader.first_line, reader.first_line + reader.lines),
                grouped(reader.documents),
                grouped(bulks(reader, bulk)),
            ]);
        }
    }
    sheet.to_string()
}

/// What clients read of a file, added up.
#[derive(Debug, Clone)]
struct Share<'plan> {
    file_name: &'plan str,
    clients: (u32, u32),
    first_line: u64,
    end: u64,
    documents: (u64, u64),
    bulks: (u64, u64),
}

fn by_file(bulk: &PlannedBulk, width: Option<u16>) -> String {
    let mut shares: Vec<Share<'_>> = Vec::new();
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for (client, partition) in &bulk.partitions {
        for reader in &partition.readers {
            let end = reader.first_line + reader.lines;
            let bulks = bulks(reader, bulk);
            let index = *by_name.entry(&reader.file_name).or_insert(shares.len());
            match shares.get_mut(index) {
                Some(share) => {
                    share.clients = (share.clients.0.min(*client), share.clients.1.max(*client));
                    share.first_line = share.first_line.min(reader.first_line);
                    share.end = share.end.max(end);
                    share.documents = within(share.documents, reader.documents);
                    share.bulks = within(share.bulks, bulks);
                }
                None => shares.push(Share {
                    file_name: &reader.file_name,
                    clients: (*client, *client),
                    first_line: reader.first_line,
                    end,
                    documents: (reader.documents, reader.documents),
                    bulks: (bulks, bulks),
                }),
            }
        }
    }
    let mut sheet = Sheet::new(&BY_FILE, width);
    let (shown, left_out) = shares.split_at(shares.len().min(MOST_FILES));
    for share in shown {
        sheet.add([
            range(share.clients.0.into(), share.clients.1.into()),
            share.file_name.to_owned(),
            lines(share.first_line, share.end),
            range(share.documents.0, share.documents.1),
            range(share.bulks.0, share.bulks.1),
        ]);
    }
    if !left_out.is_empty() {
        let more = counted(left_out.len() as u64, "file more", "files more");
        sheet.add([String::new(), format!("{more}; --format=json has them all")]);
    }
    sheet.to_string()
}

fn within((least, most): (u64, u64), number: u64) -> (u64, u64) {
    (least.min(number), most.max(number))
}

/// Lines from the first to the last, counted from 0.
fn lines(first: u64, end: u64) -> String {
    if end > first { range(first, end - 1) } else { "none".to_owned() }
}

fn bulks(reader: &PlannedReader, bulk: &PlannedBulk) -> u64 {
    reader.documents.div_ceil(bulk.bulk_size.max(1))
}
