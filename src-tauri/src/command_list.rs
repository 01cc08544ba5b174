// The one list of the window's commands: the file that answers each, its request and its response. `schema.rs` makes
// the handler and the UI's types of it, `build.rs` a permission for each group. A command that is not in this
// list cannot be called; a group has to be named in `capabilities/studio.json`, too.

macro_rules! command_list {
    ($then:ident) => {
        $then! {
            /// State that the window reads first.
            mod start {
                start(()) -> start::Start;
            }
            /// How Studio looks.
            mod appearance {
                appearance_set(appearance::Appearance) -> ();
            }
            /// The applications that people sign in to.
            mod instances {
                instance_add(instances::NewInstance) -> instance::Instance;
                sample_instance_add(()) -> instance::Instance;
                instance_select(instance::InstanceRef) -> ();
                instance_update(instances::InstanceUpdate) -> instance::Instance;
                instance_remove(instance::InstanceRef) -> ();
            }
            /// The signing key of an instance: replaced, shown once, copied while it is shown.
            mod secrets {
                secret_replace(secrets::SecretReplacement) -> instance::Instance;
                secret_reveal(instance::InstanceRef) -> secrets::RevealedSecret;
                secret_copy(instance::InstanceRef) -> compose::Copied;
                secret_conceal(instance::InstanceRef) -> instance::Instance;
            }
            /// The keys of an instance's API: made, shown once, revoked.
            mod api_keys {
                api_key_make(api_keys::NewApiKey) -> api_keys::MadeApiKey;
                api_key_revoke(api_keys::ApiKeyRef) -> instance::Instance;
            }
            /// A login link while it is composed: the preview, and taking it away.
            mod compose {
                compose(compose::ComposeRequest) -> compose::Preview;
                copy(compose::CopyRequest) -> compose::Copied;
                qr_save(compose::QrSaveRequest) -> compose::QrSaved;
            }
            /// The users of an instance that is hosted here, and their seats.
            mod users {
                users(users::UsersRequest) -> users::UserPage;
                user(users::UserRef) -> users::UserProfile;
                user_add(users::NewUser) -> users::UserProfile;
                user_suspend(users::UserRef) -> users::UserProfile;
                user_reactivate(users::UserRef) -> users::UserProfile;
                user_sign_out(users::UserRef) -> users::UserProfile;
                user_remove(users::UserRef) -> ();
                users_correct_times(instance::InstanceRef) -> ();
                seats(instance::InstanceRef) -> verdict::Seats;
                seats_set(users::SeatLimit) -> verdict::Seats;
            }
            /// Activity of an instance that is hosted here.
            mod activity {
                activity(activity::ActivityRequest) -> activity::ActivityPage;
            }
            /// A code that somebody has: looked at and, if asked for, redeemed.
            mod inspect {
                inspect(inspect::InspectRequest) -> inspect::Inspection;
                redeem(inspect::RedeemRequest) -> inspect::Redeemed;
            }
            /// The gateway that Studio runs: how it is, starting it where an administrator says with a certificate that they choose, and ending it.
            mod gateway {
                gateway(()) -> gateway::GatewayState;
                gateway_start(gateway::GatewayStart) -> gateway::GatewayState;
                gateway_stop(()) -> gateway::GatewayState;
                gateway_file_choose(gateway::CertificateFile) -> gateway::ChosenFile;
            }
            /// Help: the log file, and its folder in the file manager.
            mod help {
                log_file(()) -> help::LogFile;
                log_folder_open(()) -> ();
            }
            /// Where signing keys are kept.
            mod keys {
                keys_create(keys::Passphrase) -> keys::KeyStore;
                keys_unlock(keys::Passphrase) -> keys::KeyStore;
                keys_retry(()) -> keys::KeyStore;
                keys_use_sealed_file(()) -> keys::KeyStore;
                keys_sealed(()) -> Vec<keys::SealedSecret>;
                keys_start_anew(keys::Passphrase) -> keys::KeyStore;
            }
            /// Events that the window is told, and closing it while its gateway is open: asked first, then done.
            mod window {
                listen(window::Listener) -> ();
                close_asked(()) -> Option<window::CloseAsked>;
                close(()) -> ();
            }
        }
    };
}
