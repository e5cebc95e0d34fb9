//! A scenario that was checked: every node found, every rate shared out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    NodeRef, Pace, Payment, Problem, Scenario, ScenarioError, StrategyOf, TieBreakOf,
    act::Due,
    attackers::{check_attacker, find_strategy},
    hash_rates::sum,
    timeline::Timeline,
    topology::check_topology,
};
use crate::{
    message::NodeId,
    pow::Target,
    rules::{Difficulty, Genesis, Rules, Violation},
    strategy::{Behaviour, Strategy, TieBreak},
    text::shortened,
    time::Time,
    transaction::REWARD_SENDER,
    verbs::{HashRate, Identity, Names},
    wire::Topology,
};

/// The most nodes: what is said of each takes some hundred bytes.
const NODES_MAX: usize = 1_000_000;
/// The longest time, some 300 years: what a clock of nanoseconds counts.
pub(super) const SECONDS_MAX: f64 = 1e10;
/// The shortest time from payment to payment.
const EVERY_SECONDS_MIN: f64 = 1e-3;
/// The shortest time wanted for a block, the least that retargeting measures.
const BLOCK_SECONDS_MIN: f64 = 1e-6;

/// All that a driver needs.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) scenario: &'a Scenario,
    /// The rules at the scenario's pace.
    pub(super) rules: Rules,
    pub(super) topology: Topology,
    pub(super) members: Vec<Member>,
    /// In the order of time.
    pub(super) changes: Vec<Due>,
    /// Who mines after the last of them.
    pub(super) miners: BTreeSet<NodeId>,
    pub(super) orders: Vec<Order>,
}

/// A node that is to be started.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The name that it is given, if it is.
    pub(super) name: Option<String>,
    /// Its name, given or not.
    pub(super) address: Arc<str>,
    pub(super) hash_rate: f64,
    pub(super) behaviour: Behaviour,
}

impl Member {
    /// Who the node is.
    pub(super) fn identity(&self) -> Identity {
        let (name, address) = (self.name.clone(), Some(self.address.to_string()));
        Identity { name, address, behaviour: self.behaviour.clone() }
    }

    /// How fast it mines, if it does.
    pub(super) fn rate(&self) -> Option<HashRate> {
        rate(self.hash_rate)
    }
}

/// A rate that was checked; none at 0, at which nobody mines.
pub(super) fn rate(hash_rate: f64) -> Option<HashRate> {
    (hash_rate > 0.0).then(|| HashRate::per_second(hash_rate).expect("every rate was checked"))
}

/// A payment, its nodes found.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) node: NodeId,
    pub(super) sender: Arc<str>,
    pub(super) recipient: Arc<str>,
    pub(super) payment: Payment,
}

