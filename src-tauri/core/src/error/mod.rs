//! The error type of Latchkey: a stable code, a message for a person, and the field that is wrong. The
//! command line, the API and the window all return errors in this shape.

mod warning;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

pub use warning::Warning;

/// Result of core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Kind of an error, for callers to match on. The message of an [`Error`] is only for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request does not have the form that the API describes. `field` names the member or the
    /// parameter, if it is one.
    InvalidRequest,
    /// A member of the payload or the claims breaks a rule. `field` names it.
    InvalidPayload,
    /// The payload names a user in two ways at once.
    AmbiguousPayload,
    /// The URL of the instance cannot be used for links.
    InvalidUrl,
    /// A setting of an instance breaks a rule. `field` names it.
    InvalidSetting,
    /// A lifetime cannot be parsed, or ends before it begins.
    InvalidLifetime,
    /// A time cannot be parsed.
    InvalidTime,
    /// The signed code would be longer than the maximum.
    CodeTooLong,
    /// The text contains no external auth code.
    NoCode,
    /// A text or a file is longer than the maximum.
    InputTooLarge,
    /// The link is too long for a QR code that a phone can read.
    QrTooDense,
    /// The picture cannot be read, or shows no QR code.
    InvalidPicture,
    /// The signing key is empty.
    EmptySecret,
    /// The signing key is too short for links that cross a network.
    WeakSecret,
    /// The signing key breaks another rule.
    InvalidSecret,
    /// The instance has no signing key, or the key is not where it was stored.
    NoSigningKey,
    /// The key was already shown once.
    SecretConcealed,
    /// The keychain of the operating system cannot be used.
    KeychainUnreachable,
    /// The sealed file has not been opened with its passphrase.
    KeysLocked,
    /// The sealed file that contained signing keys is missing.
    KeysMissing,
    /// The signing keys can be read, so Latchkey refuses to begin with new ones.
    KeysInUse,
    /// The passphrase does not open the sealed file.
    WrongPassphrase,
    /// The passphrase is too short or easy to guess.
    WeakPassphrase,
    /// There is no such instance.
    UnknownInstance,
    /// Another instance has the name.
    InstanceExists,
    /// There is no such user.
    UnknownUser,
    /// Another user has the ID.
    UserExists,
    /// The account of the user has ended.
    UserEnded,
    /// The user has another profile than the one that the change is for.
    UserChanged,
    /// The user has no such session.
    UnknownSession,
    /// The ledger has no such link.
    UnknownLink,
    /// The link cannot be given out again: it does not work any more, its claims are not in the
    /// ledger, or its key is not the signing key any more.
    NotCopyable,
    /// No new link can be asked for with the code: its link works or was revoked, or its person may
    /// not sign in.
    NotAskable,
    /// There is no such open request for a new link.
    UnknownRequest,
    /// There is no such API key.
    UnknownApiKey,
    /// No signing key with the ID is active or retiring.
    UnknownSigningKey,
    /// The address belongs to another user.
    EmailInUse,
    /// No seat is free.
    NoSeats,
    /// The cursor belongs to another order.
    InvalidCursor,
    /// A file of users cannot be read, or some of its rows cannot be imported.
    InvalidImport,
    /// The request exceeds a maximum number.
    TooMany,
    /// The instance is hosted elsewhere, so another server decides about its users.
    HostedElsewhere,
    /// The instance is on a gateway on another computer, which alone can do this.
    OnGateway,
    /// Another program listens on the address of the gateway.
    AddressInUse,
    /// Another process holds the directory.
    DirectoryHeld,
    /// The program that administers the directory does not answer.
    Unreachable,
    /// The gateway started again during a change, and does not know whether it was made.
    OutcomeUnknown,
    /// The gateway on another computer shows another certificate than the known one, or one that
    /// nobody vouches for.
    WrongCertificate,
    /// The gateway, or TypingMind, refuses the API key: it is unknown, revoked or expired.
    KeyRefused,
    /// The API key lacks the scope that the request needs.
    ScopeMissing,
    /// The gateway runs an older Latchkey, which lacks what this one needs.
    OlderGateway,
    /// The gateway runs a newer Latchkey, whose answer this one cannot read.
    NewerGateway,
    /// The users of TypingMind have not been copied yet.
    NotCopied,
    /// The instance has no connection to TypingMind's API.
    NotConnected,
    /// The answer of another server cannot be used.
    UnexpectedAnswer,
    /// The call timed out waiting for an earlier change. It can be repeated later.
    Busy,
    /// Another Studio uses the data folder.
    AlreadyOpen,
    /// The data folder is not a folder that this user can use.
    InvalidDataFolder,
    /// A file was written by a newer Latchkey.
    NewerFormat,
    /// A file was written by a Latchkey that was never released.
    OlderFormat,
    /// A file has been damaged, or its name belongs to a folder, a symbolic link or a device.
    DamagedFile,
    /// The operating system refused to read or write a file.
    Storage,
    /// The operating system gave no random bytes.
    NoRandomness,
    /// Latchkey has failed, such as by a panic, or the operating system did not give it a thread or
    /// a signal handler.
    Internal,
}

/// An error with a stable code, a message for a person that says what is wrong and what to do, and
/// the field that it is about.
///
/// The message never contains a secret, a code or a passphrase. The cause is only for the log.
#[derive(Clone)]
pub struct Error {
    /// Code for callers to match on.
    pub code: ErrorCode,
    /// Message for a person.
    pub message: String,
    /// Field that the error is about, such as `user.id`, `url` or `metadata.team`.
    pub field: Option<String>,
    is_in_doubt: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error without a field.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            is_in_doubt: false,
            source: None,
        }
    }

    /// Creates an [`ErrorCode::InvalidPayload`] about `field`.
    pub fn member(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidPayload, message).about(field)
    }

    /// Creates an [`ErrorCode::Internal`] with its cause, which is only for the log.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            ErrorCode::Internal,
            "Something went wrong inside Latchkey. What was done before is kept. Try again, and report it if it happens again.",
        )
        .because(cause)
    }

    /// Says that the change may have been made, because its answer is missing.
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        self.message += " It is not known whether the change was made. Look before you repeat it.";
        self.is_in_doubt = true;
        self
    }

    /// Returns whether the change that failed may have been made.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.is_in_doubt || self.code == ErrorCode::OutcomeUnknown
    }

    /// Sets the field.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Changes a field of a payload to that of a user: `user.id` becomes `id`.
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

    /// Sets the cause, for the log.
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
            .field("is_in_doubt", &self.is_in_doubt)
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

/// Serializes as `{ code, message, field }`, without the cause.
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
