use futures_lite::future::block_on;

/// Waiting for a directory in a program, or on a thread, that has no async runtime.
pub trait Wait: Future + Sized {
    /// Blocks the thread until the future is done. It must not be called on a thread of an async runtime.
    fn wait(self) -> Self::Output {
        block_on(self)
    }
}

impl<F: Future> Wait for F {}
