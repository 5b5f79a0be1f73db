//! Row V25: however many ask, on however many nodes, one request goes out.

use super::*;

#[test]
fn v25_200_callers_of_an_expired_connection_cost_one_request() {
    let stage = Stage::expired();
    stage.provider.set(|state| state.shut = true);
    let answers = stage.crowd(&[stage.node()], 200);
    stage.provider.came(1);
    stage.provider.set(|state| state.shut = false);
    for answer in answers {
        assert_eq!("a1", token(&stage.runtime.block_on(answer).expect("caller")));
    }
    assert_eq!(1, stage.provider.requests());
    assert_eq!(Some(2), stage.row().map(|row| row.generation));
    assert_eq!(0, stage.journals(), "nothing is left behind");
}

#[test]
fn v25_four_nodes_on_one_database_send_one_request() {
    let stage = Stage::expired();
    let nodes: Vec<_> = (0..4).map(|_| stage.node()).collect();
    stage.provider.set(|state| state.shut = true);
    let answers = stage.crowd(&nodes, 200);
    stage.provider.came(1);
    stage.provider.set(|state| state.shut = false);
    for answer in answers {
        assert_eq!("a1", token(&stage.runtime.block_on(answer).expect("caller")));
    }
    assert_eq!(1, stage.provider.requests());
}

#[test]
fn v25_what_is_used_is_refreshed_before_anybody_asks_and_by_one_node() {
    let stage = Stage::with_life(100);
    let nodes: Vec<_> = (0..4).map(|_| stage.node()).collect();
    let rounds = |nodes: &[Refresher]| {
        stage.runtime.block_on(async {
            for node in nodes {
                node.round().await;
            }
            for node in nodes {
                node.drain().await;
            }
        });
    };
    stage.sql("UPDATE connection SET last_used_at = 1000");
    rounds(&nodes);
    assert_eq!(0, stage.provider.requests(), "nobody has used it for a week");
    stage.connect(3000);
    rounds(&nodes);
    assert_eq!(0, stage.provider.requests(), "it is good for long");
    stage.connect(100);
    rounds(&nodes);
    assert_eq!(1, stage.provider.requests());
    assert_eq!("a1", token(&stage.ask(&nodes[0])));
}