impl Scenario {
    /// Checks the scenario, and finds all that a driver needs.
    pub(super) fn prepare(&self) -> Result<Prepared<'_>, ScenarioError> {
        check_range("nodes", self.nodes as f64, 1.0, NODES_MAX as f64)?;
        self.rules
            .check_together()
            .map_err(|error| ScenarioError::new(format!("rules.{}", error.place()), error))?;
        let mut names = self.find_names()?;
        let rates = self.hash_rates.of_each(self)?;
        let rules = self.paced_rules(sum(&rates))?;
        let topology = self.topology();
        check_topology(&topology, self.nodes)?;
        self.check_times()?;
        if self.finality == Some(0) {
            let problem = Problem::Range { found: 0.0, least: 1.0, most: u64::MAX as f64 };
            return Err(ScenarioError::new("finality", problem));
        }
        let (members, joining) = self.find_members(&names, &rates)?;
        let orders = self.find_orders(&names)?;
        let mut timeline = Timeline::new(&mut names, &self.rules, rates, joining);
        let changes = timeline.follow(&self.faults)?;
        let miners = timeline.miners();
        if miners.is_empty() && self.stop.seconds.is_none() {
            let seconds = changes.last().map_or(0.0, |due| due.at.as_secs_f64());
            return Err(ScenarioError::new("stop", Problem::NobodyMines { seconds }));
        }
        Ok(Prepared { scenario: self, rules, topology, members, changes, miners, orders })
    }

    fn find_names(&self) -> Result<Names, ScenarioError> {
        if self.names.len() > self.nodes {
            let problem = Problem::Count { found: self.names.len(), nodes: self.nodes };
            return Err(ScenarioError::new("names", problem));
        }
        let mut names = Names::default();
        for (number, name) in self.names.iter().enumerate() {
            give_name(&mut names, &self.rules, NodeId::new(number as u32), name)
                .map_err(|problem| ScenarioError::new(format!("names[{number}]"), problem))?;
        }
        // The numbers of the others are addresses too.
        check_number(&self.rules, &names, NodeId::new(self.nodes as u32 - 1))?;
        Ok(names)
    }

    fn paced_rules(&self, hashes_per_second: f64) -> Result<Rules, ScenarioError> {
        let rules = self.rules.clone();
        let retarget = rules.difficulty.retarget().copied();
        let seconds = match (self.pace, &retarget) {
            (Pace::BlockSeconds(seconds), _) => {
                check_range("pace.block_seconds", seconds, BLOCK_SECONDS_MIN, SECONDS_MAX)?
            }
            (Pace::Balanced, Some(retarget)) => retarget.spacing().as_secs_f64(),
            (Pace::Balanced, None) | (Pace::AsStated, _) => return Ok(rules),
        };
        let rules = match retarget {
            Some(retarget) if matches!(self.pace, Pace::BlockSeconds(_)) => {
                let retarget = retarget
                    .with_spacing(Duration::from_secs_f64(seconds))
                    .map_err(|error| ScenarioError::new("pace.block_seconds", error))?;
                Rules { difficulty: Difficulty::Retargeted(retarget), ..rules }
            }
            _ => rules,
        };
        if hashes_per_second == 0.0 {
            return Ok(rules);
        }
        let hashes = hashes_per_second * seconds;
        if hashes < 1.0 {
            let problem = Problem::Pace { hashes_per_second, seconds, hashes };
            return Err(ScenarioError::new(self.hash_rates.place(), problem));
        }
        let first = Target::from_expected_hashes(hashes as u128);
        let difficulty = match rules.difficulty {
            Difficulty::Fixed(_) => Difficulty::Fixed(first),
            Difficulty::Retargeted(retarget) => {
                // A bound that cannot be kept is none: the target must follow when hash rates fall.
                let bound = Some(retarget.easiest_target()).filter(|easiest| first <= *easiest);
                let retarget =
                    retarget.starting_at(first).with_easiest_target(bound.unwrap_or(Target::EASIEST));
                Difficulty::Retargeted(retarget.expect("the bound is no harder than the first target"))
            }
        };
        Ok(Rules { difficulty, ..rules })
    }

    fn check_times(&self) -> Result<(), ScenarioError> {
        let warm_up = self.warm_up.as_secs_f64();
        let most = match self.rules.genesis {
            // The clock starts with it.
            Genesis::Shared { time: Some(start), .. } => SECONDS_MAX.min((Time::MAX - start).as_secs_f64()),
            _ => SECONDS_MAX,
        };
        check_range("warm_up_seconds", warm_up, 0.0, most)?;
        let stop = &self.stop;
        if stop.seconds.is_none() && stop.blocks.is_none() && stop.position.is_none() {
            return Err(ScenarioError::new("stop", Problem::NoStop));
        }
        if let Some(seconds) = stop.seconds {
            check_range("stop.seconds", seconds, 0.0, most)?;
            if seconds < warm_up {
                let problem = Problem::StopsInWarmUp { seconds, warm_up_seconds: warm_up };
                return Err(ScenarioError::new("stop.seconds", problem));
            }
        }
        Ok(())
    }

    /// Finds what each node is that there is at the start, and how one behaves that joins.
    fn find_members(
        &self,
        names: &Names,
        rates: &[f64],
    ) -> Result<(Vec<Member>, Joining<'_>), ScenarioError> {
        let find_strategy = |(at, StrategyOf { strategy, .. }): (usize, &StrategyOf)| {
            let path = format!("strategies[{at}].strategy");
            find_strategy(&path, strategy, &self.rules, names, self.nodes)
        };
        let found: Vec<Strategy> =
            self.strategies.iter().enumerate().map(find_strategy).collect::<Result<_, _>>()?;
        for (at, TieBreakOf { tie_break, .. }) in self.tie_breaks.iter().enumerate() {
            let TieBreak::Towards(towards) = tie_break else { continue };
            let miner = towards.miner();
            if names.find(miner, self.nodes).is_none() {
                let path = format!("tie_breaks[{at}].tie_break.towards.miner");
                return Err(ScenarioError::new(path, Problem::UnknownAddress { address: shortened(miner) }));
            }
        }
        let strategies = self.strategies.iter().map(|of| of.nodes.as_deref());
        let strategies = self.assigned("strategies", strategies, names)?;
        let tie_breaks = self.tie_breaks.iter().map(|of| of.nodes.as_deref());
        let tie_breaks = self.assigned("tie_breaks", tie_breaks, names)?;
        let behaves = |strategy: Option<usize>, tie_break: Option<usize>| {
            let behaviour = Behaviour {
                strategy: strategy.map(|at| found[at].clone()).unwrap_or_default(),
                tie_break: tie_break.map(|at| self.tie_breaks[at].tie_break.clone()).unwrap_or_default(),
            };
            let stated = strategy.map(|at| (at, &self.strategies[at].strategy));
            Joining { behaviour, stated }
        };
        let member = |number: usize| {
            let node = NodeId::new(number as u32);
            let name = self.names.get(number).cloned();
            behaves(strategies.of(node), tie_breaks.of(node)).member(names, node, name, rates[number])
        };
        let members = (0..self.nodes).map(member).collect::<Result<_, _>>()?;
        Ok((members, behaves(strategies.others, tie_breaks.others)))
    }

    /// Finds where in a list, whose items are each for some nodes or for all others, that of each node stands.
    fn assigned<'a>(
        &self,
        list: &str,
        items: impl Iterator<Item = Option<&'a [NodeRef]>>,
        names: &Names,
    ) -> Result<Assigned, ScenarioError> {
        let mut assigned = Assigned { named: BTreeMap::new(), others: None };
        for (at, nodes) in items.enumerate() {
            let Some(nodes) = nodes else {
                if assigned.others.replace(at).is_some() {
                    return Err(ScenarioError::new(format!("{list}[{at}]"), Problem::OthersTwice));
                }
                continue;
            };
            for (place, node) in nodes.iter().enumerate() {
                let path = || format!("{list}[{at}].nodes[{place}]");
                let id = find(names, node, self.nodes, path)?;
                if assigned.named.insert(id, at).is_some() {
                    return Err(ScenarioError::new(path(), Problem::Twice { node: node.clone() }));
                }
            }
        }
        Ok(assigned)
    }

    fn find_orders(&self, names: &Names) -> Result<Vec<Order>, ScenarioError> {
        let order = |(at, payment): (usize, &Payment)| {
            let path = format!("transactions[{at}]");
            let from = find(names, &payment.from, self.nodes, || format!("{path}.from"))?;
            let to = find(names, &payment.to, self.nodes, || format!("{path}.to"))?;
            check_range(
                format!("{path}.every_seconds"),
                payment.every.as_secs_f64(),
                EVERY_SECONDS_MIN,
                SECONDS_MAX,
            )?;
            check_range(format!("{path}.start_seconds"), payment.start.as_secs_f64(), 0.0, SECONDS_MAX)?;
            if from == to {
                let problem = Problem::Itself { node: payment.to.clone() };
                return Err(ScenarioError::new(format!("{path}.to"), problem));
            }
            let (sender, recipient) = (names.of(from), names.of(to));
            Ok(Order { node: from, sender, recipient, payment: payment.clone() })
        };
        self.transactions.iter().enumerate().map(order).collect()
    }
}

