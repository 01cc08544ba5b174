//! Arguments of `latchkey instance`.

use clap::{Args, Subcommand};
use latchkey_core::instance::{Hosted, SignInStep};
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::protocol::lifetime::Lifetime;

use super::SecretArguments;
use super::values::{number, yes_or_no};
use crate::named_file::NamedFile;

#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    /// List the instances.
    List,
    /// Add an instance.
    Add(Box<AddArguments>),
    /// Show an instance; its secret is never shown.
    Show {
        /// Its name or id.
        name: String,
    },
    /// Change an instance.
    Set(Box<SetArguments>),
    /// Remove an instance with its key and all that is kept for it.
    Remove {
        /// Its name or id.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

impl InstanceCommand {
    /// Returns whether the command changes anything where it succeeds.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List | Self::Show { .. })
    }

    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        match self {
            Self::Add(add) => add.secret.files(),
            Self::Set(set) => set.secret.files(),
            Self::List | Self::Show { .. } | Self::Remove { .. } => Vec::new(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// A name that tells it apart.
    pub(crate) name: String,
    /// The address at which people open the application.
    #[arg(long)]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    /// Generate the secret [default where it is hosted here and none is given].
    #[arg(long, conflicts_with = "secret_file")]
    pub(crate) generate_secret: bool,
    /// Keep no secret; give it by the environment each time.
    #[arg(long, conflicts_with_all = ["secret_file", "generate_secret"])]
    pub(crate) no_secret: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetArguments {
    /// Its name or id.
    pub(crate) instance: String,
    /// Another name.
    #[arg(long, value_name = "NEW")]
    pub(crate) name: Option<String>,
    /// Another address.
    #[arg(long)]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    /// Replace the secret by a new one; links that were signed with the old one stop working. Where
    /// the instance is hosted elsewhere they stop once the secret is replaced there, too.
    #[arg(long, conflicts_with = "secret_file")]
    pub(crate) generate_secret: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// Where people sign in: here (at this Latchkey's gateway) or elsewhere [default: here].
    #[arg(long, value_name = "here|elsewhere", value_parser = str::parse::<Hosted>)]
    pub(crate) hosted: Option<Hosted>,
    /// The query parameter that carries the code [default: externalAuthCode].
    #[arg(long, value_name = "NAME")]
    pub(crate) param: Option<String>,
    /// HS256, HS384 or HS512 [default: HS256].
    #[arg(long, value_parser = str::parse::<Algorithm>)]
    pub(crate) algorithm: Option<Algorithm>,
    /// How long a link works if nothing else is said [default: 7 days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) lifetime: Option<Lifetime>,
    /// Whether codes are accepted at all.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) external_auth: Option<bool>,
    /// Whether a code without an expiry is refused.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) require_expiry: Option<bool>,
    /// Whether users are created whom a code names for the first time.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) provisioning: Option<bool>,
    /// Whether a newer code refreshes a returning user's e-mail and metadata.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) refresh_profile: Option<bool>,
    /// What signing in takes: nothing, or a click on a page, so that programs that look at links sign
    /// nobody in [default: automatic].
    #[arg(long, value_name = "automatic|confirm", value_parser = str::parse::<SignInStep>)]
    pub(crate) sign_in: Option<SignInStep>,
    /// How long a session lasts, at most [default: 14 days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) session: Option<Lifetime>,
    /// Whether a session ends when the link that began it expires [default: no].
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) session_ends_with_link: Option<bool>,
    /// How long a session lasts without a use, at least 10 minutes [default: never ends by that].
    #[arg(long, value_name = "TIME|never", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) session_idle: Option<Lifetime>,
    /// An application behind a proxy to which people may be sent back, as `https://app.example.com`;
    /// repeat it for more. It replaces those that were set; none takes them away.
    #[arg(long, value_name = "ORIGIN|none")]
    pub(crate) return_to: Vec<String>,
    /// A page that may show the widget, by its origin, as `https://www.example.com`; repeat it for more.
    /// It replaces those that were set; none takes them away.
    #[arg(long, value_name = "ORIGIN|none")]
    pub(crate) embed_in: Vec<String>,
    /// How long what has happened stays in the activity: 30 days, never for no limit [default: 365 days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) keep_activity: Option<Lifetime>,
    /// How many refusals stay in the activity at most, the latest ones [default: 100000].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number)]
    pub(crate) keep_refusals: Option<u64>,
    /// A value of the claim 'aud' that is accepted besides the instance's URL; repeat it for more. It
    /// replaces those that were set; none takes them away.
    #[arg(long, value_name = "TEXT|none")]
    pub(crate) audience: Vec<String>,
}
