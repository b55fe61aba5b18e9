//! Instances that nobody shares.

use rally_race::{Partition, SourceBinding};
use serde_json::{Value, json};

use crate::course::{Builder, Course, Source, project};

fn isolated(operation: Value, clients: u32) -> Course {
    let component = project().join("tests/guests/sharing/sharing-isolated.wasm");
    Builder::with_component(&component).task("task", operation, json!({"clients": clients})).build()
}

#[test]
fn a_source_may_be_asked_when_its_turn_comes() {
    let course = isolated(json!({"operation-type": "search", "param-source": "in-turn", "requests": 4}), 2);
    let binding = course.bind("task").unwrap();
    assert!(matches!(binding.params, SourceBinding::InTurn(_)));
    for index in 0..2 {
        let mut client = course.client_of(&binding, "task", index);
        let mut left = Vec::new();
        course.runtime.block_on(async {
            while let Some(params) = client.source.next().await.unwrap() {
                left.push(params.values["left"].as_u64().unwrap());
                assert!(client.runner.run(&params).await.unwrap().failure.is_none());
            }
            assert!(client.source.next().await.unwrap().is_none(), "it stays at its end");
        });
        assert_eq!(left, [4, 3, 2, 1]);
    }
    let bodies: Vec<Value> = course.recorder.take().iter().map(|seen| seen.json()).collect();
    assert_eq!(bodies.len(), 8);
    assert_eq!(bodies[..4], [4, 3, 2, 1].map(|size| json!({"size": size})));
}

#[test]
fn an_object_of_a_source_has_no_way_to_a_runner_elsewhere() {
    let course = isolated(json!({"operation-type": "numbered", "param-source": "numbered"}), 1);
    let binding = course.bind("task").unwrap();
    let partition = Partition::of(1, 1, &course.task("task"), 0);
    let error =
        course.runtime.block_on(async { Source::open(&binding, partition).await.next().await.unwrap_err() });
    assert!(error.contains("sharing 0.1.0") && error.contains("source.next"), "{error}");
    assert!(error.contains("do not share an instance") || error.contains("sharing"), "{error}");
}

#[test]
fn clients_beyond_those_that_are_kept_are_opened_when_they_come() {
    let operation = json!({"operation-type": "search", "param-source": "in-turn", "requests": 1});
    let course = isolated(operation, 300);
    let binding = course.bind("task").unwrap();
    course.runtime.block_on(async {
        for index in 0..300 {
            let partition = Partition::of(1, 1, &course.task("task"), index);
            let mut source = Source::open(&binding, partition).await;
            assert_eq!(source.next().await.unwrap().unwrap().values["left"], 1, "client {index}");
            assert!(source.next().await.unwrap().is_none(), "client {index}");
        }
    });
}

#[test]
fn a_client_of_a_later_lap_gets_a_source_of_its_own() {
    let operation = json!({"operation-type": "search", "param-source": "in-turn", "requests": 2});
    let course = isolated(operation, 1);
    let binding = course.bind("task").unwrap();
    course.runtime.block_on(async {
        for lap in 1..=3 {
            let partition = Partition::of(1, lap, &course.task("task"), 0);
            let mut source = Source::open(&binding, partition).await;
            assert_eq!(source.next().await.unwrap().unwrap().values["left"], 2, "lap {lap}");
        }
    });
}
