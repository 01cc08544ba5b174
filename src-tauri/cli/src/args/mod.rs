//! Arguments of the program, a file for each command. They know nothing of what the commands do.

mod activity;
mod api_keys;
mod inspect;
mod instance;
mod link;
mod protocol;
mod redeem;
mod secret;
mod serve;
mod users;
mod values;

pub(crate) use activity::{ActivityCommand, KindArgument};
pub(crate) use api_keys::ApiKeyCommand;
pub(crate) use inspect::InspectArguments;
pub(crate) use instance::{AddArguments, InstanceCommand, SetArguments, SettingsArguments};
pub(crate) use link::{LinkArguments, Shape};
pub(crate) use redeem::RedeemArguments;
pub(crate) use secret::{SecretArguments, SecretCommand, secret_file};
pub(crate) use serve::{LogFormat, ServeArguments};
pub(crate) use users::{
    ListArguments, OriginArgument, SortArgument, StatusArgument, UsersArguments, UsersCommand,
};
pub(crate) use values::SeatLimit;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::environment::variable;
use crate::named_file::NamedFile;
use protocol::ProtocolArguments;
use values::seat_limit;

/// Login links for any application: make them, inspect them, keep the instances they are for.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, propagate_version = true, after_help = SECRETS)]
pub(crate) struct Arguments {
    /// Print JSON, also for errors.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The data folder [default: the platform's own].
    #[arg(long, global = true, value_name = "DIR", env = "LATCHKEY_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const SECRETS: &str = "\
Secrets never stand on the command line, where other users of the computer see them. They come from, first wins:
  --secret-file FILE           a file, or - for standard input
  --instance NAME              the instance's own, in the keychain or the sealed file
  LATCHKEY_SECRET_FILE         a file, by the environment: for an instance without a secret, or for none
  LATCHKEY_SECRET              the secret itself, by the environment: likewise
The sealed file's passphrase comes from LATCHKEY_PASSPHRASE_FILE, LATCHKEY_PASSPHRASE, or is asked for.
LATCHKEY_KEYCHAIN=off leaves the keychain alone, for servers and scripts.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a login link and print it.
    Link(Box<LinkArguments>),
    /// Show what is in a code, and whether it verifies.
    Inspect(InspectArguments),
    /// Use a code as a person who opens the link would: sign in, or create the user.
    Redeem(RedeemArguments),
    /// The users of an instance that is hosted here.
    Users(UsersArguments),
    /// The seats that users take.
    Seats {
        /// The instance, by name or id.
        #[arg(long, value_name = "NAME")]
        instance: String,
        /// Set how many there are: a number, or none for no limit.
        #[arg(long, value_name = "N|none", allow_negative_numbers = true, value_parser = seat_limit)]
        set: Option<SeatLimit>,
    },
    /// What has happened on an instance that is hosted here.
    #[command(subcommand)]
    Activity(ActivityCommand),
    /// The keys with which other systems use the gateway's API.
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Let people in who open links of an instance that is hosted here, until it is ended. SIGTERM and
    /// SIGINT end it; SIGHUP is ignored, because changed settings are read by themselves.
    Serve(ServeArguments),
    /// Make a signing key.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Keep the applications that people sign in to.
    #[command(subcommand)]
    Instance(InstanceCommand),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page, or write all of them into a folder.
    Man {
        /// The folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

impl Command {
    /// Returns whether the command may open the data folder. Only commands that never do say no.
    pub(crate) fn uses_data_folder(&self) -> bool {
        !matches!(
            self,
            Self::Secret(SecretCommand::Generate { .. })
                | Self::Completions { .. }
                | Self::Man { .. }
        )
    }

    /// Returns whether the command changes anything where it succeeds.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Self::Link(link) => link.changes(),
            Self::Inspect(_) | Self::Activity(_) | Self::Completions { .. } => false,
            Self::Users(users) => users.command.changes(),
            Self::Seats { set, .. } => set.is_some(),
            Self::ApiKey(keys) => keys.changes(),
            Self::Secret(secret) => !matches!(secret, SecretCommand::Generate { .. }),
            Self::Instance(instance) => instance.changes(),
            Self::Man { out } => out.is_some(),
            Self::Redeem(_) | Self::Serve(_) => true,
        }
    }

    /// Returns the files that the operator has named for this call. Root opens them before it becomes the owner
    /// of the data folder; a file that is missing here is opened afterwards, as that owner.
    pub(crate) fn named_files(&self) -> Vec<NamedFile> {
        let mut files = match self {
            Self::Link(link) => link.files(),
            Self::Inspect(inspect) => inspect.files(),
            Self::Redeem(redeem) => redeem.files(),
            Self::Serve(serve) => serve.files(),
            Self::Instance(instance) => instance.files(),
            _ => Vec::new(),
        };
        let passphrase = variable("LATCHKEY_PASSPHRASE_FILE").map(PathBuf::from);
        files.extend(passphrase.map(NamedFile::Read));
        files
    }
}
