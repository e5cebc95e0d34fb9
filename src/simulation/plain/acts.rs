//! How each step is taken in the plainest way.

use super::{
    driver::Plain,
    setup::{judge, lie},
    steps::{Step, forged, heard, payment, resolved, settled},
};
use crate::{
    command::{Answer, Command},
    event::Happening,
    message::NodeId,
    node::Input,
    simulation::drive::UNLIMITED,
    time::Time,
    verbs::{
        DownCause, Settled,
        agreement::{Agreeing, unsettled},
        ending,
        links_up::CameUp,
        state::State,
        traffic::{Judge, Traffic},
        view::View,
    },
    wire::Partition,
};

impl Plain {
    /// Takes a step, and tells what is seen of it.
    pub(super) fn act(&mut self, step: &Step) -> String {
        match *step {
            Step::Connect(one, other) => self.connect(one, other),
            Step::Disconnect(one, other) => {
                self.each_way(one, other, |peer| Command::Unregister(vec![peer]));
            }
            Step::Register(node, peer) => drop(self.command(node, Command::Register(vec![peer]))),
            Step::Join(peer) => {
                let node = self.add(State::Live);
                self.connect(node, peer);
            }
            Step::Puppet(peer) => {
                let puppet = self.add(State::Puppet);
                self.connect(peer, puppet);
            }
            Step::Say(puppet, to, kind) => self.send(puppet, to, lie(&self.rules, kind)),
            Step::Hear(puppet, timeout) => {
                let until = self.now + timeout;
                return heard(self.wait(until, |plain| plain.unread[puppet.index()].pop_front()));
            }
            Step::Mine(node, rate) => {
                self.set_rate(node, f64::from(rate));
                self.command(node, Command::StartMining);
            }
            Step::Stop(node) => {
                self.command(node, Command::StopMining);
                self.set_rate(node, UNLIMITED);
            }
            Step::MineOne(node, timeout) => {
                let until = self.now + timeout;
                let Answer::Mine(answer) = self.ask(node, Command::Mine, until) else { unreachable!() };
                return forged(answer);
            }
            Step::Resolve(node, timeout) => {
                let until = self.now + timeout;
                let Answer::Resolve(answer) = self.ask(node, Command::Resolve, until) else { unreachable!() };
                return resolved(answer);
            }
            Step::Submit(node, amount) => drop(self.command(node, Command::Submit(payment(amount)))),
            Step::Plan(later, node, amount) => {
                let plan = (self.now + later, self.planned);
                self.planned += 1;
                self.plans.insert(plan, (node, payment(amount)));
            }
            Step::SetLink(from, to, link) => self.change(|traffic| traffic.set_link(from, to, link)),
            Step::SetDefault(link) => self.change(|traffic| traffic.set_default(link)),
            Step::SetCost(cost) => self.change(|traffic| traffic.set_block_cost(cost)),
            Step::SetBandwidth(node, bandwidth) => {
                self.change(|traffic| traffic.set_bandwidth(node, bandwidth));
            }
            Step::Judge(kind) => {
                self.change(|traffic| traffic.set_judge(Some(Judge(Box::new(judge(kind))))));
            }
            Step::ClearJudge => self.change(|traffic| traffic.set_judge(None)),
            Step::Partition(node) => {
                let partition = Partition::new([[node]]).unwrap();
                self.change(|traffic| traffic.partition(partition.clone()));
                self.happened(|node| Happening::Partitioned { group: partition.group(node) });
            }
            Step::Heal => {
                self.change(Traffic::heal);
                self.happened(|_| Happening::Healed);
            }
            Step::Hold(from, to) => self.traffic.hold(from, to),
            Step::Release(from, to) => {
                let (came_up, due) = self.traffic.release(self.now, from, to);
                due.into_iter().for_each(|message| self.bring(message));
                self.links_came_up(came_up);
            }
            Step::Crash(node) => {
                let (state, happenings) = ending::end(&self.nodes[node.index()], DownCause::Crashed);
                happenings.into_iter().for_each(|what| self.record(node, what));
                self.traffic.crash(node);
                self.searches.stop(self.now, node);
                self.set_rate(node, UNLIMITED);
                self.wakes[node.index()] = None;
                self.unread[node.index()].clear();
                self.states[node.index()] = state;
            }
            Step::Restart(node, from) => {
                let restarted = ending::restarted(self, self.config(node), self.now, from);
                let happenings = ending::restart(self, node, from);
                happenings.into_iter().for_each(|what| self.record(node, what));
                self.states[node.index()] = State::Live;
                self.nodes[node.index()] = restarted;
                self.links_came_up(Some(CameUp::Of(node)));
            }
            Step::Pause(node) => {
                self.searches.set_rate(self.now, node, 0.0);
                self.states[node.index()] = State::Paused;
                self.record(node, Happening::Paused);
            }
            Step::Resume(node) => self.resume(node),
            Step::Settle(timeout) => {
                let until = self.now + timeout;
                let groups = self.wait(until, |plain| Agreeing::default().look(plain, plain.traffic.links()));
                return settled(groups.map(|groups| Settled { groups }).ok_or_else(|| unsettled(self)));
            }
            Step::CountFromNow => self.count_from_now(),
            Step::Pass(duration) => self.run_until(self.now + duration),
            Step::Find => {
                let mined = self.mined;
                while self.mined == mined {
                    assert!(self.step_until(Time::MAX));
                }
            }
        }
        String::new()
    }

    fn connect(&mut self, one: NodeId, other: NodeId) {
        self.each_way(one, other, |peer| Command::Register(vec![peer]));
    }

    /// Tells two to do something about each other; a puppet does nothing.
    fn each_way(&mut self, one: NodeId, other: NodeId, command: impl Fn(NodeId) -> Command) {
        for (node, peer) in [(one, other), (other, one)] {
            if self.is_live(node) {
                self.command(node, command(peer));
            }
        }
    }

    fn set_rate(&mut self, node: NodeId, rate: f64) {
        self.rates[node.index()] = rate;
        self.searches.set_rate(self.now, node, rate);
    }

    fn resume(&mut self, node: NodeId) {
        self.states[node.index()] = State::Live;
        self.searches.set_rate(self.now, node, self.rates[node.index()]);
        self.wakes[node.index()] = self.wakes[node.index()].map(|at| at.max(self.now));
        self.record(node, Happening::Resumed);
        self.tell_of_losses();
        for (from, message) in std::mem::take(&mut self.unread[node.index()]) {
            self.handle(node, Input::Message(from, message));
        }
        self.links_came_up(Some(CameUp::Of(node)));
    }

    fn happened(&mut self, what: impl Fn(NodeId) -> Happening) {
        let nodes: Vec<_> = self.nodes().collect();
        nodes.into_iter().for_each(|node| self.record(node, what(node)));
    }
}
