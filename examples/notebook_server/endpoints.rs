//! The notebook's five endpoints, with its texts and its status codes; one of our own, for a verdict on a chain; and a page
//! for people.

use std::{collections::BTreeMap, fmt::Display, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{FromRequest, Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use chainlab::{
    Blockchain, ChainError, InvalidBlock, Network, NodeId, Transaction,
    network::{CallError, NodeError, RegisterError},
};
use http_body_util::BodyExt;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use tower_http::cors::CorsLayer;

use crate::{
    listener::{CLIENTS_MAX, READ_TIMEOUT},
    peers::{PeerError, Peers},
};

/// The longest document that a client may send, in bytes: a chain of some 2500 blocks.
const DOCUMENT_MAX: usize = 1 << 20;

/// How much is read of what is too long: a client that is still writing would not hear why it is refused.
const READ_MAX: usize = 16 * DOCUMENT_MAX;

const PAGE: &str = include_str!("page.html");

const INVALID_NODES: &str = "Error: Please supply a valid list of nodes";

/// The node behind a listener.
#[derive(Clone)]
pub(crate) struct Served {
    network: Arc<Network>,
    node: NodeId,
    peers: Arc<Peers>,
    /// Room for the calls that go on. A client that leaves gives its place up to another, and its call goes on all the same.
    calls: Arc<Semaphore>,
}

/// Why a request is refused.
struct Refusal(StatusCode, String);

/// A request's body, if it says that it is JSON.
struct Document(String);

type Reply = Result<Response, Refusal>;

/// Lists the endpoints of a node. The pages of the nodes on `ports` may use them too.
pub(crate) fn router(served: Served, ports: &[u16]) -> Router {
    let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    let page = PAGE.replace("PORTS", &list);
    let pages = ports.iter().flat_map(|port| {
        // A browser leaves the usual port out.
        let port = if *port == 80 { String::new() } else { format!(":{port}") };
        ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}{port}"))
    });
    let pages = pages.map(|origin| HeaderValue::try_from(origin).expect("an origin is ASCII"));
    Router::new()
        .route("/mine", get(mine))
        .route("/transactions/new", post(new_transaction))
        .route("/chain", get(full_chain))
        .route("/nodes/register", post(register_nodes))
        .route("/nodes/resolve", get(consensus))
        .route("/chain/valid", post(valid_chain))
        .route("/", get(|| async { Html(page) }))
        .layer(CorsLayer::new().allow_origin(pages.collect::<Vec<_>>()).allow_headers([CONTENT_TYPE]))
        .with_state(served)
}

async fn mine(State(served): State<Served>) -> Reply {
    served.answer(StatusCode::OK, |served| served.network.mine(served.node)).await
}

async fn new_transaction(State(served): State<Served>, Document(text): Document) -> Reply {
    let values = fields(&text)?;
    // What else there is does not matter, as in the notebook.
    let required = ["sender", "recipient", "amount"].into_iter();
    let found: BTreeMap<_, _> = required.clone().filter_map(|key| Some((key, values.get(key)?))).collect();
    if found.len() < required.len() {
        return Err(Refusal::bad("Missing values"));
    }
    let transaction = serde_json::to_string(&found).map_err(Refusal::bad)?;
    let transaction = Transaction::from_json(&transaction).map_err(Refusal::bad)?;
    served.answer(StatusCode::CREATED, |served| served.network.submit(served.node, transaction)).await
}

async fn full_chain(State(served): State<Served>) -> Reply {
    served.answer(StatusCode::OK, |served| served.network.chain(served.node)).await
}

async fn register_nodes(State(served): State<Served>, Document(text): Document) -> Reply {
    let values = fields(&text)?;
    let nodes = values.get("nodes").and_then(|nodes| serde_json::from_str::<Vec<String>>(nodes.get()).ok());
    let nodes = nodes.ok_or_else(|| Refusal::bad(INVALID_NODES))?;
    served
        .answer(StatusCode::CREATED, move |served| -> Result<_, Refusal> {
            let mut nodes = served.peers.at(&nodes)?;
            // To ask oneself changes nothing; the notebook does it all the same, and the library does not.
            nodes.retain(|node| *node != served.node);
            Ok(served.network.register(served.node, nodes)?)
        })
        .await
}

async fn consensus(State(served): State<Served>) -> Reply {
    served.answer(StatusCode::OK, |served| served.network.resolve(served.node)).await
}

/// Says of any chain whether it is valid, and if not from which block on.
async fn valid_chain(State(served): State<Served>, Document(text): Document) -> Reply {
    /// Its fields are in alphabetical order, as the notebook's are.
    #[derive(Serialize)]
    struct Verdict {
        #[serde(skip_serializing_if = "Option::is_none")]
        block: Option<u64>,
        message: String,
        valid: bool,
    }
    served
        .answer(StatusCode::OK, move |served| match Blockchain::from_json(&text, served.network.rules()) {
            Ok(_) => Ok(Verdict { block: None, message: "The chain is valid".into(), valid: true }),
            Err(ChainError::Invalid(InvalidBlock { position, violation })) => {
                Ok(Verdict { block: Some(position), message: violation.to_string(), valid: false })
            }
            // What is no chain is not judged.
            Err(ChainError::Document(error)) => Err(Refusal::bad(error)),
        })
        .await
}

impl Served {
    pub(crate) fn new(network: Arc<Network>, node: NodeId, peers: Arc<Peers>) -> Self {
        Self { network, node, peers, calls: Arc::new(Semaphore::new(CLIENTS_MAX)) }
    }

    /// Calls the network where waiting for it holds up no other client, and answers with what it returns: JSON that is
    /// indented, as the notebook printed it.
    async fn answer<T: Serialize, E: Into<Refusal> + Send + 'static>(
        self,
        status: StatusCode,
        call: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Reply {
        let room = Arc::clone(&self.calls).acquire_owned().await.expect("the semaphore is never closed");
        let answered = spawn_blocking(move || {
            let _until_the_end = room;
            let document = call(&self)?;
            Ok::<_, E>(serde_json::to_string_pretty(&document).expect("answers have string keys") + "\n")
        });
        let text = answered.await.expect("the network answers, and does not panic").map_err(E::into)?;
        Ok((status, [(CONTENT_TYPE, "application/json")], text).into_response())
    }
}

/// Reads an object's fields; of anything else there are none. It neither recurses nor copies, however deep a value is.
fn fields(text: &str) -> Result<BTreeMap<String, &RawValue>, Refusal> {
    let value: &RawValue = serde_json::from_str(text).map_err(Refusal::bad)?;
    if value.get().starts_with('{') {
        serde_json::from_str(text).map_err(Refusal::bad)
    } else {
        Ok(BTreeMap::new())
    }
}

impl<S: Sync> FromRequest<S> for Document {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let Ok(bytes) = timeout(READ_TIMEOUT, read(body)).await else {
            let why = format!("the document was not there after {READ_TIMEOUT:?}");
            return Err(Refusal(StatusCode::REQUEST_TIMEOUT, why));
        };
        let bytes = bytes?;
        let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let media_type = media_type.split(';').next().unwrap_or("").trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            let media_type: String = media_type.chars().take(80).collect();
            let why = format!("expected Content-Type: application/json, found {media_type:?}");
            return Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
        }
        String::from_utf8(bytes).map(Self).map_err(Refusal::bad)
    }
}

/// Reads a body to its end, but keeps no more than a document may have.
async fn read(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let (mut bytes, mut read) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Refusal::bad)?.into_data() else { continue };
        read += data.len();
        if read <= DOCUMENT_MAX {
            bytes.extend_from_slice(&data);
        } else if read > READ_MAX {
            break;
        }
    }
    if read <= DOCUMENT_MAX {
        return Ok(bytes);
    }
    Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, format!("a document may have {DOCUMENT_MAX} bytes")))
}

impl Refusal {
    /// The client's fault.
    fn bad(why: impl Display) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        (status, why).into_response()
    }
}

impl<E: Display> From<CallError<E>> for Refusal {
    fn from(error: CallError<E>) -> Self {
        match error {
            CallError::Node(error) => error.into(),
            CallError::Refused(why) => Self::bad(why),
        }
    }
}

impl From<NodeError> for Refusal {
    fn from(error: NodeError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<RegisterError> for Refusal {
    fn from(error: RegisterError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<PeerError> for Refusal {
    fn from(error: PeerError) -> Self {
        match error {
            PeerError::Spawn(_) | PeerError::Thread(_) => {
                Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            _ => Self::bad(format!("{INVALID_NODES}: {error}")),
        }
    }
}
