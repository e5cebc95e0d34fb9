//! How much of one sender may wait, in messages and in bytes: in an inbox, or on a link.

/// The most that may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

impl Room {
    /// What an inbox has for each sender, unless it is set up otherwise.
    pub(crate) const INBOX: Self = Self { messages: 1024, bytes: 64_000_000 };
    /// What a link has, unless it is set up otherwise.
    pub(crate) const LINK: Self = Self { messages: 65_536, bytes: 64_000_000 };
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Waiting {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

impl Waiting {
    /// Tells whether a message of so many bytes may wait, too. By itself any may, however long it is: otherwise it could
    /// never be said.
    pub(crate) fn leaves_room(self, bytes: u64, room: Room) -> bool {
        let all = self.bytes.checked_add(bytes);
        self.messages < room.messages && (self.messages == 0 || all.is_some_and(|all| all <= room.bytes))
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }

    pub(crate) fn remove(&mut self, bytes: u64) {
        self.messages -= 1;
        self.bytes -= bytes;
    }
}
