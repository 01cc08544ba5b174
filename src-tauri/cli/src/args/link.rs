//! Arguments of `latchkey link`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use latchkey_core::protocol::lifetime::Lifetime;

use super::values::number;
use super::{ProtocolArguments, SecretArguments};
use crate::named_file::NamedFile;

/// Form in which a link is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// The login URL.
    #[default]
    Url,
    /// The code only.
    Code,
    /// The script tag for a page.
    Widget,
    /// A QR code in the terminal.
    Qr,
    /// A message to the person, by the template of the instance.
    Message,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("who").required(true).args(["email", "id", "user_id"]))]
#[command(group = clap::ArgGroup::new("where").required(true).args(["url", "instance"]))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct LinkArguments {
    /// URL of the application.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Name or id of the instance, in place of --url.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,

    /// E-mail address of an existing user.
    #[arg(long, value_name = "E")]
    pub(crate) email: Option<String>,
    /// Id of an existing user. Digits are sent as a number.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Send the digits of --id as a text.
    #[arg(long, requires = "id", conflicts_with_all = ["email", "user_id"])]
    pub(crate) id_as_text: bool,
    /// Id of a new or returning user: your own key for the person.
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
    /// E-mail address of the new or returning user.
    // The conflicts are needed, because clap does not enforce `requires` if the group excludes the
    // required argument.
    #[arg(long, value_name = "E", requires = "user_id", conflicts_with_all = ["email", "id"])]
    pub(crate) user_email: Option<String>,
    /// Text among the user's metadata. Repeat it for more.
    #[arg(long, value_name = "K=V", requires = "user_id", conflicts_with_all = ["email", "id"])]
    pub(crate) metadata: Vec<String>,
    /// JSON file with the user's metadata, or - for standard input.
    #[arg(
        long,
        value_name = "FILE|-",
        requires = "user_id",
        conflicts_with_all = ["metadata", "email", "id"]
    )]
    pub(crate) metadata_json: Option<PathBuf>,

    /// Lifetime of the link: 7d, 12h, never [default: the instance's, or 7 days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) expires_in: Option<Lifetime>,
    /// Time from which the link works: 2026-11-29T23:10 or 2026-11-29T23:10:00Z.
    #[arg(long, value_name = "T")]
    pub(crate) not_before: Option<String>,
    /// Let the link sign in only once, like --uses 1. An instance hosted elsewhere may ignore this.
    #[arg(long, conflicts_with = "uses")]
    pub(crate) single_use: bool,
    /// Number of sign-ins for which the link works, from 1 to 1000 [default: no limit]. An instance
    /// hosted elsewhere may ignore this.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number)]
    pub(crate) uses: Option<u64>,
    /// End of the account that the link creates: 2026-11-29T23:10, 2026-11-29T23:10:00Z, or days
    /// after the first sign-in such as 14d. A user who exists keeps the end. An instance hosted
    /// elsewhere ignores this.
    #[arg(long, value_name = "WHEN", requires = "user_id", conflicts_with_all = ["email", "id"])]
    pub(crate) account_ends: Option<String>,
    /// Note for the list of links, at most 200 characters. It is not in the link.
    #[arg(long, value_name = "TEXT", conflicts_with = "url")]
    pub(crate) note: Option<String>,
    /// Also make a short link, and print it: for chats and small QR codes. It is shown only once.
    #[arg(long, conflicts_with = "url")]
    pub(crate) short: bool,
    /// Let older links of the person stop working.
    #[arg(long, conflicts_with = "url")]
    pub(crate) supersede: bool,
    /// Value of the claim 'iss'.
    #[arg(long, value_name = "TEXT")]
    pub(crate) issuer: Option<String>,
    /// Value of the claim 'sub'.
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,
    /// Value of the claim 'aud'.
    #[arg(long, value_name = "TEXT")]
    pub(crate) audience: Option<String>,

    #[command(flatten)]
    pub(crate) protocol: ProtocolArguments,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,

    #[command(flatten)]
    pub(crate) form: FormArguments,
}

/// Forms of a link.
#[derive(Debug, Args)]
pub(crate) struct FormArguments {
    /// Form in which to print the link.
    #[arg(long = "as", value_enum, default_value_t)]
    pub(crate) shape: Shape,
    /// Also write the QR code to this file, which must end in .png or .svg.
    #[arg(long, value_name = "FILE")]
    pub(crate) qr: Option<PathBuf>,
}

impl LinkArguments {
    /// Returns whether the command changes something if it succeeds.
    pub(super) fn changes(&self) -> bool {
        self.instance.is_some() || self.form.qr.is_some()
    }

    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let mut files = self.secret.files();
        files.extend(self.metadata_json.clone().map(NamedFile::Read));
        files.extend(self.form.qr.clone().map(NamedFile::Write));
        files
    }
}
