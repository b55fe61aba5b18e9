//! Which clients do what in each step.

use rally_race::allocation::allocate;
use rally_support::numbers::grouped;
use rally_track::{Challenge, Element};

use super::style::{Column, Sheet, range};

const COLUMNS: [Column; 3] =
    [Column::Number("Step"), Column::Number("Clients"), Column::Text("Tasks, one after the other")];

/// Steps that follow each other and look the same share a row; so do clients that do the same.
pub fn clients(challenge: &Challenge, width: Option<u16>) -> String {
    let mut sheet = Sheet::new(&COLUMNS, width);
    let mut steps = (1..).zip(&challenge.schedule).peekable();
    while let Some((first, element)) = steps.next() {
        let Some(clients) = clients_of_single_task(element) else {
            for (index, (clients, tasks)) in shares(element).into_iter().enumerate() {
                sheet.add([if index == 0 { grouped(first) } else { String::new() }, clients, tasks]);
            }
            continue;
        };
        let mut last = first;
        while let Some((number, _)) = steps.next_if(|(_, next)| clients_of_single_task(next) == Some(clients))
        {
            last = number;
        }
        let tasks = match element.tasks() {
            [task] if last == first => task.name.clone(),
            _ => "the step's task".to_owned(),
        };
        sheet.add([range(first, last), range(0, u64::from(clients.saturating_sub(1))), tasks]);
    }
    sheet.to_string()
}

/// Number of clients of an element that is one task only.
fn clients_of_single_task(element: &Element) -> Option<u32> {
    match element {
        Element::Task(task) => Some(task.clients),
        Element::Parallel(_) => None,
    }
}

/// Clients and their tasks, clients that follow each other and do the same together.
fn shares(element: &Element) -> Vec<(String, String)> {
    let rows = allocate(element);
    let tasks = |row: usize| rows[row].iter().map(|assignment| assignment.task);
    let mut shares = Vec::new();
    let mut first = 0;
    for row in 0..rows.len() {
        if row + 1 < rows.len() && tasks(row + 1).eq(tasks(first)) {
            continue;
        }
        let names: Vec<&str> = tasks(first).map(|task| element.tasks()[task].name.as_str()).collect();
        let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        shares.push((range(first as u64, row as u64), names));
        first = row + 1;
    }
    shares
}
