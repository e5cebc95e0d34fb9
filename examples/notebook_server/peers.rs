//! Who may be registered: the server's own nodes, and foreign ones, each played by a puppet that fetches its chain.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    iter,
    sync::Arc,
    thread,
    time::Duration,
};

use chainlab::{
    Message, Network, NodeId, RequestId, Told,
    network::{Identity, SpawnError},
};
use parking_lot::Mutex;
use ureq::{Agent, http::StatusCode};

use crate::address::{Address, AddressError};

/// How long a foreign peer has for its whole answer.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest document that is read of a foreign peer: some 20,000 blocks.
const CHAIN_MAX: u64 = 8 << 20;

/// The most foreign peers: each takes a thread.
const FOREIGN_MAX: usize = 64;

/// All who can be registered with a node.
pub(crate) struct Peers {
    network: Arc<Network>,
    allow_remote: bool,
    /// The server's own nodes, and the foreign peers that were ever registered.
    known: Mutex<BTreeMap<Address, NodeId>>,
    own: usize,
}

/// Why peers cannot be registered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("{0} is not on this machine; start the server with --allow-remote to ask it")]
    Remote(Address),
    #[error("there can be {FOREIGN_MAX} foreign peers at most")]
    TooMany,
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    #[error("no thread could be started: {0}")]
    Thread(#[from] io::Error),
}

impl Peers {
    pub(crate) fn new(network: Arc<Network>, own: &[(u16, NodeId)], allow_remote: bool) -> Self {
        let known = own.iter().map(|&(port, node)| (Address::local(port), node)).collect();
        Self { network, allow_remote, known: Mutex::new(known), own: own.len() }
    }

    /// Finds the nodes at addresses; those that are nobody's yet become foreign peers. It is all of them or none.
    pub(crate) fn at(&self, addresses: &[String]) -> Result<Vec<NodeId>, PeerError> {
        let addresses = addresses.iter().map(|text| text.parse()).collect::<Result<Vec<Address>, _>>()?;
        let remote = addresses.iter().find(|address| !address.is_on_this_machine());
        if let Some(remote) = remote.filter(|_| !self.allow_remote) {
            return Err(PeerError::Remote(remote.clone()));
        }
        let mut known = self.known.lock();
        let mut new: Vec<_> = addresses.iter().filter(|address| !known.contains_key(address)).collect();
        new.sort();
        new.dedup();
        if known.len() - self.own + new.len() > FOREIGN_MAX {
            return Err(PeerError::TooMany);
        }
        for address in new {
            known.insert(address.clone(), self.start_foreign(address.clone())?);
        }
        Ok(addresses.iter().map(|address| known[address]).collect())
    }

    fn start_foreign(&self, address: Address) -> Result<NodeId, PeerError> {
        let name = Some(address.to_string());
        let puppet = self.network.puppet_as(Identity { name, ..Identity::default() })?;
        let network = Arc::clone(&self.network);
        // It ends with the process: nobody has anything to wait for from it by then.
        thread::Builder::new().name(address.to_string()).spawn(move || play(&network, puppet, &address))?;
        Ok(puppet)
    }
}

/// Answers for a foreign peer whoever asks for its chain: with the document, unread. If there is none it stays silent,
/// as a dead peer does.
fn play(network: &Network, puppet: NodeId, address: &Address) {
    let agent = agent();
    let hear = |timeout| network.hear(puppet, timeout).expect("it is a puppet");
    while let Some(first) = hear(Duration::MAX) {
        // One answer does for all who have asked by now. Those who ask from now on want one that is newer.
        let waiting = iter::once(first).chain(iter::from_fn(|| hear(Duration::ZERO)));
        let asked: Vec<_> =
            waiting.filter_map(|(from, message)| Some((from, chain_request(&message)?))).collect();
        if asked.is_empty() {
            continue;
        }
        match fetch(&agent, address) {
            Ok(document) => {
                for (from, request) in asked {
                    let chain = Told::Document(Arc::clone(&document));
                    network
                        .say(puppet, from, Message::Chain { request, chain })
                        .expect("whoever asks is there");
                }
            }
            Err(error) => {
                // Whoever has started the server may listen no longer.
                let _ = writeln!(io::stderr(), "{address} gives no chain: {error}");
            }
        }
    }
}

fn chain_request(message: &Message) -> Option<RequestId> {
    match message {
        Message::ChainRequest { request } => Some(*request),
        // The notebook's rules know no gossip.
        _ => None,
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder();
    config.timeout_global(Some(FETCH_TIMEOUT)).max_redirects(0).proxy(None).build().new_agent()
}

fn fetch(agent: &Agent, address: &Address) -> Result<Arc<str>, ureq::Error> {
    let mut response = agent.get(format!("http://{address}/chain")).call()?;
    // A redirect is an answer too, and no error to the client.
    if response.status() != StatusCode::OK {
        return Err(ureq::Error::StatusCode(response.status().as_u16()));
    }
    response.body_mut().with_config().limit(CHAIN_MAX).read_to_string().map(Arc::from)
}
