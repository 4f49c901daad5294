//! One worker process, as the engine sees it.

use super::protocol::{self, READY, REFUSED, Task};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A worker that is ready for events. Dropping it kills the process and reaps it.
pub(super) struct Worker {
    process: Process,
    socket: UnixStream,
}

struct Process(Child);

/// Why a worker is of no further use.
#[derive(Debug)]
pub(super) enum Failure {
    /// It did not answer in time.
    Late,
    /// It went away.
    Gone,
    /// It refused its program.
    Refused(String),
    Io(io::Error),
}

impl Worker {
    /// Starts the process, which has no program yet.
    pub(super) fn start(command: &[OsString]) -> io::Result<Self> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| io::Error::other("no command is configured"))?;
        let (socket, theirs) = UnixStream::pair()?;
        let process = Command::new(program)
            .args(arguments)
            .stdin(OwnedFd::from(theirs.try_clone()?))
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::null())
            // Nothing of the server's surroundings is the condition's business, its token least of all.
            .env_clear()
            .current_dir("/")
            // Ctrl-C at the server's terminal asks the server, which answers what it began.
            .process_group(0)
            .spawn()?;
        Ok(Self { process: Process(process), socket })
    }

    /// Gives the process its program.
    pub(super) fn prepare(&mut self, task: &Task, limit: Duration) -> Result<(), Failure> {
        let mut talk = Talk { socket: &self.socket, deadline: Instant::now() + limit };
        let mut message = Vec::with_capacity(64 + task.program.len());
        task.write(&mut message)?;
        talk.write_all(&message)?;
        let mut answer = [0];
        talk.read_exact(&mut answer)?;
        match answer {
            [READY] => Ok(()),
            [REFUSED] => {
                let reason = protocol::read_text(&mut talk)?;
                Err(Failure::Refused(String::from_utf8_lossy(&reason).into_owned()))
            }
            [other] => Err(Failure::Io(io::Error::other(format!("it answered {other}")))),
        }
    }

    /// Whether the condition holds for each of the events.
    pub(super) fn ask(&mut self, events: &[impl AsRef<[u8]>], limit: Duration) -> Result<Vec<bool>, Failure> {
        let mut talk = Talk { socket: &self.socket, deadline: Instant::now() + limit };
        let bytes: usize = events.iter().map(|event| 4 + event.as_ref().len()).sum();
        let mut message = Vec::with_capacity(4 + bytes);
        protocol::write_batch(events, &mut message)?;
        talk.write_all(&message)?;
        let mut answers = vec![0; events.len()];
        talk.read_exact(&mut answers)?;
        Ok(answers.into_iter().map(|answer| answer != 0).collect())
    }

    /// What the program answers to the texts: as many answers as are asked for.
    pub(super) fn answers(
        &mut self,
        texts: &[impl AsRef<[u8]>],
        count: usize,
        limit: Duration,
    ) -> Result<Vec<Result<String, String>>, Failure> {
        let mut talk = Talk { socket: &self.socket, deadline: Instant::now() + limit };
        let mut message = Vec::new();
        protocol::write_batch(texts, &mut message)?;
        talk.write_all(&message)?;
        let answers = (0..count).map(|_| protocol::read_answer(&mut talk));
        Ok(answers.collect::<io::Result<_>>()?)
    }

    /// A handle that cuts the conversation off, from any thread.
    pub(super) fn line(&self) -> io::Result<UnixStream> {
        self.socket.try_clone()
    }

    /// Whether the process is still there.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, and is reaped either way.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A conversation with one deadline, however many reads and writes it takes.
struct Talk<'a> {
    socket: &'a UnixStream,
    deadline: Instant,
}

impl Talk<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Talk<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Talk<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Late,
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Self::Gone,
            _ => Self::Io(error),
        }
    }
}
