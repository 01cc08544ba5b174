//! Arguments of `latchkey instance`.

use std::path::PathBuf;

use clap::{Arg, Args, Subcommand};
use latchkey_core::instance::{Hosted, SignInStep};
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::secret::RetireAfter;
use latchkey_core::typingmind::Region;

use super::SecretArguments;
use super::connect::ConnectArguments;
use super::values::{daily_or_off, number, on_or_off, yes_or_no};
use crate::named_file::NamedFile;

#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    /// List the instances.
    List,
    /// Add an instance.
    Add(Box<AddArguments>),
    /// Show an instance. Its secret is never shown.
    Show {
        /// Name or id of the instance.
        name: String,
    },
    /// Connect to an instance on a gateway on another computer.
    ///
    /// On the server, 'latchkey api-key make NAME --scope admin --instance INSTANCE' prints a
    /// connection string. Its pairing code works once, for ten minutes, and is exchanged for an API
    /// key, which is kept like a secret. Commands with --instance then work at that gateway.
    Connect(ConnectArguments),
    /// Change the settings or the secret of an instance.
    Set(Box<SetArguments>),
    /// Remove an instance with its key, its users and its activity. Of an instance on a gateway, only
    /// the connection is removed.
    Remove {
        /// Name or id of the instance.
        name: String,
        /// Remove without asking.
        #[arg(long)]
        yes: bool,
    },
}

impl InstanceCommand {
    /// Returns the instance that the arguments name.
    pub(super) fn named(&self) -> Option<&str> {
        match self {
            Self::List => None,
            Self::Add(add) => Some(&add.name),
            Self::Connect(connect) => connect.name.as_deref(),
            Self::Set(set) => Some(&set.instance),
            Self::Show { name } | Self::Remove { name, .. } => Some(name),
        }
    }

