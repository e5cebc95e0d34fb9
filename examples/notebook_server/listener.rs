//! A node's listener: its sockets, and the bounds of what a client can take up.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    panic::resume_unwind,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// How many clients a node serves at once; the next wait until one has left. Three nodes stay below the 1024 files that
/// most systems let a process open.
pub(crate) const CLIENTS_MAX: usize = 256;

/// How long a client may take to say what it wants, and again for the document that belongs to it.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a client may take for everything, which is one request and its answer.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long clients have to finish when the server ends.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// A node's sockets: "localhost" is one address to some clients, and another to others.
pub(crate) struct Listener {
    port: u16,
    listeners: Vec<TcpListener>,
}

impl Listener {
    /// Opens a port on this machine alone; 0 takes one that is free.
    pub(crate) async fn open(port: u16) -> Result<Self, String> {
        let bind = async |address: SocketAddr| {
            TcpListener::bind(address)
                .await
                .and_then(|listener| Ok((listener.local_addr()?.port(), listener)))
        };
        let cannot = |error: io::Error| format!("port {port} cannot be had: {error}; choose with --ports");
        let (port, listener) = bind((Ipv4Addr::LOCALHOST, port).into()).await.map_err(cannot)?;
        let mut listeners = vec![listener];
        // Not every machine has the newer protocol, and nobody needs it.
        if let Ok((_, listener)) = bind((Ipv6Addr::LOCALHOST, port).into()).await {
            listeners.push(listener);
        }
        Ok(Self { port, listeners })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Serves clients until the other end of `is_ending` is dropped, and then lets those who are being served finish.
    pub(crate) async fn serve(self, endpoints: Router, is_ending: watch::Receiver<()>) {
        let clients = Arc::new(Semaphore::new(CLIENTS_MAX));
        let mut listening = JoinSet::new();
        for listener in self.listeners {
            listening.spawn(serve(listener, Arc::clone(&clients), endpoints.clone(), is_ending.clone()));
        }
        while let Some(ended) = listening.join_next().await {
            // Where the server ends at once, as nobody reads what it says, they are cancelled.
            if let Err(error) = ended
                && error.is_panic()
            {
                resume_unwind(error.into_panic());
            }
        }
    }
}

async fn serve(
    listener: TcpListener,
    clients: Arc<Semaphore>,
    endpoints: Router,
    mut is_ending: watch::Receiver<()>,
) {
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1().keep_alive(false).timer(TokioTimer::new()).header_read_timeout(READ_TIMEOUT);
    let endpoints = TowerToHyperService::new(endpoints);
    let graceful = GracefulShutdown::new();
    loop {
        let (client, place) = tokio::select! {
            _ = is_ending.changed() => break,
            accepted = accept(&listener, &clients) => accepted,
        };
        let connection = http.serve_connection(TokioIo::new(client), endpoints.clone()).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Whatever a client does wrong, it has been told, or is gone.
            let _ = timeout(CLIENT_TIMEOUT, connection).await;
            drop(place);
        });
    }
    drop(listener);
    // Those who have not finished by then are cut off.
    let _ = timeout(END_TIMEOUT, graceful.shutdown()).await;
}

/// Waits for a place, and then for a client to take it.
async fn accept(listener: &TcpListener, clients: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(clients).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((client, _)) => return (client, place),
            // The client is gone, or the system has no files left; it will, and tells nobody when.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// What tells the process to end: Ctrl-C, and where there is such a thing the signal that the notebook's clean-up sends.
pub(crate) struct EndSignals {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl EndSignals {
    /// Takes the signals from now on.
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
    }

    #[cfg(unix)]
    pub(crate) async fn wait(&mut self) {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn wait(&mut self) {
        // Without a handler the process would end anyway.
        let _ = tokio::signal::ctrl_c().await;
    }
}
