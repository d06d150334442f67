//! Connections that stop soon after they are told to: every wait is cut into slices, and between two slices the progress is asked.
//!
//! Knows nothing of the hub or of HTTP. Looking a name up and connecting cannot be cut, so both run on a thread of their own, which
//! ends by itself. Invariant: whatever the other side does, a wait ends within a slice of the cancelling.

use std::io::{Error as IoError, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, RustlsConnector,
    Transport,
};
use ureq::{Agent, Error, Timeout};

use crate::progress::Progress;

/// Longest time between two looks at whether to stop.
const SLICE: Duration = Duration::from_millis(50);

/// A client whose waits end when `progress` is cancelled. It follows no redirects, and a status is never an error.
pub(super) fn agent(progress: &Progress, timeout: Duration) -> Agent {
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("embedlens/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(timeout))
        .timeout_connect(Some(timeout))
        .timeout_per_read(Some(timeout))
        .timeout_per_write(Some(timeout))
        .input_buffer_size(256 << 10)
        .build();
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(Watched { progress: progress.clone() })
            .chain(RustlsConnector::default());
    Agent::with_parts(config, connector, Watched { progress: progress.clone() })
}

/// Looks names up and connects, watching whether to stop.
#[derive(Debug)]
struct Watched {
    progress: Progress,
}

impl Watched {
    /// Runs what cannot be interrupted beside this thread, and waits for it as long as it may take.
    fn beside<T: Send + 'static>(
        &self,
        limit: NextTimeout,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = sync_channel(1);
        let begun = Instant::now();
        // Nobody is left to hear of it where the wait was given up.
        std::thread::Builder::new().name("hub".to_owned()).spawn(move || drop(sender.send(work())))?;
        loop {
            match receiver.recv_timeout(SLICE) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::ConnectionFailed),
                Err(RecvTimeoutError::Timeout) if self.progress.is_cancelled() => return Err(stopped()),
                Err(RecvTimeoutError::Timeout) if begun.elapsed() > *limit.after => {
                    return Err(Error::Timeout(limit.reason));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// What a wait ends with that was told to stop. Whoever sees it asks the progress.
fn stopped() -> Error {
    Error::Io(IoError::new(ErrorKind::ConnectionAborted, "stopped"))
}

impl Resolver for Watched {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let (uri, config) = (uri.clone(), config.clone());
        self.beside(timeout, move || DefaultResolver::default().resolve(&uri, &config, NextTimeout::default()))
    }
}

impl<In: Transport> Connector<In> for Watched {
    type Out = Either<In, Sliced>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        if let Some(through_proxy) = chained {
            return Ok(Some(Either::A(through_proxy)));
        }
        let addresses: Vec<_> = details.addrs.iter().copied().collect();
        let each = *details.timeout.after / u32::try_from(addresses.len().max(1)).unwrap_or(1);
        let connect = move || {
            let mut last = IoError::new(ErrorKind::ConnectionRefused, "no address answered");
            for address in addresses {
                match TcpStream::connect_timeout(&address, each.max(Duration::from_millis(10))) {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Err(Error::Io(last))
        };
        let stream = self.beside(details.timeout, connect)?;
        stream.set_nodelay(true)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Sliced { stream, buffers, progress: self.progress.clone() })))
    }
}

/// A connection read in slices.
#[derive(Debug)]
struct Sliced {
    stream: TcpStream,
    buffers: LazyBuffers,
    progress: Progress,
}

impl Sliced {
    /// Does `io` again and again until it gives something, the time is up, or the work was cancelled.
    fn wait<T>(
        limit: NextTimeout,
        progress: &Progress,
        mut io: impl FnMut() -> std::io::Result<T>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        loop {
            if progress.is_cancelled() {
                return Err(stopped());
            }
            match io() {
                Ok(got) => return Ok(got),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Err(e) => return Err(Error::Io(e)),
            }
            if begun.elapsed() >= *limit.after {
                return Err(Error::Timeout(limit.reason));
            }
        }
    }
}

impl Transport for Sliced {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.set_write_timeout(Some(SLICE))?;
        let (limit, mut sent) = (timeout.for_write(), 0);
        while sent < amount {
            let left = &self.buffers.output()[sent..amount];
            match Self::wait(limit, &self.progress, || (&self.stream).write(left))? {
                0 => return Err(Error::Io(ErrorKind::WriteZero.into())),
                some => sent += some,
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.set_read_timeout(Some(SLICE))?;
        let into = self.buffers.input_append_buf();
        let read = Self::wait(timeout.for_read(), &self.progress, || (&self.stream).read(into))?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        let idle = || {
            self.stream.set_nonblocking(true)?;
            let waits = matches!((&self.stream).read(&mut [0]), Err(e) if e.kind() == ErrorKind::WouldBlock);
            self.stream.set_nonblocking(false)?;
            Ok::<_, IoError>(waits)
        };
        idle().unwrap_or(false)
    }
}

/// Whether an error is the silence of the other side.
pub(super) fn is_silence(error: &Error) -> bool {
    matches!(error, Error::Timeout(Timeout::PerRead | Timeout::PerWrite | Timeout::RecvResponse | Timeout::RecvBody))
}
