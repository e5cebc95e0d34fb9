//! The ends of nodes' threads, and their pauses.

use std::sync::Arc;

use crossbeam_channel::bounded;

use super::{
    mailbox::{self, Control, Member},
    shared::Shared,
    worker::start_worker,
};
use crate::{
    event::Event,
    message::NodeId,
    verbs::{
        DownCause, NodeError, RestartError, RestartFrom, ending,
        state::{Check, State},
        view::View,
    },
};

pub(super) fn crash(shared: &Shared, node: NodeId) -> Result<(), NodeError> {
    let member = shared.member(node)?;
    let mut thread = member.thread();
    shared.tell(node, State::check_up, Control::End(DownCause::Crashed))?;
    Member::join(&mut thread);
    match check(shared, node, State::check_up) {
        Err(NodeError::Down { cause: DownCause::Crashed, .. }) => Ok(()),
        other => other,
    }
}

pub(super) fn restart(shared: &Arc<Shared>, node: NodeId, from: RestartFrom) -> Result<(), RestartError> {
    let member = shared.member(node)?;
    let mut thread = member.thread();
    let _starting = shared.starting();
    let is_shut_down = shared
        .nodes
        .look(|table| ending::check_restart(table.known(node)?, node).map(|()| table.is_shut_down))?;
    if is_shut_down {
        return Err(NodeError::Down { node, cause: DownCause::ShutDown }.into());
    }
    // One that panicked may still be on its way out.
    Member::join(&mut thread);
    let time = shared.clock.now(node);
    let config = shared.node_config(&member);
    let (state, recorded) = shared
        .nodes
        .look(|table| (ending::restarted(table, config, time, from), ending::restart(table, node, from)));
    let chain = state.chain().clone();
    let (line, mailbox) = mailbox::open(shared.inbox_room);
    *thread = Some(start_worker(state, shared, &member, mailbox)?);
    // It has nothing to do before others know that it is up.
    let events: Vec<_> = recorded.into_iter().map(|what| Event { time, node, what }).collect();
    shared.watch.record_with(&events, || {
        shared.nodes.change_quietly(&member, |row, spoken_to_by| {
            (row.state, row.chain) = (State::Live, chain);
            *spoken_to_by = Some(line);
        });
    });
    shared.nodes.wake(&member);
    Ok(())
}

pub(super) fn pause(shared: &Shared, node: NodeId) -> Result<(), NodeError> {
    let member = shared.member(node)?;
    let _thread = member.thread();
    let (standing_still, stands_still) = bounded(0);
    shared.tell(node, State::check_live, Control::Pause(standing_still))?;
    let Err(_) = stands_still.recv();
    match check(shared, node, State::check_live) {
        Err(NodeError::Paused { .. }) => Ok(()),
        other => other,
    }
}

pub(super) fn resume(shared: &Shared, node: NodeId) -> Result<bool, NodeError> {
    let member = shared.member(node)?;
    let _thread = member.thread();
    if check(shared, node, State::check_live).is_ok() {
        return Ok(false);
    }
    let (going_on, goes_on) = bounded(0);
    shared.tell(node, State::check_up, Control::Resume(going_on))?;
    let Err(_) = goes_on.recv();
    check(shared, node, State::check_live)?;
    Ok(true)
}

fn check(shared: &Shared, node: NodeId, check: Check) -> Result<(), NodeError> {
    shared.nodes.look(|table| check(table.known(node)?, node))
}
