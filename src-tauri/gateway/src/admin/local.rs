use std::sync::Arc;

use latchkey_core::Result;
use latchkey_core::directory::Directory;
use latchkey_core::instance::InstanceId;
use latchkey_store::home::Home;

use super::administration::{Administration, GiveWay};
use super::control_socket::{ControlSocket, ServedSocket};

/// Serves the administration API of a directory that this process holds, on the local socket of its
/// instance. `holder` is the name of this program. The caller has entered a runtime of tokio. A
/// gateway gives way to nobody.
pub fn serve_locally(
    home: Arc<Home>,
    id: &InstanceId,
    holder: &str,
    directory: Arc<dyn Directory>,
    give_way: Option<GiveWay>,
) -> Result<ServedSocket> {
    let socket = ControlSocket::bind(&home.instances().folder(id))?;
    socket.serve(Administration::new(home, id, holder, directory, give_way))
}
