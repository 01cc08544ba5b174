//! The one error type of core, in the shape in which it crosses every boundary.

mod warning;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

pub use warning::Warning;

/// Core's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, for callers to switch on. The text of an [`Error`] is for people only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// A member of the payload or the claims breaks a rule; `field` names it.
    InvalidPayload,
    /// The payload names a user in two ways at once.
    AmbiguousPayload,
    /// The instance's address is not one that a link can be made of.
    InvalidUrl,
    /// A setting of an instance breaks a rule; `field` names it.
    InvalidSetting,
    /// A lifetime that cannot be read, or that ends before it begins.
    InvalidLifetime,
    /// A moment that cannot be read.
    InvalidTime,
    /// The signed code would be longer than every reader accepts.
    CodeTooLong,
    /// The text holds no external auth code.
    NoCode,
    /// A text or a file is longer than what is read.
    InputTooLarge,
    /// The link is too long for a QR code that a phone can read.
    QrTooDense,
    /// The picture cannot be read, or shows no QR code.
    InvalidPicture,
    /// The signing key is empty.
    EmptySecret,
    /// The signing key is too short for the network that its links cross.
    WeakSecret,
    /// The signing key breaks another rule.
    InvalidSecret,
    /// The instance has no signing key, or the key is not where it was kept.
    NoSigningKey,
    /// The key was shown once already.
    SecretConcealed,
    /// The operating system's keychain does not answer.
    KeychainUnreachable,
    /// The sealed file has not been opened with its passphrase.
    KeysLocked,
    /// The sealed file that held signing keys is gone.
    KeysMissing,
    /// The signing keys can be read, so they are neither moved nor given up.
    KeysInUse,
    /// The passphrase does not open the sealed file.
    WrongPassphrase,
    /// The passphrase is too short or easy to guess.
    WeakPassphrase,
    /// There is no such instance.
    UnknownInstance,
    /// There is an instance of that name.
    InstanceExists,
    /// There is no such user.
    UnknownUser,
    /// There is a user of that id.
    UserExists,
    /// There is no such API key.
    UnknownApiKey,
    /// The address belongs to another user.
    EmailInUse,
    /// Every seat is taken.
    NoSeats,
    /// A page was to begin where none of this order ended.
    InvalidCursor,
    /// More than is done at once.
    TooMany,
    /// Another server decides about the instance's users.
    HostedElsewhere,
    /// Another program listens where a gateway was to listen.
    AddressInUse,
    /// Another process holds the directory.
    DirectoryHeld,
    /// An earlier change takes longer than a caller waits. The same call works later.
    Busy,
    /// Another Studio works with the data folder.
    AlreadyOpen,
    /// The data folder is no folder that this user can work in.
    InvalidDataFolder,
    /// A file was written by a newer Latchkey.
    NewerFormat,
    /// A file was written by a Latchkey that was never released.
    OlderFormat,
    /// A file does not hold what Latchkey wrote, or something else has its name.
    DamagedFile,
    /// The operating system refused to read or write a file.
    Storage,
    /// The operating system gave no random bytes.
    NoRandomness,
    /// Latchkey failed inside, such as by a panic, or the operating system refused it a thread or a signal.
    Internal,
}

/// An error with a stable code, a sentence for a person that says what is wrong and what to do,
/// and the member it is about.
///
/// The message never holds a secret, a code or a passphrase. The cause, if any, is for the log.
#[derive(Clone)]
pub struct Error {
    /// For callers to switch on.
    pub code: ErrorCode,
    /// For a person.
    pub message: String,
    /// The member that the error is about: `user.id`, `url`, `metadata.team`.
    pub field: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error about no member in particular.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            source: None,
        }
    }

    /// An [`ErrorCode::InvalidPayload`] about `field`.
    pub fn member(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidPayload, message).about(field)
    }

    /// An [`ErrorCode::Internal`] with its cause, which is for the log.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            ErrorCode::Internal,
            "Something went wrong inside Latchkey. What was done before is kept. Try again, and report it if it happens again.",
        )
        .because(cause)
    }

    /// Names the member.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the member of a user as a face does that has no payload around it: `id` for `user.id`.
    #[must_use]
    pub fn about_user(mut self) -> Self {
        self.field = self
            .field
            .map(|field| field.strip_prefix("user.").unwrap_or(&field).to_owned());
        self
    }

    /// Displays the message and its causes as sentences for the log.
    #[must_use]
    pub fn logged(&self) -> impl fmt::Display {
        fmt::from_fn(|f| {
            f.write_str(&self.message)?;
            let mut cause = StdError::source(self);
            while let Some(because) = cause {
                write!(f, " Cause: {because}.")?;
                cause = because.source();
            }
            Ok(())
        })
    }

    /// Keeps the cause, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code)
            .field("field", &self.field)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// `{ code, message, field }`; the cause stays behind.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut members = serializer.serialize_struct("Error", 3)?;
        members.serialize_field("code", &self.code)?;
        members.serialize_field("message", &self.message)?;
        members.serialize_field("field", &self.field)?;
        members.end()
    }
}
