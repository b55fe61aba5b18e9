//! What holds for every plan.

use std::collections::BTreeMap;

use crate::support::*;
use proptest::prelude::*;
use rally_race::allocation::allocate;
use rally_race::schedulers::built_in_scheduler;
use rally_race::seed::client_seed;
use rally_race::*;
use rally_track::Target;

proptest! {
    #[test]
    fn every_client_of_every_task_has_exactly_one_place(
        clients in prop::collection::vec(1_u32..20, 1..12), limit in prop::option::of(1_u32..30),
    ) {
        let tasks = clients.iter().map(|clients| { let mut task = task("t"); task.clients = *clients; task }).collect();
        let rows = allocate(&parallel(tasks, limit, None));
        let total: u32 = clients.iter().sum();
        prop_assert_eq!(rows.len(), limit.unwrap_or(total) as usize);
        let mut places = BTreeMap::new();
        for assignment in rows.iter().flatten() {
            *places.entry((assignment.task, assignment.client_index)).or_insert(0) += 1;
        }
        prop_assert_eq!(places.len(), total as usize);
        prop_assert!(places.values().all(|count| *count == 1));
        // One thing after the other, in the order of the tasks, and no client has two things more to do than another.
        prop_assert!(rows.iter().all(|row| row.is_sorted_by_key(|assignment| (assignment.task, assignment.client_index))));
        let (least, most) = (rows.iter().map(Vec::len).min().unwrap(), rows.iter().map(Vec::len).max().unwrap());
        prop_assert!(most - least <= 1);
    }

    #[test]
    fn the_shares_of_all_clients_add_up(warmup in 0_u64..100_000, measured in 0_u64..100_000, clients in 1_u32..300) {
        let extent = Extent::Iterations { warmup, measured: Some(measured) };
        let mut sums = (0, 0);
        let mut shares = Vec::new();
        for client in 0..clients {
            let Extent::Iterations { warmup, measured: Some(measured) } = extent.share(client, clients) else { unreachable!() };
            sums = (sums.0 + warmup, sums.1 + measured);
            shares.push(measured);
        }
        prop_assert_eq!(sums, (warmup, measured));
        prop_assert!(shares.is_sorted_by(|left, right| left >= right), "the remainder goes to the first clients");
        prop_assert!(shares[0] - shares[shares.len() - 1] <= 1);
    }

    #[test]
    fn deterministic_clients_together_send_in_equal_intervals(clients in 1_u32..50, rate in 0.1_f64..10_000.0) {
        let mut task = task("t");
        (task.clients, task.target) = (clients, Some(Target::Throughput(rate)));
        let mut due = Vec::new();
        for client in 0..clients {
            let partition = Partition::of(1, 1, &task, client);
            let mut scheduler = built_in_scheduler(&task, Timing::Spread, partition).unwrap().unwrap();
            let mut current = 0.0;
            for _ in 0..20 {
                current = scheduler.next(current).unwrap();
                due.push(current);
            }
        }
        due.sort_by(f64::total_cmp);
        for (number, due) in due.iter().enumerate() {
            prop_assert!((due * rate - number as f64).abs() < 1e-6);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_due_times(seed: u64, lap in 1_u32..5, client in 0_u32..50) {
        let mut task = task("t");
        (task.clients, task.target, task.schedule) = (50, Some(Target::Throughput(100.0)), "poisson".to_owned());
        let draw = |client| {
            let partition = Partition::of(seed, lap, &task, client);
            let mut scheduler = built_in_scheduler(&task, Timing::Spread, partition).unwrap().unwrap();
            let mut current = 0.0;
            (0..50).map(|_| { current = scheduler.next(current).unwrap(); current }).collect::<Vec<_>>()
        };
        let due = draw(client);
        prop_assert_eq!(&due, &draw(client));
        prop_assert!(due != draw(client + 1));
        prop_assert!(due.is_sorted());
    }
}

#[test]
fn poisson_reaches_its_rate() {
    let mut task = task("t");
    (task.clients, task.target, task.schedule) = (4, Some(Target::Throughput(100.0)), "poisson".to_owned());
    let partition = Partition::of(42, 1, &task, 0);
    let mut scheduler = built_in_scheduler(&task, Timing::Spread, partition).unwrap().unwrap();
    let mut current = 0.0;
    for _ in 0..100_000 {
        current = scheduler.next(current).unwrap();
    }
    // 100,000 intervals of 40 ms on average: the standard deviation of the sum is 0.3 %.
    assert!((current / 4000.0 - 1.0).abs() < 0.015, "{current}");
}

#[test]
fn seeds_are_the_same_in_every_release() {
    assert_eq!(client_seed(42, 1, "index", 0), 14_215_393_497_670_409_826);
    let seeds = [
        client_seed(42, 1, "index", 0),
        client_seed(43, 1, "index", 0),
        client_seed(42, 2, "index", 0),
        client_seed(42, 1, "search", 0),
        client_seed(42, 1, "index", 1),
    ];
    let different: std::collections::BTreeSet<_> = seeds.iter().collect();
    assert_eq!(different.len(), seeds.len());
}

#[test]
fn a_plan_without_anything_to_do_is_refused() {
    let error = RacePlan::new(&track(), &challenge(Vec::new()), PlanOptions::default()).unwrap_err();
    assert!(matches!(error, PlanError::NothingToDo { .. }));
}

#[test]
fn completed_by_must_name_a_task_of_its_element() {
    let element = parallel(vec![task("a"), task("b")], None, Some("c"));
    let error = RacePlan::new(&track(), &challenge(vec![element]), PlanOptions::default()).unwrap_err();
    assert!(error.to_string().contains("'c'") && error.to_string().contains("are a, b"), "{error}");
}

#[test]
fn a_task_that_measures_nothing_is_refused() {
    let refuse =
        |task| RacePlan::new(&track(), &challenge(vec![single(task)]), PlanOptions::default()).unwrap_err();
    let mut iterations = task("a");
    iterations.iterations = Some(0);
    assert!(matches!(refuse(iterations), PlanError::NothingMeasured { property: "iterations", .. }));
    let mut time = task("a");
    time.time_period = Some(0.0);
    assert!(matches!(refuse(time), PlanError::NothingMeasured { property: "time-period", .. }));
    let mut negative = task("a");
    negative.warmup_time_period = Some(-1.0);
    assert!(matches!(refuse(negative), PlanError::InvalidTime { .. }));
}
