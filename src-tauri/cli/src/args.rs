//! What can be asked for.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use latchkey_core::code::Algorithm;
use latchkey_core::instance::{Hosted, SignInStep};
use latchkey_core::lifetime::Lifetime;
use latchkey_core::secret::SecretEncoding;
use latchkey_gateway::Network;

use crate::activity::ActivityCommand;
use crate::api_keys::ApiKeyCommand;
use crate::context::{Named, variable};

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
    /// Whether the command may open the data folder. Only commands that never do say no.
    pub(crate) fn uses_data_folder(&self) -> bool {
        !matches!(
            self,
            Self::Secret(SecretCommand::Generate { .. })
                | Self::Completions { .. }
                | Self::Man { .. }
        )
    }

    /// Whether the command changes anything, where it succeeds.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Self::Link(link) => link.instance.is_some() || link.qr.is_some(),
            Self::Inspect(_) | Self::Activity(_) | Self::Completions { .. } => false,
            Self::Users(users) => !matches!(
                users.command,
                UsersCommand::List(_) | UsersCommand::Show { .. }
            ),
            Self::Seats { set, .. } => set.is_some(),
            Self::ApiKey(keys) => !matches!(keys, ApiKeyCommand::List { .. }),
            Self::Secret(secret) => !matches!(secret, SecretCommand::Generate { .. }),
            Self::Instance(instance) => !matches!(
                instance,
                InstanceCommand::List | InstanceCommand::Show { .. }
            ),
            Self::Man { out } => out.is_some(),
            Self::Redeem(_) | Self::Serve(_) => true,
        }
    }

    /// Files that the operator has named for this call. Root opens them before it becomes the owner of the
    /// data folder; a file that is missing here is opened afterwards, as that owner.
    pub(crate) fn named_files(&self) -> Vec<Named> {
        let (secret, read, written) = match self {
            Self::Link(link) => (
                Some(&link.secret),
                vec![&link.metadata_json],
                link.qr.clone(),
            ),
            Self::Serve(serve) => (
                Some(&serve.secret),
                vec![&serve.tls_cert, &serve.tls_key],
                None,
            ),
            Self::Inspect(inspect) => (Some(&inspect.secret), Vec::new(), None),
            Self::Redeem(redeem) => (Some(&redeem.secret), Vec::new(), None),
            Self::Instance(InstanceCommand::Add(add)) => (Some(&add.secret), Vec::new(), None),
            Self::Instance(InstanceCommand::Set(set)) => (Some(&set.secret), Vec::new(), None),
            _ => (None, Vec::new(), None),
        };
        let mut named: Vec<Named> = written.map(Named::Write).into_iter().collect();
        let read = read.into_iter().flatten().cloned();
        named.extend(read.map(Named::Read));
        if let Some(secret) = secret {
            let secrets = secret.secret_file.clone().into_iter().chain(secret_file());
            named.extend(secrets.map(Named::Read));
        }
        let passphrase = variable("LATCHKEY_PASSPHRASE_FILE").map(PathBuf::from);
        named.extend(passphrase.map(Named::Read));
        if let Self::Inspect(InspectArguments { input, .. })
        | Self::Redeem(RedeemArguments { input, .. }) = self
        {
            let input = PathBuf::from(input);
            named.extend(input.is_file().then_some(Named::Read(input)));
        }
        named
    }
}

/// Returns the file with a secret that the environment names.
pub(crate) fn secret_file() -> Option<PathBuf> {
    variable("LATCHKEY_SECRET_FILE").map(PathBuf::from)
}

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

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// A code, a login link, a widget tag or any text that contains one, - for standard input, or a
    /// file: a picture of a QR code or a text. A code on the command line is seen by other users of the computer.
    #[arg(value_name = "CODE|URL|-|FILE", allow_hyphen_values = true)]
    pub(crate) input: String,
    /// Judge it as this instance would, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// Also say what opening it would do now, and do nothing.
    #[arg(long, requires = "instance")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) protocol: ProtocolArguments,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RedeemArguments {
    /// A code, a login link, a widget tag or any text that contains one, or a file: a picture of a QR code or
    /// a text; - for one a line on standard input, each answered by a line when it is on disk.
    #[arg(value_name = "CODE|URL|-|FILE", allow_hyphen_values = true)]
    pub(crate) input: String,
    /// The instance, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

/// How a gateway listens.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The instance, by name or id [default: the only one that is hosted here].
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// The address of this computer to listen on. Another than the loopback one opens it to the
    /// network. Without an address, as in :8787, it is the loopback one.
    #[arg(long, value_name = "[ADDR]:PORT", default_value = "127.0.0.1:8787", value_parser = listen_address)]
    pub(crate) listen: SocketAddr,
    /// A certificate with its chain, in PEM, to speak https.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Speak https with a certificate that is made the first time, and kept. Browsers warn of it.
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) tls_self_signed: bool,
    /// A proxy, or a network of proxies such as 172.18.0.0/16, that is believed when it says in
    /// X-Forwarded-For for whom it asks; repeat it for more.
    #[arg(long, value_name = "IP[/BITS]")]
    pub(crate) trusted_proxy: Vec<Network>,
    /// How many links are opened in a second from one address, four times as many at once; 0 for no
    /// limit. Everybody together opens 64 times as many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) visits_per_second: u32,
    /// How many requests of the API are answered in a second from one address, four times as many at
    /// once; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) api_requests_per_second: u32,
    /// Where Prometheus finds counters, at /metrics: an address of this computer alone.
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub(crate) metrics: Option<SocketAddr>,
    /// In what form to write what happens to standard error.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log: LogFormat,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

