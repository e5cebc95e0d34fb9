//! What changes in the course of a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::NodeRef;
use crate::wire::Link;

/// Something that changes at a time.
///
/// ```
/// use chainlab::experiment::{Change, Fault};
///
/// let fault: Fault = serde_json::from_str(r#"{"at_seconds": 60, "kind": "crash", "nodes": [3, "alice"]}"#)?;
/// assert_eq!(fault.change, Change::Crash { nodes: vec![3.into(), "alice".into()] });
///
/// let error = serde_json::from_str::<Fault>(r#"{"at_seconds": 60, "kind": "heal", "nodes": [3]}"#).unwrap_err();
/// assert_eq!(error.to_string(), "`heal` has no field `nodes`");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Fault {
    /// When it happens.
    pub at: Duration,
    /// What happens.
    pub change: Change,
}

/// What changes. In a document it is named by `kind`, in snake case.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Nodes go on at another hash rate, each at this one.
    SetHashRate {
        /// The nodes.
        nodes: Vec<NodeRef>,
        /// The attempts a second of each; at 0 it mines no more.
        hash_rate: f64,
    },
    /// The network is cut into groups; nodes that are in none stay together as one further group.
    Partition {
        /// The groups.
        groups: Vec<Vec<NodeRef>>,
    },
    /// The partition ends.
    Heal,
    /// Nodes crash.
    Crash {
        /// The nodes.
        nodes: Vec<NodeRef>,
    },
    /// Nodes that are down begin again, and mine at the hash rate that they had.
    Restart {
        /// The nodes.
        nodes: Vec<NodeRef>,
        /// Whether they begin with the genesis instead of the chain that they had; by default they do not.
        lost_disk: bool,
    },
    /// One node more, with the next number, comes and is joined to others.
    Join {
        /// The others.
        peers: Vec<NodeRef>,
        /// Its name, if it has one.
        name: Option<String>,
        /// Its attempts a second; by default 0, with which it does not mine.
        hash_rate: f64,
    },
    /// A directed link becomes another.
    SetLink {
        /// Who sends, and who receives; left out, all links that have no setting of their own.
        ends: Option<(NodeRef, NodeRef)>,
        /// What it is like from then on.
        link: Link,
    },
}

/// A change as it stands in a document: every kind's fields in one, so that an error finds its path.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "at_seconds", with = "crate::time::seconds")]
    at: Duration,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nodes: Option<Vec<NodeRef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Vec<NodeRef>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost_disk: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peers: Option<Vec<NodeRef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash_rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<NodeRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<NodeRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<Link>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    SetHashRate,
    Partition,
    Heal,
    Crash,
    Restart,
    Join,
    SetLink,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::SetHashRate => "set_hash_rate",
            Self::Partition => "partition",
            Self::Heal => "heal",
            Self::Crash => "crash",
            Self::Restart => "restart",
            Self::Join => "join",
            Self::SetLink => "set_link",
        }
    }
}

/// A change with fields that are not its kind's.
#[derive(Debug, Error)]
enum FieldError {
    #[error("`{kind}` has no field `{field}`")]
    Unknown { kind: &'static str, field: &'static str },
    #[error("`{kind}` lacks the field `{field}`")]
    Missing { kind: &'static str, field: &'static str },
    #[error(
        "`{stated}` is {node}, but a link has two ends: state `{other}` as well, or neither for all links"
    )]
    OneEnd { stated: &'static str, node: NodeRef, other: &'static str },
}

impl Document {
    fn new(at: Duration, kind: Kind) -> Self {
        Self {
            at,
            kind,
            nodes: None,
            groups: None,
            lost_disk: None,
            peers: None,
            name: None,
            hash_rate: None,
            from: None,
            to: None,
            link: None,
        }
    }

