//! What is left out of a page that would be too large.

use super::records::{Records, What};

/// Leaves out as little as makes so many events of all, and tells what that was: first the messages that are about no
/// block, then all messages, then nodes, and in the end what comes last. What stays is as it happened: a node is shown
/// with all its events or not at all.
pub(super) fn thin(records: &mut Records, most: usize) -> Vec<String> {
    let mut left_out = Vec::new();
    let mut leave_out = |records: &mut Records, what: &str, is_left_out: &dyn Fn(What) -> bool| {
        if records.all.len() > most {
            let before = records.all.len();
            records.all.retain(|record| !is_left_out(record.what));
            if records.all.len() < before {
                left_out.push(what.to_owned());
            }
        }
    };
    leave_out(records, "messages that are about no block", &|what| {
        matches!(what, What::Message { block: None, .. })
    });
    leave_out(records, "all messages", &|what| matches!(what, What::Message { .. }));
    left_out.extend(hide_nodes(records, most));
    if records.all.len() > most {
        records.all.truncate(most);
        left_out.push("what came later".to_owned());
    }
    left_out
}

/// Hides all nodes but one in so many. What they mined stays: others stand on it.
fn hide_nodes(records: &mut Records, most: usize) -> Option<String> {
    let mut of_node = vec![0; records.nodes.len()];
    let mut mined = 0;
    for record in &records.all {
        match record.what {
            What::Mined { .. } => mined += 1,
            _ => of_node[record.node as usize] += 1,
        }
    }
    let kept = |step: usize| mined + of_node.iter().step_by(step).sum::<usize>();
    let steps = (0..usize::BITS).map(|power| 1 << power).take_while(|step| *step < 2 * records.nodes.len());
    let step = steps.into_iter().find(|step| kept(*step) <= most || *step >= records.nodes.len())?;
    if step == 1 {
        return None;
    }
    for (place, node) in records.nodes.iter_mut().enumerate() {
        node.is_hidden = place % step != 0;
    }
    let Records { all, nodes, .. } = records;
    all.retain(|record| matches!(record.what, What::Mined { .. }) || !nodes[record.node as usize].is_hidden);
    Some(format!("all nodes but one in {step}"))
}
