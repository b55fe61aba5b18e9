//! Instances that several roles, or several clients, share.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::course::{Builder, Client, Course};
use crate::recorder::{Recorder, Reply};

/// A task of the guest whose clients share an instance.
fn per_worker(clients: u32, recorder: &Arc<Recorder>) -> Course {
    let operation = json!({"operation-type": "numbered", "param-source": "numbered"});
    Builder::with_guest("sharing")
        .target(recorder)
        .task("task", operation, json!({"clients": clients}))
        .build()
}

/// A task of the guest whose clients have instances of their own, each shared by source and runner.
fn per_client(clients: u32, recorder: &Arc<Recorder>) -> Course {
    let operation = json!({"operation-type": "held", "param-source": "held"});
    let task = json!({"clients": clients});
    Builder::with_guest("conformance").target(recorder).task("task", operation, task).build()
}

fn clients(course: &Course, count: u32) -> Vec<Client<'_>> {
    let binding = course.bind("task").unwrap();
    (0..count).map(|index| course.client_of(&binding, "task", index)).collect()
}

#[test]
fn parameters_cross_by_reference_within_an_instance() {
    let course = per_client(1, &Recorder::start());
    let mut client = course.client("task", 0);
    for number in 1..=3 {
        assert_eq!(client.meta(), json!({"number": number, "runs": number, "words": ["kept", number]}));
    }
}

#[test]
fn each_client_has_its_own_objects_where_it_has_its_own_instance() {
    let course = per_client(2, &Recorder::start());
    let mut clients = clients(&course, 2);
    for client in &mut clients {
        assert_eq!(client.meta()["number"], 1);
    }
    course.runtime.block_on(async {
        let [one, other] = &mut clients[..] else { unreachable!("two clients") };
        let of_one = one.source.next().await.unwrap().unwrap();
        let of_other = other.source.next().await.unwrap().unwrap();
        assert_eq!(of_one.held, of_other.held, "numbers of different instances");
        let told = other.runner.run(&of_other).await.unwrap().meta.unwrap();
        assert_eq!(told["number"], 2);
        assert!(other.runner.run(&of_one).await.is_err(), "what stays in one instance is not in another");
    });
}

#[test]
fn an_object_is_consumed_by_its_run() {
    let course = per_client(1, &Recorder::start());
    let mut client = course.client("task", 0);
    course.runtime.block_on(async {
        let params = client.source.next().await.unwrap().unwrap();
        client.runner.run(&params).await.unwrap();
        let error = client.runner.run(&params).await.unwrap_err().to_string();
        assert!(error.contains("conformance 0.1.0"), "{error}");
    });
}

#[test]
fn clients_with_instances_of_their_own_wait_at_the_same_time() {
    // Each is answered only once the other one asks as well.
    let recorder = Recorder::scripted("7.10.2", |seen, recorder| {
        let other = match seen.target.as_str() {
            "/pair/0" => "/pair/1",
            "/pair/1" => "/pair/0",
            _ => return None,
        };
        Some(if recorder.until_seen(other) { Reply::json("{}") } else { Reply::error(500, "alone", "alone") })
    });
    let operation = |number: u32| json!({"operation-type": "send", "target": format!("/pair/{number}")});
    let course = Builder::with_guest("conformance")
        .target(&recorder)
        .task("zero", operation(0), json!({}))
        .task("one", operation(1), json!({}))
        .build();
    let mut zero = course.client("zero", 0);
    let mut one = course.client("one", 0);
    let outcomes = course.runtime.block_on(async { join_all([zero.step(), one.step()].map(Box::pin)).await });
    for outcome in outcomes {
        assert!(outcome.unwrap().unwrap().failure.is_none());
    }
}

#[test]
fn clients_of_one_instance_share_its_objects() {
    let course = per_worker(2, &Recorder::start());
    let mut clients = clients(&course, 2);
    course.runtime.block_on(async {
        let [one, other] = &mut clients[..] else { unreachable!("two clients") };
        let of_one = one.source.next().await.unwrap().unwrap();
        let of_other = other.source.next().await.unwrap().unwrap();
        assert_ne!(of_one.held, of_other.held, "both live in the same instance");
        let told = other.runner.run(&of_one).await.unwrap().meta.unwrap();
        assert_eq!((&told["client"], &told["number"]), (&json!(0), &json!(1)));
        let told = one.runner.run(&of_other).await.unwrap().meta.unwrap();
        assert_eq!((&told["client"], &told["number"]), (&json!(1), &json!(1)));
    });
}

#[test]
fn calls_of_one_instance_come_one_after_the_other() {
    let recorder = Recorder::scripted("7.10.2", |seen, _| {
        seen.target.starts_with("/begin/").then(|| {
            // Long enough for another client to come between, if it could.
            std::thread::sleep(Duration::from_millis(2));
            Reply::json("{}")
        })
    });
    let course = per_worker(4, &recorder);
    let mut clients = clients(&course, 4);
    let requests_of = async |client: &mut Client<'_>| {
        for _ in 0..5 {
            client.step().await.unwrap().unwrap();
        }
    };
    course.runtime.block_on(join_all(clients.iter_mut().map(requests_of)));
    let seen = recorder.take();
    assert_eq!((seen.len(), recorder.most_in_flight()), (40, 1));
    for pair in seen.chunks(2) {
        let of = |target: &str| target.splitn(3, '/').nth(2).map(str::to_owned);
        assert!(pair[0].target.starts_with("/begin/") && pair[1].target.starts_with("/end/"));
        assert_eq!(of(&pair[0].target), of(&pair[1].target), "nobody comes between the requests of a run");
    }
    let mut numbers: Vec<Value> = seen.iter().map(|seen| seen.target.clone().into()).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 40, "each object was used once");
}

#[test]
fn an_instance_goes_with_the_last_of_its_clients() {
    let course = per_worker(2, &Recorder::start());
    let binding = course.bind("task").unwrap();
    for _ in 0..2 {
        let mut clients: Vec<_> = (0..2).map(|index| course.client_of(&binding, "task", index)).collect();
        let held = course.runtime.block_on(async {
            let one = clients[0].source.next().await.unwrap().unwrap().held;
            clients.remove(0);
            let other = clients[0].source.next().await.unwrap().unwrap().held;
            (one.unwrap().get(), other.unwrap().get())
        });
        assert_eq!(held, (1, 2), "a new instance counts from 1, and one that is in use goes on");
    }
}
