//! Arguments of the program, in a file for each command. They do not depend on what the commands
//! do.

mod activity;
mod api_keys;
mod backup;
mod connect;
mod inspect;
mod instance;
mod link;
mod links;
mod page;
mod protocol;
mod redeem;
mod requests;
mod secret;
mod serve;
mod sessions;
mod signing_keys;
mod users;
mod values;

pub(crate) use activity::{
    ActivityArguments, ActivityCommand, ActivityExportArguments, ActivityFilter, KindArgument,
    VerifyArguments,
};
pub(crate) use api_keys::ApiKeyCommand;
pub(crate) use backup::{BackupArguments, RestoreArguments};
pub(crate) use connect::ConnectArguments;
pub(crate) use inspect::InspectArguments;
pub(crate) use instance::{
    AddArguments, InstanceCommand, SetArguments, SettingsArguments, TypingMindArguments,
};
pub(crate) use link::{FormArguments, LinkArguments, Shape};
pub(crate) use links::{
    CopyArguments, ExportLinksArguments, LinkFilterArguments, LinkSortArgument, LinkStatusArgument,
    LinksArguments, LinksCommand, ListLinksArguments, RevokeArguments,
};
pub(crate) use redeem::RedeemArguments;
pub(crate) use requests::{GrantArguments, RequestsArguments, RequestsCommand};
pub(crate) use secret::{SecretArguments, SecretCommand, secret_file};
pub(crate) use serve::{LogFormat, ServeArguments};
pub(crate) use sessions::SessionsCommand;
pub(crate) use signing_keys::{RetireArguments, RotateArguments, SigningKeyCommand};
pub(crate) use users::{
    EditArguments, ExportArguments, ExtendArguments, FilterArguments, FormatArgument,
    ImportArguments, ListArguments, OriginArgument, SortArgument, StatusArgument, UsersArguments,
    UsersCommand,
};
pub(crate) use values::{LineFormatArgument, SeatLimit};

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::environment::variable;
use crate::named_file::NamedFile;
use protocol::ProtocolArguments;
use values::seat_limit;