    /// Returns whether the command changes something if it succeeds.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List | Self::Show { .. })
    }

    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        match self {
            Self::Add(add) => add.secret.files(),
            Self::Connect(connect) => connect.files(),
            Self::Set(set) => {
                let key = set.typingmind.typingmind_key_file.clone();
                let mut files = set.secret.files();
                files.extend(key.map(NamedFile::Read));
                files
            }
            Self::List | Self::Show { .. } | Self::Remove { .. } => Vec::new(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// Name of the instance. No other instance may have it.
    pub(crate) name: String,
    /// URL at which people open the application.
    #[arg(long)]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    /// Generate the secret, if hosted here [default: if no secret is given].
    #[arg(long, conflicts_with = "secret_file")]
    pub(crate) generate_secret: bool,
    /// Store no secret. Each call then needs one from a file or the environment.
    #[arg(long, conflicts_with_all = ["secret_file", "generate_secret"])]
    pub(crate) no_secret: bool,
}

#[derive(Debug, Args)]
#[command(mut_args(without_default))]
pub(crate) struct SetArguments {
    /// Name or id of the instance.
    pub(crate) instance: String,
    /// New name.
    #[arg(long, value_name = "NEW")]
    pub(crate) name: Option<String>,
    /// New URL of the application.
    #[arg(long)]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    /// Replace the secret by a generated one. For an instance hosted elsewhere, give --secret-file
    /// in place of this option, and set the new secret there, too.
    #[arg(long, conflicts_with = "secret_file")]
    pub(crate) generate_secret: bool,
    /// Time for which the old secret still verifies at an instance that is hosted here, such as 12h,
    /// or now. 30 days by default.
    #[arg(long, value_name = "TIME|now", allow_hyphen_values = true, value_parser = str::parse::<RetireAfter>)]
    pub(crate) retire_after: Option<RetireAfter>,
    #[command(flatten)]
    pub(crate) typingmind: TypingMindArguments,
    /// Automatic backups of an instance that is hosted here: one a day, or none.
    #[arg(long, value_name = "daily|off", value_parser = daily_or_off)]
    pub(crate) backups: Option<bool>,
}

/// Connection to TypingMind's API, for an instance that is hosted there.
#[derive(Debug, Args)]
pub(crate) struct TypingMindArguments {
    /// Region of the TypingMind account, or the URL of a proxy in front of its API.
    #[arg(long, value_name = "us|eu|URL", value_parser = str::parse::<Region>)]
    pub(crate) typingmind_region: Option<Region>,
    /// File with the key of TypingMind's API, or - for standard input.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) typingmind_key_file: Option<PathBuf>,
    /// Remove the region, the key and the copy of TypingMind's users.
    #[arg(long, conflicts_with_all = ["typingmind_region", "typingmind_key_file"])]
    pub(crate) no_typingmind: bool,
}

/// Removes the default from the help of an option for a setting. A changed instance keeps each
/// setting for which no option is given.
fn without_default(argument: Arg) -> Arg {
    // Not a setting: it has its default for each new secret.
    if argument.get_id() == "secret_encoding" {
        return argument;
    }
    let help = argument.get_help().map(ToString::to_string);
    match help
        .as_deref()
        .and_then(|help| help.split_once(" [default:"))
    {
        Some((help, _)) => argument.help(help.to_owned()),
        None => argument,
    }
}

/// Settings of an instance. The defaults in their help are those of a new instance.
#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// Where people sign in: here (at the gateway of this Latchkey) or elsewhere [default: here].
    #[arg(long, value_name = "here|elsewhere", value_parser = str::parse::<Hosted>)]
    pub(crate) hosted: Option<Hosted>,
    /// Query parameter that carries the code [default: externalAuthCode].
    #[arg(long, value_name = "NAME")]
    pub(crate) param: Option<String>,
    /// Signature algorithm: HS256, HS384 or HS512 [default: HS256].
    #[arg(long, value_parser = str::parse::<Algorithm>)]
    pub(crate) algorithm: Option<Algorithm>,
    /// Default lifetime of a link [default: 7 days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) lifetime: Option<Lifetime>,
    /// Whether codes are accepted at all [default: yes].
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) external_auth: Option<bool>,
    /// Whether a code without an expiry is refused [default: no].
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) require_expiry: Option<bool>,
    /// Whether a code for a new user creates the user [default: yes].
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) provisioning: Option<bool>,
    /// Whether a newer code updates the e-mail address and metadata of a returning user [default:
    /// yes].
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) refresh_profile: Option<bool>,
    /// Step after opening a link: automatic signs in at once, confirm asks for a click first, so
    /// that link previews sign nobody in [default: automatic].
    #[arg(long, value_name = "automatic|confirm", value_parser = str::parse::<SignInStep>)]
    pub(crate) sign_in: Option<SignInStep>,
    /// Maximum length of a session [default: 14 days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) session: Option<Lifetime>,
    /// Whether a session ends when the link that began it expires [default: no].
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) session_ends_with_link: Option<bool>,
    /// Time without use after which a session ends, at least 10 minutes [default: never].
    #[arg(long, value_name = "TIME|never", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) session_idle: Option<Lifetime>,
    /// Origin of an application behind a proxy to which visitors may return, such as
    /// `https://app.example.com`. Repeat it for more. The given origins replace the current ones,
    /// and the value none removes them.
    #[arg(long, value_name = "ORIGIN|none")]
    pub(crate) return_to: Vec<String>,
    /// Origin of a page that may show the widget, such as `https://www.example.com`. Repeat it for
    /// more. The given origins replace the current ones, and the value none removes them.
    #[arg(long, value_name = "ORIGIN|none")]
    pub(crate) embed_in: Vec<String>,
    /// Age at which entries of the activity are removed, such as 30 days, or never [default: 365
    /// days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) keep_activity: Option<Lifetime>,
    /// Maximum number of refusals in the activity. The oldest are removed first [default: 100000].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number)]
    pub(crate) keep_refusals: Option<u64>,
    /// Time after which a link that no longer works is removed from the ledger, such as 30 days, or
    /// never. A link whose code has not expired stays [default: 365 days].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
    pub(crate) keep_links: Option<Lifetime>,
    /// Value of the claim 'aud' that is accepted besides the instance's URL. Repeat it for more.
    /// The given values replace the current ones, and the value none removes them.
    #[arg(long, value_name = "TEXT|none")]
    pub(crate) audience: Vec<String>,
    /// Whether older links of a person stop working whenever a new one is given out [default: off].
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    pub(crate) supersede: Option<bool>,
    /// Message that 'latchkey link --as message' prints. It has {link}, and may have {name},
    /// {instance}, {expiry} and {uses}. The value default restores that of Latchkey.
    #[arg(long, value_name = "TEXT|default")]
    pub(crate) message: Option<String>,
}
