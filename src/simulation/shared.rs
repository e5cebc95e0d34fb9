//! The world, as all handles of a simulation share it.

use std::{
    cell::{Ref, RefCell, RefMut},
    rc::Rc,
};

use super::{
    carry::Surroundings,
    world::{Step, World},
};
use crate::time::Time;

/// The one way to a world: who looks at it finds each block that was found under way, and none that waits to be replayed.
#[derive(Debug, Clone)]
pub(super) struct Shared(Rc<RefCell<World>>);

/// How far a run has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// The blocks of the longest chain that there has been.
    pub(crate) longest: u64,
    /// The blocks mined so far.
    pub(crate) mined: u64,
    /// Whether any node searches for a proof.
    pub(crate) is_mining: bool,
    /// When the next of what was planned is due.
    pub(crate) next_plan: Option<Time>,
    /// Whether nothing is on its way to nodes that are said to have it.
    pub(crate) is_settled: bool,
}

/// What ends a run, whatever the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    /// So many blocks mined.
    pub(crate) mined: u64,
    /// So many blocks in the longest chain that there has been.
    pub(crate) longest: u64,
}

impl Goal {
    /// One that no run reaches.
    pub(crate) const NONE: Self = Self { mined: u64::MAX, longest: u64::MAX };

    /// Tells whether a run is there that has mined so many blocks, and has so many in its longest chain.
    pub(crate) fn is_reached(self, mined: u64, longest: u64) -> bool {
        mined >= self.mined || longest >= self.longest
    }
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Rc::new(RefCell::new(world)))
    }

    pub(super) fn borrow(&self) -> Ref<'_, World> {
        self.assert_settled();
        if self.0.borrow().around.replays.has_found() {
            self.0.borrow_mut().carry_found();
        }
        self.0.borrow()
    }

    pub(super) fn borrow_mut(&self) -> RefMut<'_, World> {
        self.assert_settled();
        self.come_to_rest(None)
    }

    /// Lets time pass until a moment at which nothing comes any more; what was replayed has come by then.
    pub(super) fn advance(&self, moment: Time) {
        let mut world = self.come_to_rest(Some(moment));
        if world.around.now <= moment {
            world.around.advance(moment);
        }
    }

    /// Has nothing be left open before somebody acts on the world at a moment to come, or now.
    fn come_to_rest(&self, moment: Option<Time>) -> RefMut<'_, World> {
        let mut world = self.0.borrow_mut();
        world.carry_found();
        let now = world.around.now;
        let moment = moment.map_or(now, |moment| moment.max(now));
        world.end_recording(moment);
        world
    }

    /// Lets the next thing happen: see [`World::step`].
    pub(super) fn step(&self, limit: Time, unseen_until: Option<Goal>) -> Step {
        self.0.borrow_mut().step(limit, unseen_until)
    }

    fn assert_settled(&self) {
        debug_assert!(self.progress().is_settled, "nobody looks while a block is on its way that all have");
    }

    pub(super) fn now(&self) -> Time {
        self.0.borrow().around.now
    }

    /// Tells what a block's way through the network does not change.
    pub(super) fn progress(&self) -> Progress {
        let world = self.0.borrow();
        let (around, next_plan) = (&world.around, world.next_plan());
        let is_mining = around.searches.next().is_some();
        let Surroundings { now, longest, mined, .. } = *around;
        let is_settled = around.replays.settled_by <= now;
        Progress { longest, mined, is_mining, next_plan, is_settled }
    }
}
