//! A wire between the store and its server that can be cut, or fall silent, after any byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of a wire that was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// New connections pass.
    Mended,
    /// New connections are closed at once.
    Dead,
    /// It was not cut: bytes go in and do not come out, and nobody is told. A connection that fell
    /// silent stays so; new ones pass when the wire is mended.
    Silent,
}

#[derive(Debug)]
struct State {
    /// Bytes that passed in both directions since the wire was last set.
    passed: u64,
    /// The cut to come.
    cut: Option<(u64, After)>,
    /// What became of the last one.
    now: After,
}

impl State {
    fn whole() -> Self {
        Self { passed: 0, cut: None, now: After::Mended }
    }
}

/// Passes every byte on, in both directions, until it is cut.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Wire {
    /// A whole wire to the server on `port`.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::new(Mutex::new(State::whole())),
        };
        tokio::spawn(serve(listener, port, Arc::clone(&wire.state)));
        wire
    }

    /// `url` through this wire.
    pub fn url(&self, url: &str) -> String {
        let port = port_of(url);
        url.replace(&format!(":{port}/"), &format!(":{}/", self.port))
    }

    /// From here on the wire is whole.
    pub fn mend(&self) {
        *self.state.lock().unwrap() = State::whole();
    }

    /// Cuts every connection, or lets it fall silent, when `bytes` more have passed.
    pub fn cut_after(&self, bytes: u64, after: After) {
        *self.state.lock().unwrap() = State { cut: Some((bytes, after)), ..State::whole() };
    }

    /// Whether the cut that was asked for has come.
    pub fn was_cut(&self) -> bool {
        self.state.lock().unwrap().cut.is_none()
    }

    /// Bytes that passed since the wire was last set.
    pub fn passed(&self) -> u64 {
        self.state.lock().unwrap().passed
    }
}

pub fn port_of(url: &str) -> u16 {
    let (_, place) = url.rsplit_once(':').unwrap();
    place.split('/').next().unwrap().parse().unwrap()
}

impl State {
    /// How many of `bytes` pass before the cut.
    fn pass(&mut self, bytes: usize) -> usize {
        let bytes = bytes as u64;
        self.passed += bytes;
        let Some((at, after)) = self.cut.filter(|(at, _)| self.passed >= *at) else {
            return usize::try_from(bytes).unwrap();
        };
        self.cut = None;
        self.now = after;
        usize::try_from(bytes - (self.passed - at)).unwrap()
    }
}

async fn serve(listener: TcpListener, port: u16, state: Arc<Mutex<State>>) {
    let (cuts, _) = watch::channel(());
    loop {
        let (client, _) = listener.accept().await.unwrap();
        if state.lock().unwrap().now == After::Dead {
            continue;
        }
        let (state, cuts) = (Arc::clone(&state), cuts.clone());
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            for end in [&client, &server] {
                end.set_nodelay(true).unwrap();
            }
            let mut cut = cuts.subscribe();
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::select! {
                () = pump(from_client, to_server, &state, &cuts) => {}
                () = pump(from_server, to_client, &state, &cuts) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

/// Passes bytes on until an end is closed or the wire is cut.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &Mutex<State>,
    cuts: &watch::Sender<()>,
) {
    let mut buffer = vec![0; 16 * 1_024];
    let mut is_silent = false;
    loop {
        let Ok(bytes @ 1..) = from.read(&mut buffer).await else { return };
        let was_silent = state.lock().unwrap().now == After::Silent;
        is_silent |= was_silent;
        // What becomes of the wire is known with the cut: it may be mended before the next line.
        let (passing, now) = {
            let mut state = state.lock().unwrap();
            (if is_silent { 0 } else { state.pass(bytes) }, state.now)
        };
        if to.write_all(&buffer[..passing]).await.is_err() {
            return;
        }
        match now {
            After::Silent => is_silent = true,
            After::Mended if passing == bytes || is_silent => {}
            After::Mended | After::Dead => {
                cuts.send_replace(());
                return;
            }
        }
    }
}
