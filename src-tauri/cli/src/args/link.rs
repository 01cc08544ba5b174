//! Arguments of `latchkey link`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use latchkey_core::protocol::lifetime::Lifetime;

use super::{ProtocolArguments, SecretArguments};
use crate::named_file::NamedFile;

/// In what shape to print a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// The login URL.
    #[default]
    Url,
    /// The code alone.
    Code,
    /// The script tag for a page.
    Widget,
    /// A QR code in the terminal.
    Qr,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("who").required(true).args(["email", "id", "user_id"]))]
#[command(group = clap::ArgGroup::new("where").required(true).args(["url", "instance"]))]
pub(crate) struct LinkArguments {
    /// The address of the application.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// An instance, by name or id, in place of --url.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,

    /// An existing user, by e-mail address.
    #[arg(long, value_name = "E")]
    pub(crate) email: Option<String>,
    /// An existing user, by id. Digits are sent as a number.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Send the digits of --id as a text.
    #[arg(long, requires = "id")]
    pub(crate) id_as_text: bool,
    /// A new or returning user, by your own key for the person.
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
    /// The e-mail address of the new or returning user.
    // clap lets `requires` pass where the group excludes what is required.
    #[arg(long, value_name = "E", requires = "user_id", conflicts_with_all = ["email", "id"])]
    pub(crate) user_email: Option<String>,
    /// A text among the user's metadata; repeat it for more.
    #[arg(long, value_name = "K=V", requires = "user_id", conflicts_with_all = ["email", "id"])]
    pub(crate) metadata: Vec<String>,
    /// The user's metadata as a JSON object in a file, or - for standard input.
    #[arg(
        long,
        value_name = "FILE|-",
        requires = "user_id",
        conflicts_with_all = ["metadata", "email", "id"]
    )]
    pub(crate) metadata_json: Option<PathBuf>,

    /// How long the link works: 7d, 12h, never [default: the instance's lifetime, or 7 days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) expires_in: Option<Lifetime>,
    /// From when on it works: 2026-11-29T23:10 or 2026-11-29T23:10:00Z.
    #[arg(long, value_name = "T")]
    pub(crate) not_before: Option<String>,
    /// Let it sign in once only (an instance that is hosted elsewhere does not look at this).
    #[arg(long)]
    pub(crate) single_use: bool,
    /// The claim 'iss'.
    #[arg(long, value_name = "TEXT")]
    pub(crate) issuer: Option<String>,
    /// The claim 'sub'.
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,
    /// The claim 'aud'.
    #[arg(long, value_name = "TEXT")]
    pub(crate) audience: Option<String>,

    #[command(flatten)]
    pub(crate) protocol: ProtocolArguments,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,

    /// In what shape to print it.
    #[arg(long = "as", value_enum, default_value_t)]
    pub(crate) shape: Shape,
    /// Also write the QR code to a file that ends in .png or .svg.
    #[arg(long, value_name = "FILE")]
    pub(crate) qr: Option<PathBuf>,
}

impl LinkArguments {
    /// Returns whether the command changes anything where it succeeds.
    pub(super) fn changes(&self) -> bool {
        self.instance.is_some() || self.qr.is_some()
    }

    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let mut files = self.secret.files();
        files.extend(self.metadata_json.clone().map(NamedFile::Read));
        files.extend(self.qr.clone().map(NamedFile::Write));
        files
    }
}
