//! The world, as all handles of a simulation share it.

use std::{
    cell::{Ref, RefCell, RefMut},
    rc::Rc,
};

use super::world::{Step, World};
use crate::time::Time;

/// The one way to a world: who looks at it finds each block that was found under way, and none that waits to be replayed.
#[derive(Debug, Clone)]
pub(super) struct Shared(Rc<RefCell<World>>);

/// How far a run has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) now: Time,
    /// The blocks of the longest chain.
    pub(crate) longest: u64,
    /// The blocks mined so far.
    pub(crate) mined: u64,
    /// Whether any node searches for a proof.
    pub(crate) is_mining: bool,
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Rc::new(RefCell::new(world)))
    }

    pub(super) fn borrow(&self) -> Ref<'_, World> {
        if self.0.borrow().around.replays.has_found() {
            self.0.borrow_mut().carry_found();
        }
        self.0.borrow()
    }

    pub(super) fn borrow_mut(&self) -> RefMut<'_, World> {
        let mut world = self.0.borrow_mut();
        world.carry_found();
        world.end_recording();
        world
    }

    /// Lets the next thing happen: see [`World::step`].
    pub(super) fn step(&self, limit: Time, replays: bool) -> Step {
        self.0.borrow_mut().step(limit, replays)
    }

    pub(super) fn now(&self) -> Time {
        self.0.borrow().around.now
    }

    /// Tells what a block's way through the network does not change.
    pub(super) fn progress(&self) -> Progress {
        let around = &self.0.borrow().around;
        let is_mining = around.searches.next().is_some();
        Progress { now: around.now, longest: around.longest, mined: around.mined, is_mining }
    }
}