/// How a node behaves that is yet to be there.
#[derive(Debug)]
pub(super) struct Joining<'a> {
    behaviour: Behaviour,
    /// Its strategy as it is stated, and where that stands in the list, if any is.
    stated: Option<(usize, &'a Strategy<NodeRef>)>,
}

impl Joining<'_> {
    /// Makes a node of it, whose name is its own if it has one.
    pub(super) fn member(
        &self,
        names: &Names,
        node: NodeId,
        name: Option<String>,
        hash_rate: f64,
    ) -> Result<Member, ScenarioError> {
        let (address, behaviour) = (names.of(node), self.behaviour.clone());
        if let Some((at, stated)) = self.stated {
            let path = format!("strategies[{at}].strategy");
            check_attacker(&path, stated, &behaviour.strategy, node, &address)?;
        }
        Ok(Member { name, address, hash_rate, behaviour })
    }
}

/// Where in a list stands what nodes were given one by one, and what all others were.
struct Assigned {
    named: BTreeMap<NodeId, usize>,
    others: Option<usize>,
}

impl Assigned {
    fn of(&self, node: NodeId) -> Option<usize> {
        self.named.get(&node).copied().or(self.others)
    }
}

/// Finds a node among so many.
pub(super) fn find(
    names: &Names,
    node: &NodeRef,
    nodes: usize,
    path: impl Fn() -> String,
) -> Result<NodeId, ScenarioError> {
    let found = match node {
        NodeRef::Number(number) => (*number < nodes as u64).then(|| NodeId::new(*number as u32)),
        NodeRef::Name(name) => names.find(name, nodes),
    };
    found.ok_or_else(|| ScenarioError::new(path(), Problem::UnknownNode { node: node.clone(), nodes }))
}

