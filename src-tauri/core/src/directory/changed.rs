/// Parts of a directory that a change has affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The activity has new entries.
    pub activity: bool,
    /// Users were added, changed or removed, or have signed in, or the seat limit was set.
    pub users: bool,
}

/// Callback for changes of a directory.
pub type OnChange = Box<dyn Fn(Changed) + Send + Sync>;
