// The list of the window's commands: for each, its file, its request and its response. `schema.rs`
// makes the handler and the types of the UI from the list, and `build.rs` makes a permission for
// each group. The comment of a group must fit on one line. A command outside of the list cannot be
// called. A new group must also be named in `capabilities/studio.json`.

macro_rules! command_list {
    ($then:ident) => {
        $then! {
            /// State that the window reads at its start.
            mod start {
                start(()) -> start::Start;
            }
            /// Appearance of Studio.
            mod appearance {
                appearance_set(appearance::Appearance) -> ();
            }
            /// Instances: the applications that people sign in to.
            mod instances {
                instance_add(instances::NewInstance) -> instance::Instance;
                sample_instance_add(()) -> instance::Instance;
                instance_select(instance::InstanceRef) -> ();
                instance_update(instances::InstanceUpdate) -> instance::Instance;
                instance_remove(instance::InstanceRef) -> ();
            }
            /// Signing keys of an instance: replacing and retiring them, showing one once, copying it.
            mod secrets {
                secret_replace(secrets::SecretReplacement) -> instance::Instance;
                signing_key_links(instance::InstanceRef) -> Vec<secrets::SigningKeyLinks>;
                signing_key_retire(secrets::KeyRetirement) -> instance::Instance;
                secret_reveal(instance::InstanceRef) -> secrets::RevealedSecret;
                secret_copy(instance::InstanceRef) -> copied::Copied;
                secret_conceal(instance::InstanceRef) -> instance::Instance;
            }
            /// Keys of an instance's API: making, showing once, revoking.
            mod api_keys {
                api_key_make(api_keys::NewApiKey) -> api_keys::MadeApiKey;
                api_key_revoke(api_keys::ApiKeyRef) -> instance::Instance;
            }
            /// Backups of an instance, restoring them, and moving to a server. Cancelling a backup or an export.
            mod backups {
                automatic_backups(instance::InstanceRef) -> backups::AutomaticBackups;
                automatic_backups_set(backups::AutomaticBackupsChange) -> backups::AutomaticBackups;
                backup_save(backups::BackupRequest) -> backups::BackupSaved;
                save_cancel(()) -> ();
                backup_command_copy(backups::ServerCommand) -> copied::Copied;
                backup_choose(()) -> Option<backups::ChosenBackup>;
                backup_restore(backups::RestoreRequest) -> instance::Instance;
            }
            /// Composing a login link: the preview and the forecast.
            mod compose {
                compose(compose::ComposeRequest) -> preview::Preview;
                link_forecast(compose::PreviewRef) -> compose::Judgement;
            }
            /// Giving out a link that was shown: signing it, copying it, saving its QR code.
            mod giving_out {
                link_sign(giving_out::SignRequest) -> preview::Preview;
                copy(giving_out::CopyRequest) -> copied::CopiedLink;
                qr_save(giving_out::QrSaveRequest) -> qr_files::QrSaved;
            }
            /// The ledger of an instance: its links, revoking them, copying them again.
            mod links {
                links(links::LinksRequest) -> links::LinkPage;
                link_counts(instance::InstanceRef) -> ledger::LinkCounts;
                link(links::LinkRef) -> links::LinkDetails;
                links_revoke(links::LinkRevocation) -> Option<ledger::LinkStatus>;
                link_copy(links::LinkCopy) -> copied::CopiedLink;
                link_qr_save(links::LinkQrSave) -> qr_files::QrSaved;
            }
            /// Requests for new links: making the link, dismissing the request.
            mod requests {
                link_requests(instance::InstanceRef) -> Vec<requests::OpenRequest>;
                link_request_grant(requests::OpenRequestRef) -> copied::CopiedLink;
                link_request_dismiss(requests::OpenRequestRef) -> ();
            }
            /// Users of an instance that is hosted here, and their seats.
            mod users {
                users(users::UsersRequest) -> users::UserPage;
                user(users::UserRef) -> users::UserProfile;
                user_add(users::NewUser) -> users::UserProfile;
                user_edit(users::UserEdit) -> users::UserProfile;
                user_suspend(users::UserRef) -> users::UserProfile;
                user_reactivate(users::UserRef) -> users::UserProfile;
                user_set_account_end(users::AccountEndChange) -> users::UserProfile;
                user_sign_out(users::UserRef) -> users::UserProfile;
                user_remove(users::UserRef) -> ();
                users_correct_times(instance::InstanceRef) -> ();
                seats(instance::InstanceRef) -> verdict::Seats;
                seats_set(users::SeatLimit) -> verdict::Seats;
            }
            /// Sessions of a user of an instance that is hosted here.
            mod sessions {
                user_sessions(users::UserRef) -> sessions::UserSessions;
                session_end(sessions::SessionRef) -> ();
            }
            /// Importing users from files.
            mod transfers {
                import_choose(instance::InstanceRef) -> Option<transfers::ImportState>;
                import_dropped(transfers::DroppedFile) -> transfers::ImportState;
                import_plan(transfers::ImportChoices) -> transfers::ImportState;
                import_rows(transfers::ImportRowsRequest) -> Vec<transfers::ImportRow>;
                import_next(instance::InstanceRef) -> transfers::ImportState;
                import_close(()) -> ();
            }
            /// Exporting users, the activity and links to files.
            mod exports {
                users_export(exports::UserExport) -> exports::Exported;
                activity_export(exports::ActivityExport) -> exports::Exported;
                links_export(exports::LinkExport) -> exports::Exported;
            }
            /// TypingMind's users: the connection, their copy, adding and removing them there.
            mod typingmind {
                typingmind_connect(typingmind::TypingMindConnect) -> instance::Instance;
                typingmind_disconnect(instance::InstanceRef) -> instance::Instance;
                typingmind_sync(instance::InstanceRef) -> typingmind::CopyState;
                typingmind_users(typingmind::CopiedUsersRequest) -> typingmind::CopiedUsers;
                typingmind_user(typingmind::TypingMindUserRef) -> Option<typingmind::TypingMindUser>;
                typingmind_user_of_link(links::LinkRef) -> Option<typingmind::TypingMindUser>;
                typingmind_user_add(typingmind::NewTypingMindUser) -> typingmind::TypingMindUser;
                typingmind_user_remove(typingmind::TypingMindUserRef) -> ();
            }
            /// Activity of an instance. An instance that is hosted elsewhere has only local changes.
            mod activity {
                activity(activity::ActivityRequest) -> activity::ActivityPage;
                activity_verify(activity::VerifyRequest) -> activity::Verified;
            }
            /// Inspecting a code and redeeming it.
            mod inspect {
                inspect(inspect::InspectRequest) -> inspect::Inspection;
                redeem(inspect::RedeemRequest) -> inspect::Redeemed;
            }
            /// The gateway that Studio runs: its state, its start, its end, its certificate.
            mod gateway {
                gateway(()) -> gateway::GatewayState;
                gateway_start(gateway::GatewayStart) -> gateway::GatewayState;
                gateway_stop(()) -> gateway::GatewayState;
                gateway_file_choose(gateway::CertificateFile) -> gateway::ChosenFile;
            }
            /// Connections to gateways on servers: making one, its state, mending it.
            mod connections {
                connection_parts(connections::ConnectionText) -> connections::ConnectionParts;
                instance_connect(connections::ConnectRequest) -> instance::Instance;
                instance_reconnect(connections::Reconnect) -> instance::Instance;
                instance_refresh(instance::InstanceRef) -> instance::Instance;
                gateway_remote(instance::InstanceRef) -> connections::RemoteGateway;
                certificate_seen(instance::InstanceRef) -> connections::SeenCertificate;
                certificate_trust(connections::TrustRequest) -> instance::Instance;
            }
            /// Help: the log file, and its folder in the file manager.
            mod help {
                log_file(()) -> help::LogFile;
                log_folder_open(()) -> ();
            }
            /// The store of the signing keys.
            mod keys {
                keys_create(keys::Passphrase) -> keys::KeyStore;
                keys_unlock(keys::Passphrase) -> keys::KeyStore;
                keys_retry(()) -> keys::KeyStore;
                keys_use_sealed_file(()) -> keys::KeyStore;
                keys_sealed(()) -> Vec<keys::SealedSecret>;
                keys_start_anew(keys::Passphrase) -> keys::KeyStore;
            }
            /// Events for the window, and closing the window while its gateway is open.
            mod window {
                listen(window::Listener) -> ();
                close_asked(()) -> Option<window::CloseAsked>;
                close(()) -> ();
            }
        }
    };
}
