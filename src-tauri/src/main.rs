//! Latchkey Studio, the window.

// No console window beside it on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

/// A gateway that answers thousands in a second allocates and frees as often from several threads, which
/// the system's own allocator does more slowly, and with more memory left over.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    prefer_a_renderer_that_draws();
    latchkey_desktop_lib::run()
}

/// `WebKitGTK`'s DMABUF renderer leaves the window blank on some drivers and under Xvfb.
fn prefer_a_renderer_that_draws() {
    const VARIABLE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if cfg!(target_os = "linux") && std::env::var_os(VARIABLE).is_none() {
        #[expect(
            unsafe_code,
            reason = "no other thread exists yet that could read the environment"
        )]
        // SAFETY: this is the first statement of the program, before any thread is started.
        unsafe {
            std::env::set_var(VARIABLE, "1");
        }
    }
}