/// Reads `127.0.0.1:8787`, `[::1]:8787`, and for the loopback address `localhost:8787` and `:8787`.
fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    if host.is_empty() || host.eq_ignore_ascii_case("localhost") {
        let port = port.parse().ok();
        return port
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .ok_or("say a port, such as localhost:8787");
    }
    text.parse()
        .map_err(|_| "say an address of this computer and a port, such as 127.0.0.1:8787, localhost:8787 or :8787")
}

fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let address = listen_address(text)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("counters are for this computer alone: say an address such as 127.0.0.1:9187")
    }
}

/// The form of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Which users to list, and in which order.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only users in whose id, e-mail or name each of these words occurs.
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub(crate) search: String,
    /// Only users of this status.
    #[arg(long)]
    pub(crate) status: Option<StatusArgument>,
    /// Only users who came in this way.
    #[arg(long)]
    pub(crate) origin: Option<OriginArgument>,
    /// What to sort by.
    #[arg(long, default_value = "id")]
    pub(crate) sort: SortArgument,
    /// From the greatest to the least.
    #[arg(long)]
    pub(crate) descending: bool,
    /// Begin where another page ended, by what was printed there.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true, value_parser = page_size)]
    pub(crate) limit: usize,
}

/// Whether users may sign in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StatusArgument {
    Active,
    Suspended,
}

/// How users came in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OriginArgument {
    /// By a link.
    Link,
    /// By hand.
    Added,
    /// By an import.
    Import,
}

/// What to sort users by.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SortArgument {
    Id,
    Email,
    Created,
    LastSignIn,
}

#[derive(Debug, Args)]
pub(crate) struct UsersArguments {
    /// The instance, by name or id.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    #[command(subcommand)]
    pub(crate) command: UsersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List users.
    List(ListArguments),
    /// Show a user.
    Show {
        /// The id.
        id: String,
    },
    /// Add a user, who takes a seat.
    Add {
        /// The id.
        id: String,
        /// The e-mail address.
        #[arg(long)]
        email: Option<String>,
        /// A text among the metadata; repeat it for more.
        #[arg(long, value_name = "K=V")]
        metadata: Vec<String>,
    },
    /// Suspend a user, which frees the seat.
    Suspend {
        /// The id.
        id: String,
    },
    /// Let a suspended user sign in again, which takes a seat.
    Reactivate {
        /// The id.
        id: String,
    },
    /// End all sessions of a user.
    SignOut {
        /// The id.
        id: String,
    },
    /// Remove a user; codes from before do not bring the user back.
    Remove {
        /// The id.
        id: String,
    },
    /// Set recorded times that lie in the future to now, after the clock of this computer was wrong.
    CorrectTimes,
}

impl UsersCommand {
    /// Returns the id of the existing user whom it is about.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Show { id }
            | Self::Suspend { id }
            | Self::Reactivate { id }
            | Self::SignOut { id }
            | Self::Remove { id } => Some(id),
            Self::List(_) | Self::Add { .. } | Self::CorrectTimes => None,
        }
    }
}

/// How many seats there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeatLimit(pub(crate) Option<u64>);

fn seat_limit(text: &str) -> Result<SeatLimit, &'static str> {
    if text == "none" {
        return Ok(SeatLimit(None));
    }
    let limit = text
        .parse()
        .map_err(|_| "say a number that is not negative, or none")?;
    Ok(SeatLimit(Some(limit)))
}

fn number(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "say a number that is not negative")
}

/// Reads the maximum number of rows of a page.
pub(crate) fn page_size(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(0) | Err(_) => Err("say a number of at least 1"),
        Ok(rows) => Ok(rows),
    }
}

/// What an instance would say by itself.
#[derive(Debug, Args)]
pub(crate) struct ProtocolArguments {
    /// HS256, HS384 or HS512 [default: HS256].
    #[arg(long, conflicts_with = "instance", value_parser = str::parse::<Algorithm>)]
    pub(crate) algorithm: Option<Algorithm>,
    /// The query parameter that carries the code [default: externalAuthCode].
    #[arg(long, value_name = "NAME", conflicts_with = "instance")]
    pub(crate) param: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SecretArguments {
    /// The file that holds the secret, or - for standard input.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) secret_file: Option<PathBuf>,
    /// How the secret that is given is turned into the key [default: text].
    #[arg(long, value_name = "text|base64|hex", value_parser = str::parse::<SecretEncoding>)]
    pub(crate) secret_encoding: Option<SecretEncoding>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Print a new signing key, as long as the algorithm's hash.
    Generate {
        /// HS256, HS384 or HS512.
        #[arg(long, default_value = "HS256", value_parser = str::parse::<Algorithm>)]
        algorithm: Algorithm,
    },
    /// Give up a sealed file that is gone or damaged or whose passphrase is forgotten, and begin another one.
    ///
    /// Lists the instances that need their secret again; everything else of them stays. An old file is kept
    /// beside the new one, and is named. With a passphrase that opens the old file, nothing is changed.
    StartAnew {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

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

fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" | "on" | "true" => Ok(true),
        "no" | "off" | "false" => Ok(false),
        _ => Err("say yes or no"),
    }
}
