//! The one list of commands: name, request, response. The handler and the UI's types follow from it.

use std::fmt::Write as _;

use tauri::Runtime;
use tauri::ipc::Invoke;
use ts_rs::{Config, TS};

use crate::commands::{
    activity, api_keys, appearance, compose, gateway, inspect, instances, keys, secrets, start,
    users, window,
};
use crate::{Problem, events};

/// A command as the UI sees it.
pub struct CommandType {
    /// What it is invoked by.
    pub name: &'static str,
    request: String,
    response: String,
}

macro_rules! commands {
    ($($(#[doc = $doc:literal])* $module:ident :: $name:ident ($request:ty) -> $response:ty;)*) => {
        /// Answers the window's commands.
        pub fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![$($module::$name),*]
        }

        /// All commands.
        #[must_use]
        pub fn commands() -> Vec<CommandType> {
            let config = Config::default();
            vec![$(CommandType {
                name: stringify!($name),
                request: <$request as TS>::name(&config),
                response: <$response as TS>::name(&config),
            }),*]
        }
    };
}

commands! {
    start::start(()) -> start::Start;
    appearance::appearance_set(appearance::Appearance) -> ();
    instances::instance_add(instances::NewInstance) -> instances::Instance;
    instances::sample_instance_add(()) -> instances::Instance;
    instances::instance_select(instances::InstanceRef) -> ();
    instances::instance_update(instances::InstanceUpdate) -> instances::Instance;
    instances::instance_remove(instances::InstanceRef) -> ();
    secrets::secret_replace(secrets::SecretReplacement) -> instances::Instance;
    secrets::secret_reveal(instances::InstanceRef) -> secrets::RevealedSecret;
    secrets::secret_copy(instances::InstanceRef) -> compose::Copied;
    secrets::secret_conceal(instances::InstanceRef) -> instances::Instance;
    api_keys::api_key_make(api_keys::NewApiKey) -> api_keys::MadeApiKey;
    api_keys::api_key_revoke(api_keys::ApiKeyRef) -> instances::Instance;
    compose::compose(compose::ComposeRequest) -> compose::Preview;
    compose::copy(compose::CopyRequest) -> compose::Copied;
    compose::qr_save(compose::QrSaveRequest) -> compose::QrSaved;
    users::users(users::UsersRequest) -> users::UserPage;
    users::user(users::UserRef) -> users::UserProfile;
    users::user_add(users::NewUser) -> users::UserProfile;
    users::user_suspend(users::UserRef) -> users::UserProfile;
    users::user_reactivate(users::UserRef) -> users::UserProfile;
    users::user_sign_out(users::UserRef) -> users::UserProfile;
    users::user_remove(users::UserRef) -> ();
    users::users_correct_times(instances::InstanceRef) -> ();
    users::seats(instances::InstanceRef) -> users::Seats;
    users::seats_set(users::SeatLimit) -> users::Seats;
    activity::activity(activity::ActivityRequest) -> activity::ActivityPage;
    inspect::inspect(inspect::InspectRequest) -> inspect::Inspection;
    inspect::redeem(inspect::RedeemRequest) -> inspect::Redeemed;
    gateway::gateway(()) -> gateway::GatewayState;
    gateway::gateway_start(gateway::GatewayStart) -> gateway::GatewayState;
    gateway::gateway_stop(()) -> gateway::GatewayState;
    gateway::gateway_file_choose(gateway::CertificateFile) -> gateway::ChosenFile;
    keys::keys_create(keys::Passphrase) -> keys::KeyStore;
    keys::keys_unlock(keys::Passphrase) -> keys::KeyStore;
    keys::keys_retry(()) -> keys::KeyStore;
    keys::keys_use_sealed_file(()) -> keys::KeyStore;
    keys::keys_sealed(()) -> Vec<keys::SealedSecret>;
    keys::keys_start_anew(keys::Passphrase) -> keys::KeyStore;
    window::listen(window::Listener) -> ();
    window::close_asked(()) -> Option<window::CloseAsked>;
    window::close(()) -> ();
}

/// The declarations of all types that cross the boundary.
fn declarations() -> Vec<String> {
    let config = Config::default();
    vec![
        Problem::decl(&config),
        start::Start::decl(&config),
        appearance::Theme::decl(&config),
        appearance::Appearance::decl(&config),
        instances::Algorithm::decl(&config),
        instances::Hosted::decl(&config),
        instances::Policy::decl(&config),
        instances::SignInStep::decl(&config),
        instances::SignInSettings::decl(&config),
        instances::Retention::decl(&config),
        instances::KeyOrigin::decl(&config),
        instances::KeyStatus::decl(&config),
        instances::Instance::decl(&config),
        instances::InstanceSettings::decl(&config),
        instances::NewInstance::decl(&config),
        instances::InstanceRef::decl(&config),
        instances::InstanceUpdate::decl(&config),
        secrets::SecretEncoding::decl(&config),
        secrets::SecretSource::decl(&config),
        secrets::SecretReplacement::decl(&config),
        secrets::RevealedSecret::decl(&config),
        api_keys::ApiKey::decl(&config),
        api_keys::NewApiKey::decl(&config),
        api_keys::MadeApiKey::decl(&config),
        api_keys::ApiKeyRef::decl(&config),
        compose::MetadataInput::decl(&config),
        compose::Who::decl(&config),
        compose::ComposeRequest::decl(&config),
        compose::LinkParts::decl(&config),
        compose::QrLevel::decl(&config),
        compose::QrPreview::decl(&config),
        compose::ClaimTime::decl(&config),
        compose::Tone::decl(&config),
        compose::Forecast::decl(&config),
        compose::Preview::decl(&config),
        compose::CopyWhat::decl(&config),
        compose::CopyRequest::decl(&config),
        compose::Copied::decl(&config),
        compose::QrFormat::decl(&config),
        compose::QrSaveRequest::decl(&config),
        compose::QrSaved::decl(&config),
        gateway::ListenAddress::decl(&config),
        gateway::RunningGateway::decl(&config),
        gateway::OtherGateway::decl(&config),
        gateway::GatewayState::decl(&config),
        gateway::Tls::decl(&config),
        gateway::GatewayStart::decl(&config),
        gateway::CertificateFile::decl(&config),
        gateway::ChosenFile::decl(&config),
        users::Status::decl(&config),
        users::Origin::decl(&config),
        users::User::decl(&config),
        users::UserProfile::decl(&config),
        users::SortBy::decl(&config),
        users::UserQuery::decl(&config),
        users::PageStart::decl(&config),
        users::UsersRequest::decl(&config),
        users::UserPage::decl(&config),
        users::UserRef::decl(&config),
        users::NewUser::decl(&config),
        users::Seats::decl(&config),
        users::SeatLimit::decl(&config),
        activity::ActivityKind::decl(&config),
        activity::ActivityRequest::decl(&config),
        activity::ActivityEntry::decl(&config),
        activity::ActivityPage::decl(&config),
        inspect::InspectSource::decl(&config),
        inspect::InspectRequest::decl(&config),
        inspect::FoundIn::decl(&config),
        inspect::NextStep::decl(&config),
        inspect::Hint::decl(&config),
        inspect::Inspection::decl(&config),
        inspect::RedeemRequest::decl(&config),
        inspect::Redeemed::decl(&config),
        keys::KeyStore::decl(&config),
        keys::KeychainState::decl(&config),
        keys::SealedFileState::decl(&config),
        keys::Passphrase::decl(&config),
        keys::SealedSecret::decl(&config),
        window::Listener::decl(&config),
        window::CloseAsked::decl(&config),
        events::StudioEvent::decl(&config),
    ]
}

/// The UI's types, as a TypeScript module.
#[must_use]
pub fn typescript() -> String {
    let mut declarations = declarations();
    declarations.sort();
    let mut module = String::from(
        "// Generated from the Rust types by `cargo xtask gen`. Do not edit by hand.\n\n",
    );
    for declaration in declarations {
        module.push_str("export ");
        module.push_str(&declaration);
        module.push('\n');
    }
    module.push_str("\n/** Every command: what it takes, and what it answers with. */\nexport type Commands = {\n");
    for CommandType {
        name,
        request,
        response,
    } in commands()
    {
        // Writing to a String does not fail.
        let _ = writeln!(
            module,
            "  {name}: {{ request: {request}; response: {response} }};"
        );
    }
    module.push_str("};\n");
    module
}