/// Gives a node its name, which is its address too.
pub(super) fn give_name(names: &mut Names, rules: &Rules, node: NodeId, name: &str) -> Result<(), Problem> {
    if name.is_empty() || name == REWARD_SENDER {
        return Err(Problem::Name { name: shortened(name) });
    }
    check_address(rules, name)?;
    names.check(node, Some(name))?;
    names.give(node, Some(name));
    Ok(())
}

fn check_address(rules: &Rules, name: &str) -> Result<(), Problem> {
    rules
        .check_miner(name)
        .map_err(|violation| Problem::Address { name: shortened(name), violation: Box::new(violation) })
}

/// Checks the address of a node that may have no name but its number.
pub(super) fn check_number(rules: &Rules, names: &Names, node: NodeId) -> Result<(), ScenarioError> {
    check_address(rules, &names.of(node))
        .map_err(|problem| ScenarioError::new(bound_on_address(&problem), problem))
}

/// Where the bound of the rules stands that an address exceeds which follows from a node's number.
fn bound_on_address(problem: &Problem) -> &'static str {
    match problem {
        Problem::Address { violation, .. } if matches!(**violation, Violation::TooManyBytes { .. }) => {
            "rules.block_bytes_max"
        }
        _ => "rules.address_chars_max",
    }
}

/// Returns a number that is in its range.
pub(super) fn check_range(
    path: impl Into<String>,
    found: f64,
    least: f64,
    most: f64,
) -> Result<f64, ScenarioError> {
    // What is not a number is in no range.
    match (least..=most).contains(&found) {
        true => Ok(found),
        false => Err(ScenarioError::new(path, Problem::Range { found, least, most })),
    }
}