/// Make and inspect login links for any application, and keep its users.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, propagate_version = true, after_help = SECRETS)]
pub(crate) struct Arguments {
    /// Print JSON, also for errors.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Data folder [default: the platform's].
    #[arg(long, global = true, value_name = "DIR", env = "LATCHKEY_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const SECRETS: &str = "\
A secret is never an argument, because other users of the computer can read arguments. The first of these counts:
  --secret-file FILE    a file, or - for standard input
  --instance NAME       the secret of the instance, in the keychain or the sealed file
  LATCHKEY_SECRET_FILE  a file, if no instance is named or the instance has no secret
  LATCHKEY_SECRET       the secret itself, in the same cases
The passphrase of the sealed file comes from LATCHKEY_PASSPHRASE_FILE or LATCHKEY_PASSPHRASE. Without them it is asked for.
That of the keys in a backup comes from LATCHKEY_BACKUP_PASSPHRASE_FILE or LATCHKEY_BACKUP_PASSPHRASE in the same way.
LATCHKEY_KEYCHAIN=off turns the keychain off, for servers and scripts.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a login link and print it.
    Link(Box<LinkArguments>),
    /// List the links that were given out, and take them back.
    Links(LinksArguments),
    /// List the people who have asked for a new link, and answer them.
    Requests(RequestsArguments),
    /// Show what is in a code, and whether it verifies.
    Inspect(InspectArguments),
    /// Use a code like a person who opens the link: sign in, or create the user.
    Redeem(RedeemArguments),
    /// Manage the users of an instance that is hosted here or at TypingMind.
    Users(UsersArguments),
    /// List or end the sessions of a user: the browsers in which the user is signed in.
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Show or set the number of seats.
    Seats {
        /// Name or id of the instance.
        #[arg(long, value_name = "NAME")]
        instance: String,
        /// New number of seats, or none for no limit.
        #[arg(long, value_name = "N|none", allow_negative_numbers = true, value_parser = seat_limit)]
        set: Option<SeatLimit>,
    },
    /// Show the activity of an instance. For one that is hosted elsewhere, it has only what was done
    /// with this Latchkey.
    #[command(subcommand)]
    Activity(ActivityCommand),
    /// Manage the keys with which other systems use the gateway's API.
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Manage the signing keys of an instance: the active one, and those that still verify.
    #[command(subcommand)]
    Keys(SigningKeyCommand),
    /// Write an instance with its users, links, sessions and activity into one file.
    ///
    /// It works while the gateway or Studio runs.
    Backup(BackupArguments),
    /// Restore an instance from a backup.
    ///
    /// The backup is read and checked to its end before anything is replaced.
    Restore(RestoreArguments),
    /// Run the gateway of an instance that is hosted here.
    ///
    /// It signs in people who open links, until SIGTERM or SIGINT. It ignores SIGHUP, because it
    /// reads changed settings by itself.
    Serve(ServeArguments),
    /// Make a signing key, or begin a new sealed file.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Manage the instances: the applications that people sign in to.
    #[command(subcommand)]
    Instance(InstanceCommand),
    /// Print completions for a shell.
    Completions {
        /// Name of the shell.
        shell: Shell,
    },
    /// Print the manual page, or write all manual pages into a folder.
    Man {
        /// Folder for all manual pages.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

impl Command {
    /// Returns whether the command may open the data folder.
    pub(crate) fn uses_data_folder(&self) -> bool {
        !matches!(
            self,
            Self::Secret(SecretCommand::Generate { .. })
                | Self::Completions { .. }
                | Self::Man { .. }
        )
    }

    /// Returns the instance that the arguments name.
    pub(crate) fn instance(&self) -> Option<&str> {
        match self {
            Self::Link(link) => link.instance.as_deref(),
            Self::Links(links) => links.instance.as_deref(),
            Self::Requests(requests) => requests.instance.as_deref(),
            Self::Inspect(inspect) => inspect.instance.as_deref(),
            Self::Redeem(redeem) => Some(&redeem.instance),
            Self::Users(users) => users.instance.as_deref(),
            Self::Sessions(sessions) => Some(&sessions.of().instance),
            Self::Seats { instance, .. } => Some(instance),
            Self::Activity(activity) => Some(activity.instance()),
            Self::ApiKey(keys) => Some(keys.instance()),
            Self::Keys(keys) => Some(keys.instance()),
            Self::Backup(backup) => Some(&backup.instance),
            Self::Restore(restore) => restore.name.as_deref(),
            Self::Serve(serve) => serve.instance.as_deref(),
            Self::Instance(instance) => instance.named(),
            Self::Secret(_) | Self::Completions { .. } | Self::Man { .. } => None,
        }
    }

    /// Returns whether the command changes something if it succeeds.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Self::Link(link) => link.changes(),
            Self::Inspect(_) | Self::Activity(_) | Self::Completions { .. } => false,
            Self::Links(links) => links.command.changes(),
            Self::Requests(requests) => requests.command.changes(),
            Self::Users(users) => users.command.changes(),
            Self::Sessions(sessions) => sessions.changes(),
            Self::Seats { set, .. } => set.is_some(),
            Self::ApiKey(keys) => keys.changes(),
            Self::Keys(keys) => keys.changes(),
            Self::Secret(secret) => !matches!(secret, SecretCommand::Generate { .. }),
            Self::Instance(instance) => instance.changes(),
            Self::Man { out } => out.is_some(),
            Self::Redeem(_) | Self::Backup(_) | Self::Restore(_) | Self::Serve(_) => true,
        }
    }

    /// Returns the files that the operator has named for this call. Root opens them before it
    /// becomes the owner of the data folder. A file that does not exist yet is opened afterwards,
    /// as that owner.
    pub(crate) fn named_files(&self) -> Vec<NamedFile> {
        let mut files = match self {
            Self::Link(link) => link.files(),
            Self::Links(links) => links.command.files(),
            Self::Requests(requests) => requests.command.files(),
            Self::Inspect(inspect) => inspect.files(),
            Self::Activity(activity) => activity.files(),
            Self::Redeem(redeem) => redeem.files(),
            Self::Backup(backup) => backup.files(),
            Self::Restore(restore) => restore.files(),
            Self::Serve(serve) => serve.files(),
            Self::Instance(instance) => instance.files(),
            Self::Users(users) => users.command.files(),
            Self::Keys(keys) => keys.files(),
            _ => Vec::new(),
        };
        let passphrase = variable("LATCHKEY_PASSPHRASE_FILE").map(PathBuf::from);
        files.extend(passphrase.map(NamedFile::Read));
        files
    }
}
