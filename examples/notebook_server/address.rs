//! Where a peer is, in any spelling that the notebook takes.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use axum::http::uri::Authority;

/// This machine, however it is spelled.
const HERE: &str = "localhost";

/// The longest name that a machine can have on the internet (RFC 1035, section 2.3.4).
const HOST_MAX: usize = 253;

/// What else is this machine to whoever calls it: Flask says that it runs on 0.0.0.0.
const HERE_TOO: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
];

/// A host and a port. This machine is always called localhost, so that two spellings of a peer are one peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

/// Why a text is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not http://host:port")]
pub(crate) struct AddressError(String);

impl Address {
    /// A port of this machine.
    pub(crate) fn local(port: u16) -> Self {
        Self { host: HERE.into(), port }
    }

    pub(crate) fn is_on_this_machine(&self) -> bool {
        self.host == HERE || self.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads what Python's `urlparse` finds for a URL's `netloc`, and of that the host and the port.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        read(text.trim()).ok_or_else(|| AddressError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn read(url: &str) -> Option<Address> {
    let (scheme, rest) = url.split_once("//")?;
    if !scheme.is_empty() && !is_scheme(scheme.strip_suffix(':')?) {
        return None;
    }
    let authority: Authority = rest.split(['/', '?', '#']).next()?.parse().ok()?;
    let host = authority.host().to_ascii_lowercase();
    let (_, after_user) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    let port = match &after_user[host.len()..] {
        // Without a port it is the usual one.
        "" | ":" => 80,
        port => {
            let digits =
                port.strip_prefix(':').filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))?;
            digits.parse().ok().filter(|port| *port > 0)?
        }
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.is_empty() || bare.len() > HOST_MAX {
        return None;
    }
    let is_here = HERE_TOO.iter().any(|here| bare.parse() == Ok(*here));
    Some(Address { host: if is_here { HERE.into() } else { host }, port })
}

fn is_scheme(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|each| each.is_ascii_alphanumeric() || "+-.".contains(each))
}