    /// A field that is stated and has not been taken out.
    fn left_over(&self) -> Option<&'static str> {
        let Self { at: _, kind: _, nodes, groups, lost_disk, peers, name, hash_rate, from, to, link } = self;
        let fields = [
            ("nodes", nodes.is_some()),
            ("groups", groups.is_some()),
            ("lost_disk", lost_disk.is_some()),
            ("peers", peers.is_some()),
            ("name", name.is_some()),
            ("hash_rate", hash_rate.is_some()),
            ("from", from.is_some()),
            ("to", to.is_some()),
            ("link", link.is_some()),
        ];
        fields.into_iter().find(|(_, is_stated)| *is_stated).map(|(field, _)| field)
    }
}

impl TryFrom<Document> for Fault {
    type Error = FieldError;

    fn try_from(mut document: Document) -> Result<Self, FieldError> {
        let kind = document.kind.name();
        let missing = |field| move || FieldError::Missing { kind, field };
        let change = match document.kind {
            Kind::SetHashRate => Change::SetHashRate {
                nodes: document.nodes.take().ok_or_else(missing("nodes"))?,
                hash_rate: document.hash_rate.take().ok_or_else(missing("hash_rate"))?,
            },
            Kind::Partition => {
                Change::Partition { groups: document.groups.take().ok_or_else(missing("groups"))? }
            }
            Kind::Heal => Change::Heal,
            Kind::Crash => Change::Crash { nodes: document.nodes.take().ok_or_else(missing("nodes"))? },
            Kind::Restart => Change::Restart {
                nodes: document.nodes.take().ok_or_else(missing("nodes"))?,
                lost_disk: document.lost_disk.take().unwrap_or(false),
            },
            Kind::Join => Change::Join {
                peers: document.peers.take().ok_or_else(missing("peers"))?,
                name: document.name.take(),
                hash_rate: document.hash_rate.take().unwrap_or(0.0),
            },
            Kind::SetLink => Change::SetLink {
                ends: match (document.from.take(), document.to.take()) {
                    (Some(from), Some(to)) => Some((from, to)),
                    (None, None) => None,
                    (Some(node), None) => {
                        return Err(FieldError::OneEnd { stated: "from", node, other: "to" });
                    }
                    (None, Some(node)) => {
                        return Err(FieldError::OneEnd { stated: "to", node, other: "from" });
                    }
                },
                link: document.link.take().ok_or_else(missing("link"))?,
            },
        };
        match document.left_over() {
            None => Ok(Self { at: document.at, change }),
            Some(field) => Err(FieldError::Unknown { kind, field }),
        }
    }
}

/// Returns the field of a fault's document that is not its kind's, if that is the problem with it.
pub(super) fn stray_field(fault: &Value, problem: &str) -> Option<&'static str> {
    let error = Fault::try_from(Document::deserialize(fault).ok()?).err()?;
    match error {
        FieldError::Unknown { field, .. } if problem.starts_with(&error.to_string()) => Some(field),
        _ => None,
    }
}

impl From<Fault> for Document {
    fn from(Fault { at, change }: Fault) -> Self {
        let of = |kind| Self::new(at, kind);
        match change {
            Change::SetHashRate { nodes, hash_rate } => {
                Self { nodes: Some(nodes), hash_rate: Some(hash_rate), ..of(Kind::SetHashRate) }
            }
            Change::Partition { groups } => Self { groups: Some(groups), ..of(Kind::Partition) },
            Change::Heal => of(Kind::Heal),
            Change::Crash { nodes } => Self { nodes: Some(nodes), ..of(Kind::Crash) },
            Change::Restart { nodes, lost_disk } => {
                Self { nodes: Some(nodes), lost_disk: Some(lost_disk), ..of(Kind::Restart) }
            }
            Change::Join { peers, name, hash_rate } => {
                Self { peers: Some(peers), name, hash_rate: Some(hash_rate), ..of(Kind::Join) }
            }
            Change::SetLink { ends, link } => {
                let (from, to) = ends.unzip();
                Self { from, to, link: Some(link), ..of(Kind::SetLink) }
            }
        }
    }
}
