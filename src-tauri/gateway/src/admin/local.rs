use std::sync::Arc;

use latchkey_core::Result;

use super::administration::Administration;
use super::control_socket::{ControlSocket, ServedSocket};

/// Serves the administration API of a directory that this process holds, on the local socket of its
/// instance. The caller has entered a runtime of tokio.
pub fn serve_locally(administration: Arc<Administration>) -> Result<ServedSocket> {
    ControlSocket::bind(&administration.folder())?.serve(administration)
}
