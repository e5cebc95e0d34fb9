//! Which of random steps can be taken one after the other.

use super::{
    setup::NODES,
    steps::{MOST, Step},
};
use crate::message::NodeId;

/// Leaves out what cannot be done, as of commands to nodes that are paused, down or not there.
pub(super) fn sensible(steps: Vec<Step>) -> Vec<Step> {
    let mut members = Members(vec![Is::Live { mines: false }; NODES as usize]);
    steps.into_iter().filter(|step| members.can_take(step)).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Is {
    Live { mines: bool },
    Paused { mines: bool },
    Down,
    Puppet,
}

/// The nodes and puppets, as the steps taken so far have left them.
struct Members(Vec<Is>);

impl Members {
    fn at(&self, node: NodeId) -> Option<Is> {
        self.0.get(node.index()).copied()
    }

    fn is_there(&self, node: NodeId) -> bool {
        self.at(node).is_some()
    }

    fn is_live(&self, node: NodeId) -> bool {
        matches!(self.at(node), Some(Is::Live { .. }))
    }

    fn is_puppet(&self, node: NodeId) -> bool {
        self.at(node) == Some(Is::Puppet)
    }

    /// Takes in what a node becomes, if it can become that.
    fn turns(&mut self, node: NodeId, becomes: impl FnOnce(Is) -> Option<Is>) -> bool {
        let is = self.0.get_mut(node.index());
        is.and_then(|is| becomes(*is).map(|becomes| *is = becomes)).is_some()
    }

    /// Adds a node or puppet that somebody is to take for a peer, if there is room.
    fn joins(&mut self, is: Is, peer: NodeId) -> bool {
        let can = self.0.len() < MOST as usize && self.is_live(peer);
        self.0.extend(can.then_some(is));
        can
    }

    fn can_take(&mut self, step: &Step) -> bool {
        match *step {
            Step::Connect(one, other) | Step::Disconnect(one, other) => {
                [one, other].into_iter().all(|node| self.is_live(node) || self.is_puppet(node))
            }
            Step::Register(node, peer) => self.is_live(node) && self.is_there(peer),
            Step::Join(peer) => self.joins(Is::Live { mines: false }, peer),
            Step::Puppet(peer) => self.joins(Is::Puppet, peer),
            Step::Say(puppet, to, _) => self.is_puppet(puppet) && self.is_there(to),
            Step::Hear(puppet, _) => self.is_puppet(puppet),
            Step::MineOne(node, _)
            | Step::Resolve(node, _)
            | Step::Submit(node, _)
            | Step::Plan(_, node, _) => self.is_live(node),
            Step::SetLink(from, to, _) | Step::Hold(from, to) | Step::Release(from, to) => {
                self.is_there(from) && self.is_there(to)
            }
            Step::SetBandwidth(node, _) | Step::Partition(node) => self.is_there(node),
            Step::Find => self.0.contains(&Is::Live { mines: true }),
            Step::SetDefault(_)
            | Step::SetCost(_)
            | Step::Judge(_)
            | Step::ClearJudge
            | Step::Heal
            | Step::Settle(_)
            | Step::CountFromNow
            | Step::Pass(_) => true,
            Step::Mine(node, _) => self.turns(node, |is| match is {
                Is::Live { .. } => Some(Is::Live { mines: true }),
                _ => None,
            }),
            Step::Stop(node) => self.turns(node, |is| match is {
                Is::Live { .. } => Some(Is::Live { mines: false }),
                _ => None,
            }),
            Step::Crash(node) => self.turns(node, |is| match is {
                Is::Live { .. } | Is::Paused { .. } => Some(Is::Down),
                _ => None,
            }),
            Step::Restart(node, _) => {
                self.turns(node, |is| (is == Is::Down).then_some(Is::Live { mines: false }))
            }
            Step::Pause(node) => self.turns(node, |is| match is {
                Is::Live { mines } => Some(Is::Paused { mines }),
                _ => None,
            }),
            Step::Resume(node) => self.turns(node, |is| match is {
                Is::Paused { mines } => Some(Is::Live { mines }),
                _ => None,
            }),
        }
    }
}
