//! Latchkey Studio, the window.

// Opens no console window beside it on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

/// A busy gateway allocates and frees from several threads thousands of times per second. The
/// system's allocator does so more slowly, and keeps more memory.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    prefer_a_renderer_that_draws();
    latchkey_desktop_lib::run()
}

/// Turns off `WebKitGTK`'s DMABUF renderer, which leaves the window blank on some drivers and under
/// Xvfb.
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
