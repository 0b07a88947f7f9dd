//! Long work off the threads that serve.

/// Does what takes long on a thread where it holds nobody up.
///
/// # Panics
/// If `work` does.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // It panicked, and so does who waits for it; or the runtime ends, and nobody waits.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
