//! What sources hand over, and what they are told.

use rally_race::{BodyKind, Params, SourceBinding};
use serde_json::{Value, json};

use crate::course::{Builder, Source};

fn body(params: &Params) -> Value {
    serde_json::from_slice(&params.body).unwrap()
}

#[test]
fn the_context_tells_all_about_the_race_as_a_client_sees_it() {
    let operation = json!({"operation-type": "search", "param-source": "race", "own": [1, {"a": null}]});
    let task = json!({"clients": 4, "target-throughput": 100, "iterations": 8, "schedule": "steps", "step-millis": 5});
    let course = Builder::with_guest("conformance").task("told", operation, task).seed(99).build();
    let seed = rally_race::Partition::of(99, 1, &course.task("told"), 2).seed;
    let told = body(&course.requests("told", 2, 1)[0]);
    assert_eq!(
        told,
        json!({
            "track_name": "places",
            "indices": ["places"],
            "challenges": ["conformance"],
            "challenge": "conformance",
            "task": "told",
            "params": {
                "operation-type": "search", "param-source": "race", "own": [1, {"a": null}], "name": "told",
            },
            "task_params": {
                "clients": 4, "target-throughput": 100, "iterations": 8, "schedule": "steps", "step-millis": 5, "operation": "told",
            },
            "target_throughput": 25.0,
            "partition": [2, 4],
            "seed": seed,
            "clusters": ["default"],
        })
    );
}

#[test]
fn bodies_are_of_each_kind_and_from_each_place() {
    let operation = json!({"operation-type": "search", "param-source": "bodies"});
    let course = Builder::with_guest("conformance").task("bodies", operation, json!({})).build();
    let made = course.requests("bodies", 0, 7);
    let shown: Vec<_> = made
        .iter()
        .map(|params| (params.values["number"].clone(), params.body_kind, &params.body[..], params.documents))
        .collect();
    let none: &[u8] = b"";
    assert_eq!(shown[0], (json!(1), BodyKind::Bytes, none, 0));
    assert_eq!(shown[1], (json!(2), BodyKind::Json, &b"{\"kind\":\"json\"}"[..], 0));
    assert_eq!(shown[2], (json!(3), BodyKind::Text, &b"{\"index\":{}}\n{\"kind\":\"text\"}\n"[..], 1));
    assert_eq!(shown[3], (json!(4), BodyKind::Bytes, &[0, 255, 10][..], 0));
    assert_eq!(shown[4], (json!(5), BodyKind::Json, &b"{\"kind\":\"body of the host\"}"[..], 0));
    let patched = &b"{\"kind\":\"built\",\"time\":\"1234\"}"[..];
    assert_eq!(shown[5], (json!(6), BodyKind::Json, patched, 0));
    assert_eq!(shown[6].0, json!(1), "and again");
}

#[test]
fn lines_become_requests() {
    let operation = json!({"operation-type": "search", "param-source": "lines"});
    let course = Builder::with_guest("conformance").task("lines", operation, json!({})).build();
    let made = course.requests("lines", 0, 3);
    let numbers: Vec<&Value> = made.iter().map(|params| &params.values["number"]).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(made.iter().all(|params| !params.values.contains_key("body")), "a body is no parameter");
    assert_eq!(
        (made[0].body_kind, body(&made[0])),
        (BodyKind::Json, json!({"number": 1, "text": "two\nlines"}))
    );
    assert_eq!((made[1].body_kind, &made[1].body[..]), (BodyKind::Text, &b"{\"index\":{}}\n{}\n"[..]));
    assert!(made[2].body.is_empty());
}

#[test]
fn an_end_is_known_before_or_comes_by_surprise() {
    let operation = |known: bool| json!({"operation-type": "search", "param-source": "finite", "requests": 5, "size": known});
    let course = Builder::with_guest("conformance")
        .task("known", operation(true), json!({}))
        .task("surprise", operation(false), json!({}))
        .build();
    for (task, size) in [("known", Some(5)), ("surprise", None)] {
        let mut client = course.client(task, 0);
        assert_eq!(client.source.size(), size);
        assert!(course.bind(task).unwrap().params.finite());
        let mut made = 0;
        course.runtime.block_on(async {
            while client.source.next().await.unwrap().is_some() {
                made += 1;
            }
            assert!(client.source.next().await.unwrap().is_none(), "it stays at its end");
        });
        assert_eq!(made, 5);
    }
}

#[test]
fn a_source_that_shares_its_instance_is_asked_when_its_turn_comes() {
    let operation = json!({"operation-type": "search", "param-source": "finite"});
    let course = Builder::with_guest("conformance").task("finite", operation, json!({})).build();
    assert!(matches!(course.bind("finite").unwrap().params, SourceBinding::InTurn(_)));
}

#[test]
fn parameters_of_another_kind_are_refused_with_their_name() {
    let operation = json!({"operation-type": "search", "param-source": "finite", "requests": "many"});
    let course = Builder::with_guest("conformance").task("finite", operation, json!({})).build();
    let error = course.bind("finite").err().unwrap();
    for part in ["conformance 0.1.0", "source.open", "finite", "'requests'", "\"many\""] {
        assert!(error.contains(part), "no {part} in {error}");
    }
}

#[test]
fn the_default_parameters_of_a_foreign_operation_are_those_of_its_operation() {
    let operation = json!({"operation-type": "echo", "own": 7});
    let course = Builder::with_guest("conformance").task("echo", operation, json!({})).build();
    let mut client = course.client("echo", 0);
    client.run().unwrap();
    let seen = course.recorder.take();
    assert_eq!(seen.last().unwrap().json()["params"]["own"], 7);
}

#[test]
fn sources_of_different_clients_draw_different_numbers() {
    let operation = json!({"operation-type": "search", "param-source": "finite"});
    let course = Builder::with_guest("conformance").task("finite", operation, json!({"clients": 2})).build();
    let bodies = |index| {
        let made = course.requests("finite", index, 10);
        made.iter().map(body).collect::<Vec<_>>()
    };
    assert_eq!(bodies(0), bodies(0));
    assert_ne!(bodies(0), bodies(1));
}

#[test]
fn a_source_opens_again_for_each_client() {
    let operation = json!({"operation-type": "search", "param-source": "finite", "requests": 1});
    let course = Builder::with_guest("conformance").task("finite", operation, json!({"clients": 2})).build();
    let binding = course.bind("finite").unwrap();
    course.runtime.block_on(async {
        for index in [0, 1] {
            let partition = rally_race::Partition::of(1, 1, &course.task("finite"), index);
            let mut source = Source::open(&binding, partition).await;
            assert!(source.next().await.unwrap().is_some());
            assert!(source.next().await.unwrap().is_none());
        }
    });
}

#[test]
fn the_size_of_a_source_bounds_only_a_task_that_says_nothing_of_iterations_and_times() {
    let operation = || json!({"operation-type": "search", "param-source": "endless", "size": 3});
    let course = Builder::with_guest("conformance")
        .task("bare", operation(), json!({}))
        .task("iterations", operation(), json!({"iterations": 20}))
        .task("time", operation(), json!({"time-period": 1}))
        .build();
    assert_eq!(course.requests("bare", 0, 50).len(), 3);
    for task in ["iterations", "time"] {
        assert_eq!(course.requests(task, 0, 50).len(), 50, "{task}");
        let binding = course.bind(task).unwrap();
        let partition = rally_race::Partition::of(1, 1, &course.task(task), 0);
        let source = course.runtime.block_on(Source::open(&binding, partition));
        assert_eq!(source.size(), Some(3), "it is there for progress");
    }
}
